/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blob parser and the form of a blob: damage of every byte, format,
 * sections, their order and number, keys that are missing or repeated. Each
 * rule of form is provoked by a tree that breaks just that one.
 */
#include "manifest_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void manifest_parse_bad_header_is_refused(void **state)
{
    struct tree *t = tree_open_domain();
    struct manifest_error err;

    (void)state;
    tree_close_domain(t);
    assert_int_equal(manifest_parse(t->bytes, 39, &tree_manifest, &err),
                     -RV_EINVAL);
    assert_int_equal(err.rule, MANIFEST_E_BLOB_HEADER);
    assert_int_equal(err.offset, MANIFEST_NOWHERE);
    assert_int_equal(
        manifest_parse(t->bytes + 4, TREE_ROOM - 8, &tree_manifest, &err),
        -RV_EINVAL);
    assert_int_equal(err.rule, MANIFEST_E_BLOB_HEADER);
    fdt_set_version(t->bytes, 16);
    assert_int_equal(tree_parse(t), MANIFEST_E_BLOB_HEADER);
}

static void manifest_parse_truncated_at_any_byte_is_refused(void **state)
{
    struct tree *t = tree_open_domain();
    struct manifest_error err;
    size_t len;

    (void)state;
    tree_close_domain(t);
    len = fdt_totalsize(t->bytes);
    for (size_t n = 0; n < len; n++) {
        /* An exact copy, so that a read past the end is noticed. */
        void *copy = malloc(n + (n == 0));

        assert_non_null(copy);
        memcpy(copy, t->bytes, n);
        assert_int_equal(manifest_parse(copy, n, &tree_manifest, &err),
                         -RV_EINVAL);
        free(copy);
    }
    assert_int_equal(manifest_parse(t->bytes, len, &tree_manifest, &err), 0);
    free(t);
}

static void manifest_parse_any_flipped_byte_is_survived(void **state)
{
    struct tree *t = tree_open_domain();
    struct manifest_error err;
    unsigned int refused = 0;
    size_t len;

    (void)state;
    tree_close_domain(t);
    len = fdt_totalsize(t->bytes);
    for (size_t i = 0; i < len; i++) {
        t->bytes[i] = (char)~t->bytes[i];
        refused += manifest_parse(t->bytes, len, &tree_manifest, &err) != 0;
        t->bytes[i] = (char)~t->bytes[i];
    }
    assert_true(refused > len / 2);
    free(t);
}

/* A length that leads back to an earlier place must not lead there for ever. */
static void manifest_parse_lengths_that_wrap_come_to_an_end(void **state)
{
    struct tree *t = tree_open_domain();
    struct manifest_error err;
    uint32_t first, words;
    unsigned int refused = 0;
    fdt32_t *word;

    (void)state;
    tree_close_domain(t);
    first = fdt_off_dt_struct(t->bytes) / 4;
    words = fdt_size_dt_struct(t->bytes) / 4;
    word = (fdt32_t *)(void *)t->bytes + first;
    for (uint32_t i = 0; i < words; i++) {
        fdt32_t old = word[i];

        for (uint32_t back = 0; back < 4 * words; back += 4) {
            word[i] = cpu_to_fdt32(0u - back);
            refused += manifest_parse(t->bytes, fdt_totalsize(t->bytes),
                                      &tree_manifest, &err) != 0;
        }
        word[i] = old;
    }
    assert_true(refused > words * words / 2);
    assert_int_equal(tree_parse(t), MANIFEST_OK);
}

static void manifest_parse_other_format_is_refused(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    tree_begin(t, "");
    tree_put_text(t, "compatible", "ravelin,manifest-2");
    tree_end(t);
    tree_finish(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_BLOB_FORMAT);
}

static void manifest_parse_no_domains_is_refused(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    tree_root(t);
    tree_end(t);
    tree_finish(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_DOMAIN_COUNT);
}

static struct tree *many_domains(unsigned int count)
{
    struct tree *t = tree_new();
    char name[32];

    tree_root(t);
    tree_begin(t, "domains");
    for (unsigned int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "domain@%u", i);
        tree_begin(t, name);
        tree_required_settings(t, name + strlen("domain@"));
        tree_end(t);
    }
    tree_end(t);
    tree_end(t);
    tree_finish(t);
    return t;
}

static void manifest_parse_32_domains_is_accepted_33_refused(void **state)
{
    (void)state;
    assert_int_equal(tree_parse(many_domains(32)), MANIFEST_OK);
    assert_int_equal(tree_manifest.domain_count, 32);
    assert_int_equal(tree_manifest.domain[31].domid, 32);
    assert_int_equal(tree_parse(many_domains(33)), MANIFEST_E_DOMAIN_COUNT);
}

static struct tree *many_rules(unsigned int count)
{
    fdt32_t any[] = {cpu_to_fdt32(MANIFEST_ANY_DOMAIN), 0};
    struct tree *t = tree_open_domain();
    char name[32];

    tree_end(t);
    tree_end(t);
    tree_begin(t, "v4v");
    for (unsigned int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "rule@%u", i);
        tree_begin(t, name);
        tree_put(t, "from", any, sizeof(any));
        tree_put(t, "to", any, sizeof(any));
        tree_put_text(t, "action", "deny");
        tree_end(t);
    }
    tree_end(t);
    tree_end(t);
    tree_finish(t);
    return t;
}

static void manifest_parse_128_rules_is_accepted_129_refused(void **state)
{
    (void)state;
    assert_int_equal(tree_parse(many_rules(128)), MANIFEST_OK);
    assert_int_equal(tree_manifest.rule_count, 128);
    assert_int_equal(tree_parse(many_rules(129)), MANIFEST_E_RULE_COUNT);
}

static void manifest_parse_unknown_section_is_refused(void **state)
{
    struct tree *t = tree_open_domain();

    (void)state;
    tree_end(t);
    tree_end(t);
    tree_begin(t, "extras");
    tree_end(t);
    tree_end(t);
    tree_finish(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_NODE_UNKNOWN);
}

static void manifest_parse_node_inside_domain_is_refused(void **state)
{
    struct tree *t = tree_open_domain();

    (void)state;
    tree_begin(t, "limits");
    tree_end(t);
    tree_close_domain(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_NODE_UNKNOWN);
}

static void manifest_parse_repeated_section_is_refused(void **state)
{
    struct tree *t = tree_open_domain();

    (void)state;
    tree_end(t);
    tree_end(t);
    tree_begin(t, "domains");
    tree_end(t);
    tree_end(t);
    tree_finish(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_NODE_ORDER);
}

static void manifest_parse_misnumbered_domain_is_refused(void **state)
{
    struct tree *t = tree_open_domain();

    (void)state;
    tree_end(t);
    tree_begin(t, "domain@2");
    tree_required_settings(t, "two");
    tree_close_domain(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_NODE_ORDER);
}

static void manifest_parse_repeated_key_is_refused(void **state)
{
    struct tree *t = tree_open_domain();

    (void)state;
    tree_put_u32(t, "vcpus", 1);
    tree_put_u32(t, "vcpus", 2);
    tree_close_domain(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_KEY_REPEATED);
}

static void manifest_parse_missing_key_is_refused(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    tree_root(t);
    tree_begin(t, "domains");
    tree_begin(t, "domain@0");
    tree_put_text(t, "name", "one");
    tree_close_domain(t);
    assert_int_equal(tree_parse(t), MANIFEST_E_KEY_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_parse_bad_header_is_refused),
        cmocka_unit_test(manifest_parse_truncated_at_any_byte_is_refused),
        cmocka_unit_test(manifest_parse_any_flipped_byte_is_survived),
        cmocka_unit_test(manifest_parse_lengths_that_wrap_come_to_an_end),
        cmocka_unit_test(manifest_parse_other_format_is_refused),
        cmocka_unit_test(manifest_parse_no_domains_is_refused),
        cmocka_unit_test(manifest_parse_32_domains_is_accepted_33_refused),
        cmocka_unit_test(manifest_parse_128_rules_is_accepted_129_refused),
        cmocka_unit_test(manifest_parse_unknown_section_is_refused),
        cmocka_unit_test(manifest_parse_node_inside_domain_is_refused),
        cmocka_unit_test(manifest_parse_repeated_section_is_refused),
        cmocka_unit_test(manifest_parse_misnumbered_domain_is_refused),
        cmocka_unit_test(manifest_parse_repeated_key_is_refused),
        cmocka_unit_test(manifest_parse_missing_key_is_refused),
    };

    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
