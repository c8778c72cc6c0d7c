/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blob parser: well-formed trees give their values, and each rule of form
 * is provoked by a tree that breaks just that one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "ravelin/errno.h"
#include "ravelin/manifest.h"

#define ROOM 65536

/* A tree under construction; 8-byte aligned as the parser demands. */
struct tree {
    _Alignas(8) char bytes[ROOM];
};

static struct tree *tree_new(void)
{
    struct tree *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    assert_int_equal(fdt_create(t->bytes, ROOM), 0);
    assert_int_equal(fdt_finish_reservemap(t->bytes), 0);
    return t;
}

static void begin(struct tree *t, const char *name)
{
    assert_int_equal(fdt_begin_node(t->bytes, name), 0);
}

static void end(struct tree *t)
{
    assert_int_equal(fdt_end_node(t->bytes), 0);
}

static void put(struct tree *t, const char *key, const void *data, int len)
{
    assert_int_equal(fdt_property(t->bytes, key, data, len), 0);
}

static void put_text(struct tree *t, const char *key, const char *text)
{
    put(t, key, text, (int)strlen(text) + 1);
}

static void put_u32(struct tree *t, const char *key, uint32_t value)
{
    assert_int_equal(fdt_property_u32(t->bytes, key, value), 0);
}

static void put_u64(struct tree *t, const char *key, uint64_t value)
{
    assert_int_equal(fdt_property_u64(t->bytes, key, value), 0);
}

static void root(struct tree *t)
{
    begin(t, "");
    put_text(t, "compatible", MANIFEST_COMPATIBLE);
}

static void required_settings(struct tree *t, const char *name)
{
    put_text(t, "name", name);
    put_text(t, "kernel", "x.kernel");
    put_u64(t, "memory", 16u << 20);
}

/* Opens root, section domains and one domain with its required settings. */
static struct tree *open_domain(void)
{
    struct tree *t = tree_new();

    root(t);
    begin(t, "domains");
    begin(t, "domain@0");
    required_settings(t, "one");
    return t;
}

static void finish(struct tree *t)
{
    assert_int_equal(fdt_finish(t->bytes), 0);
}

/* Closes what open_domain() has opened. */
static void close_domain(struct tree *t)
{
    end(t);
    end(t);
    end(t);
    finish(t);
}

static struct manifest m;

/* Parses and frees. @return the broken rule. */
static enum manifest_rule parse(struct tree *t)
{
    struct manifest_error err;
    int rc = manifest_parse(t->bytes, ROOM, &m, &err);

    if (rc == 0) {
        assert_int_equal(err.rule, MANIFEST_OK);
    } else {
        assert_int_equal(rc, -RV_EINVAL);
        assert_int_not_equal(err.rule, MANIFEST_OK);
        assert_non_null(manifest_rule_lookup(err.rule));
    }
    free(t);
    return err.rule;
}

static void manifest_parse_minimal_gives_defaults(void **state)
{
    struct tree *t = open_domain();

    (void)state;
    close_domain(t);
    assert_int_equal(parse(t), MANIFEST_OK);
    assert_int_equal(m.domain_count, 1);
    assert_int_equal(m.rule_count, 0);
    assert_string_equal(m.domain[0].name, "one");
    assert_string_equal(m.domain[0].kernel, "x.kernel");
    assert_string_equal(m.domain[0].ramdisk, "");
    assert_int_equal(m.domain[0].memory, 16u << 20);
    assert_int_equal(m.domain[0].vcpus, 1);
    assert_int_equal(m.domain[0].weight, 256);
    assert_int_equal(m.domain[0].roles, 0);
    assert_int_equal(m.domain[0].console, MANIFEST_CONSOLE_HVC);
    assert_int_equal(m.domain[0].abi, MANIFEST_ABI_V4V);
    assert_int_equal(m.domain[0].max_rings, 0x80);
    assert_int_equal(m.domain[0].max_sendv, 0x80);
    assert_int_equal(m.domain[0].max_notify, 0x100);
    assert_int_equal(m.domain[0].max_send_size, 0x2000000);
    assert_true(m.domain[0].cpus == UINT64_MAX);
    assert_int_equal(m.machine.v4v_default, MANIFEST_ACCEPT);
}

static void manifest_parse_all_settings_gives_values(void **state)
{
    static const char roles[] = "hardware\0monitor";
    fdt32_t targets[] = {cpu_to_fdt32(1), cpu_to_fdt32(3)};
    fdt32_t from[] = {cpu_to_fdt32(MANIFEST_ANY_DOMAIN), cpu_to_fdt32(0)};
    fdt32_t to[] = {cpu_to_fdt32(0), cpu_to_fdt32(4000)};
    struct tree *t = tree_new();

    (void)state;
    root(t);
    begin(t, "machine");
    put_text(t, "on-last-domain-end", "stay");
    put_text(t, "console", "mux");
    end(t);
    begin(t, "domains");
    begin(t, "domain@0");
    required_settings(t, "one");
    put_u32(t, "domid", 7);
    put(t, "roles", roles, sizeof(roles));
    put(t, "monitors", targets, sizeof(targets));
    put_text(t, "ramdisk", "x.ramdisk");
    put_text(t, "cmdline", "console=hvc0 quiet");
    put_u32(t, "vcpus", 4);
    put_u32(t, "weight", 65535);
    put_u64(t, "cpus", 0x5);
    put_text(t, "console", "serial");
    put_text(t, "start", "paused");
    put_text(t, "on-crash", "preserve");
    put_text(t, "message-abi", "argo");
    put_u32(t, "max-rings", 0);
    end(t);
    end(t);
    begin(t, "v4v");
    put_text(t, "default", "deny");
    begin(t, "rule@0");
    put(t, "from", from, sizeof(from));
    put(t, "to", to, sizeof(to));
    put_text(t, "action", "accept");
    end(t);
    end(t);
    end(t);
    finish(t);
    assert_int_equal(parse(t), MANIFEST_OK);
    assert_int_equal(m.machine.on_last_domain_end, MANIFEST_LAST_STAY);
    assert_int_equal(m.machine.console, MANIFEST_HV_CONSOLE_MUX);
    assert_int_equal(m.machine.v4v_default, MANIFEST_DENY);
    assert_int_equal(m.domain[0].domid, 7);
    assert_int_equal(m.domain[0].roles, ROLE_HARDWARE | ROLE_MONITOR);
    assert_int_equal(m.domain[0].monitors, 1u << 1 | 1u << 3);
    assert_string_equal(m.domain[0].ramdisk, "x.ramdisk");
    assert_string_equal(m.domain[0].cmdline, "console=hvc0 quiet");
    assert_int_equal(m.domain[0].vcpus, 4);
    assert_int_equal(m.domain[0].weight, 65535);
    assert_int_equal(m.domain[0].cpus, 5);
    assert_int_equal(m.domain[0].console, MANIFEST_CONSOLE_SERIAL);
    assert_int_equal(m.domain[0].start, MANIFEST_START_PAUSED);
    assert_int_equal(m.domain[0].on_crash, MANIFEST_CRASH_PRESERVE);
    assert_int_equal(m.domain[0].abi, MANIFEST_ABI_ARGO);
    assert_int_equal(m.domain[0].max_rings, 0);
    assert_int_equal(m.rule_count, 1);
    assert_int_equal(m.rule[0].from.domain, MANIFEST_ANY_DOMAIN);
    assert_int_equal(m.rule[0].to.port, 4000);
    assert_int_equal(m.rule[0].action, MANIFEST_ACCEPT);
}

static void manifest_parse_bad_header_is_refused(void **state)
{
    struct tree *t = open_domain();
    struct manifest_error err;

    (void)state;
    close_domain(t);
    assert_int_equal(manifest_parse(t->bytes, 39, &m, &err), -RV_EINVAL);
    assert_int_equal(err.rule, MANIFEST_E_BLOB_HEADER);
    assert_int_equal(err.offset, MANIFEST_NOWHERE);
    assert_int_equal(manifest_parse(t->bytes + 4, ROOM - 8, &m, &err),
                     -RV_EINVAL);
    assert_int_equal(err.rule, MANIFEST_E_BLOB_HEADER);
    fdt_set_version(t->bytes, 16);
    assert_int_equal(parse(t), MANIFEST_E_BLOB_HEADER);
}

static void manifest_parse_truncated_at_any_byte_is_refused(void **state)
{
    struct tree *t = open_domain();
    struct manifest_error err;
    size_t len;

    (void)state;
    close_domain(t);
    len = fdt_totalsize(t->bytes);
    for (size_t n = 0; n < len; n++) {
        /* An exact copy, so that a read past the end is noticed. */
        void *copy = malloc(n + (n == 0));

        assert_non_null(copy);
        memcpy(copy, t->bytes, n);
        assert_int_equal(manifest_parse(copy, n, &m, &err), -RV_EINVAL);
        free(copy);
    }
    assert_int_equal(manifest_parse(t->bytes, len, &m, &err), 0);
    free(t);
}

static void manifest_parse_any_flipped_byte_is_survived(void **state)
{
    struct tree *t = open_domain();
    struct manifest_error err;
    unsigned int refused = 0;
    size_t len;

    (void)state;
    close_domain(t);
    len = fdt_totalsize(t->bytes);
    for (size_t i = 0; i < len; i++) {
        t->bytes[i] = (char)~t->bytes[i];
        refused += manifest_parse(t->bytes, len, &m, &err) != 0;
        t->bytes[i] = (char)~t->bytes[i];
    }
    assert_true(refused > len / 2);
    free(t);
}

/* A length that leads back to an earlier place must not lead there for ever. */
static void manifest_parse_lengths_that_wrap_come_to_an_end(void **state)
{
    struct tree *t = open_domain();
    struct manifest_error err;
    uint32_t first, words;
    unsigned int refused = 0;
    fdt32_t *word;

    (void)state;
    close_domain(t);
    first = fdt_off_dt_struct(t->bytes) / 4;
    words = fdt_size_dt_struct(t->bytes) / 4;
    word = (fdt32_t *)(void *)t->bytes + first;
    for (uint32_t i = 0; i < words; i++) {
        fdt32_t old = word[i];

        for (uint32_t back = 0; back < 4 * words; back += 4) {
            word[i] = cpu_to_fdt32(0u - back);
            refused += manifest_parse(t->bytes, fdt_totalsize(t->bytes), &m,
                                      &err) != 0;
        }
        word[i] = old;
    }
    assert_true(refused > words * words / 2);
    assert_int_equal(parse(t), MANIFEST_OK);
}

static void manifest_parse_other_format_is_refused(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    begin(t, "");
    put_text(t, "compatible", "ravelin,manifest-2");
    end(t);
    finish(t);
    assert_int_equal(parse(t), MANIFEST_E_BLOB_FORMAT);
}

static void manifest_parse_no_domains_is_refused(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    root(t);
    end(t);
    finish(t);
    assert_int_equal(parse(t), MANIFEST_E_DOMAIN_COUNT);
}

static struct tree *many_domains(unsigned int count)
{
    struct tree *t = tree_new();
    char name[32];

    root(t);
    begin(t, "domains");
    for (unsigned int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "domain@%u", i);
        begin(t, name);
        required_settings(t, name + strlen("domain@"));
        end(t);
    }
    end(t);
    end(t);
    finish(t);
    return t;
}

static void manifest_parse_32_domains_is_accepted_33_refused(void **state)
{
    (void)state;
    assert_int_equal(parse(many_domains(32)), MANIFEST_OK);
    assert_int_equal(m.domain_count, 32);
    assert_int_equal(m.domain[31].domid, 32);
    assert_int_equal(parse(many_domains(33)), MANIFEST_E_DOMAIN_COUNT);
}

static struct tree *many_rules(unsigned int count)
{
    fdt32_t any[] = {cpu_to_fdt32(MANIFEST_ANY_DOMAIN), 0};
    struct tree *t = open_domain();
    char name[32];

    end(t);
    end(t);
    begin(t, "v4v");
    for (unsigned int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "rule@%u", i);
        begin(t, name);
        put(t, "from", any, sizeof(any));
        put(t, "to", any, sizeof(any));
        put_text(t, "action", "deny");
        end(t);
    }
    end(t);
    end(t);
    finish(t);
    return t;
}

static void manifest_parse_128_rules_is_accepted_129_refused(void **state)
{
    (void)state;
    assert_int_equal(parse(many_rules(128)), MANIFEST_OK);
    assert_int_equal(m.rule_count, 128);
    assert_int_equal(parse(many_rules(129)), MANIFEST_E_RULE_COUNT);
}

static void manifest_parse_unknown_section_is_refused(void **state)
{
    struct tree *t = open_domain();

    (void)state;
    end(t);
    end(t);
    begin(t, "extras");
    end(t);
    end(t);
    finish(t);
    assert_int_equal(parse(t), MANIFEST_E_NODE_UNKNOWN);
}

static void manifest_parse_node_inside_domain_is_refused(void **state)
{
    struct tree *t = open_domain();

    (void)state;
    begin(t, "limits");
    end(t);
    close_domain(t);
    assert_int_equal(parse(t), MANIFEST_E_NODE_UNKNOWN);
}

static void manifest_parse_repeated_section_is_refused(void **state)
{
    struct tree *t = open_domain();

    (void)state;
    end(t);
    end(t);
    begin(t, "domains");
    end(t);
    end(t);
    finish(t);
    assert_int_equal(parse(t), MANIFEST_E_NODE_ORDER);
}

static void manifest_parse_misnumbered_domain_is_refused(void **state)
{
    struct tree *t = open_domain();

    (void)state;
    end(t);
    begin(t, "domain@2");
    required_settings(t, "two");
    close_domain(t);
    assert_int_equal(parse(t), MANIFEST_E_NODE_ORDER);
}

static void manifest_parse_repeated_key_is_refused(void **state)
{
    struct tree *t = open_domain();

    (void)state;
    put_u32(t, "vcpus", 1);
    put_u32(t, "vcpus", 2);
    close_domain(t);
    assert_int_equal(parse(t), MANIFEST_E_KEY_REPEATED);
}

static void manifest_parse_missing_key_is_refused(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    root(t);
    begin(t, "domains");
    begin(t, "domain@0");
    put_text(t, "name", "one");
    close_domain(t);
    assert_int_equal(parse(t), MANIFEST_E_KEY_MISSING);
}

/* One more property for a good domain, and the rule that it breaks. */
static const struct bad_property {
    const char *key;
    const char *bytes;
    int len;
    enum manifest_rule rule;
} bad_properties[] = {
    {"colour", "red", 4, MANIFEST_E_KEY_UNKNOWN},
    {"from", "\0\0\0\0\0\0\0\0", 8, MANIFEST_E_KEY_UNKNOWN},
    {"vcpus", "\0\0\0", 3, MANIFEST_E_VALUE_TYPE},
    {"vcpus", "", 0, MANIFEST_E_VALUE_TYPE},
    {"vcpus", "\0\0\0\0", 4, MANIFEST_E_VALUE_RANGE},
    {"vcpus", "\0\0\0\041", 4, MANIFEST_E_VALUE_RANGE},
    {"weight", "\0\1\0\0", 4, MANIFEST_E_VALUE_RANGE},
    {"domid", "\0\0\x7f\xf0", 4, MANIFEST_E_VALUE_RANGE},
    {"domid", "\xff\xff\xff\xff", 4, MANIFEST_E_VALUE_RANGE},
    {"cpus", "\0\0\0\0\0\0\0\0", 8, MANIFEST_E_VALUE_RANGE},
    {"cpus", "\0\0\0\1", 4, MANIFEST_E_VALUE_TYPE},
    {"console", "vga", 4, MANIFEST_E_VALUE_WORD},
    {"console", "hvc", 3, MANIFEST_E_VALUE_TYPE},
    {"console", "hvc\0hvc", 8, MANIFEST_E_VALUE_TYPE},
    {"roles", "hardware\0king", 14, MANIFEST_E_VALUE_WORD},
    {"roles", "hardware\0control", 16, MANIFEST_E_VALUE_TYPE},
    {"monitors", "\0\0\0\040", 4, MANIFEST_E_VALUE_RANGE},
    {"monitors", "\0\0", 2, MANIFEST_E_VALUE_TYPE},
    {"ramdisk", "", 1, MANIFEST_E_TEXT_LENGTH},
    {"ramdisk", "a b", 4, MANIFEST_E_TEXT_CHARACTERS},
    {"ramdisk", ".hidden", 8, MANIFEST_E_TEXT_CHARACTERS},
    {"cmdline", "a\033[2J", 6, MANIFEST_E_TEXT_CHARACTERS},
    {"cmdline", "unterminated", 12, MANIFEST_E_VALUE_TYPE},
    {"max-send-size", "\2\0\0\1", 4, MANIFEST_E_VALUE_RANGE},
    {"max-rings", "\0\0\x10\1", 4, MANIFEST_E_VALUE_RANGE},
};

static void manifest_parse_bad_property_names_its_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad_properties); i++) {
        const struct bad_property *p = &bad_properties[i];
        struct tree *t = open_domain();

        put(t, p->key, p->bytes, p->len);
        close_domain(t);
        assert_int_equal(parse(t), p->rule);
    }
}

static void manifest_parse_memory_out_of_bounds_is_refused(void **state)
{
    static const struct {
        uint64_t memory;
        enum manifest_rule rule;
    } cases[] = {
        {0, MANIFEST_E_VALUE_RANGE},
        {(1u << 20) - 4096, MANIFEST_E_VALUE_RANGE},
        {1u << 20, MANIFEST_OK},
        {(1u << 20) + 1024, MANIFEST_E_MEMORY_ALIGN},
        {1ull << 40, MANIFEST_OK},
        {(1ull << 40) + 4096, MANIFEST_E_VALUE_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tree *t = tree_new();

        root(t);
        begin(t, "domains");
        begin(t, "domain@0");
        put_text(t, "name", "one");
        put_text(t, "kernel", "k");
        put_u64(t, "memory", cases[i].memory);
        close_domain(t);
        assert_int_equal(parse(t), cases[i].rule);
    }
}

static void manifest_parse_longest_texts_fit_one_more_does_not(void **state)
{
    char text[MANIFEST_CMDLINE_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (int more = 0; more < 2; more++) {
        struct tree *t = open_domain();

        text[MANIFEST_CMDLINE_MAX - 1 + more] = '\0';
        put_text(t, "cmdline", text);
        text[MANIFEST_CMDLINE_MAX - 1 + more] = 'a';
        close_domain(t);
        assert_int_equal(parse(t),
                         more == 0 ? MANIFEST_OK : MANIFEST_E_TEXT_LENGTH);
    }
}

static void manifest_parse_error_names_place_and_value(void **state)
{
    struct tree *t = open_domain();
    struct manifest_error err;

    (void)state;
    put_u32(t, "vcpus", 99);
    close_domain(t);
    assert_int_equal(manifest_parse(t->bytes, ROOM, &m, &err), -RV_EINVAL);
    assert_string_equal(err.path, "/domains/domain@0");
    assert_string_equal(err.detail, "99");
    assert_int_equal(err.domain, 0);
    assert_int_equal(err.field, MANIFEST_F_VCPUS);
    assert_int_equal(err.offset,
                     fdt_path_offset(t->bytes, "/domains/domain@0"));
    free(t);
}

static void collect_line(void *ctx, const char *line)
{
    char *all = ctx;

    strcat(all, line);
    strcat(all, "\n");
}

static void manifest_error_print_shows_rule_place_and_fix(void **state)
{
    struct manifest_error err = {
        .rule = MANIFEST_E_VALUE_RANGE,
        .offset = 88,
        .field = MANIFEST_F_VCPUS,
        .path = "/domains/domain@0",
        .detail = "99",
    };
    char all[512] = "";

    (void)state;
    manifest_error_print(&err, collect_line, all);
    assert_string_equal(
        all, "error M014 /domains/domain@0 (offset 88) vcpus: the number is "
             "out of range: 99\n  fix: use a number inside the range\n");
}

static void manifest_parse_control_characters_are_not_shown(void **state)
{
    struct tree *t = open_domain();
    struct manifest_error err;

    (void)state;
    put_text(t, "console", "\033[2Jx");
    close_domain(t);
    assert_int_equal(manifest_parse(t->bytes, ROOM, &m, &err), -RV_EINVAL);
    assert_string_equal(err.detail, "?[2Jx");
    free(t);
}

static void manifest_assign_domids_skips_taken_ones_and_zero(void **state)
{
    (void)state;
    manifest_init(&m);
    m.domain_count = 4;
    for (uint32_t i = 0; i < 4; i++) {
        manifest_domain_init(&m.domain[i]);
    }
    m.domain[1].domid = 1;
    m.domain[3].domid = 3;
    manifest_assign_domids(&m);
    assert_int_equal(m.domain[0].domid, 2);
    assert_int_equal(m.domain[1].domid, 1);
    assert_int_equal(m.domain[2].domid, 4);
    assert_int_equal(m.domain[3].domid, 3);
}

static void manifest_rules_are_numbered_once_and_have_texts(void **state)
{
    const struct manifest_rule_info *rule;

    (void)state;
    for (size_t i = 0; (rule = manifest_rule_at(i)) != NULL; i++) {
        assert_ptr_equal(manifest_rule_lookup((enum manifest_rule)rule->number),
                         rule);
        assert_true(strlen(rule->text) > 10);
        assert_true(strlen(rule->fix) > 5);
    }
    assert_null(manifest_rule_lookup(MANIFEST_OK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_parse_minimal_gives_defaults),
        cmocka_unit_test(manifest_parse_all_settings_gives_values),
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
        cmocka_unit_test(manifest_parse_bad_property_names_its_rule),
        cmocka_unit_test(manifest_parse_memory_out_of_bounds_is_refused),
        cmocka_unit_test(manifest_parse_longest_texts_fit_one_more_does_not),
        cmocka_unit_test(manifest_parse_error_names_place_and_value),
        cmocka_unit_test(manifest_error_print_shows_rule_place_and_fix),
        cmocka_unit_test(manifest_parse_control_characters_are_not_shown),
        cmocka_unit_test(manifest_assign_domids_skips_taken_ones_and_zero),
        cmocka_unit_test(manifest_rules_are_numbered_once_and_have_texts),
    };

    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
