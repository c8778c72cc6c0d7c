/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blob parser and the values in a blob: what good ones become, which rule
 * each bad one breaks, and how that is told.
 */
#include "manifest_tree.h"

#include <stdlib.h>
#include <string.h>

static void manifest_parse_minimal_gives_defaults(void **state)
{
    struct tree *t = tree_open_domain();

    (void)state;
    tree_close_domain(t);
    assert_int_equal(tree_parse(t), MANIFEST_OK);
    assert_int_equal(tree_manifest.domain_count, 1);
    assert_int_equal(tree_manifest.rule_count, 0);
    assert_string_equal(tree_manifest.domain[0].name, "one");
    assert_string_equal(tree_manifest.domain[0].kernel, "x.kernel");
    assert_string_equal(tree_manifest.domain[0].ramdisk, "");
    assert_int_equal(tree_manifest.domain[0].memory, 16u << 20);
    assert_int_equal(tree_manifest.domain[0].vcpus, 1);
    assert_int_equal(tree_manifest.domain[0].weight, 256);
    assert_int_equal(tree_manifest.domain[0].roles, 0);
    assert_int_equal(tree_manifest.domain[0].console, MANIFEST_CONSOLE_HVC);
    assert_int_equal(tree_manifest.domain[0].abi, MANIFEST_ABI_V4V);
    assert_int_equal(tree_manifest.domain[0].max_rings, 0x80);
    assert_int_equal(tree_manifest.domain[0].max_sendv, 0x80);
    assert_int_equal(tree_manifest.domain[0].max_notify, 0x100);
    assert_int_equal(tree_manifest.domain[0].max_send_size, 0x2000000);
    assert_true(tree_manifest.domain[0].cpus == UINT64_MAX);
    assert_int_equal(tree_manifest.machine.v4v_default, MANIFEST_ACCEPT);
}

static void all_domain_settings(struct tree *t)
{
    static const char roles[] = "hardware\0monitor";
    fdt32_t targets[] = {cpu_to_fdt32(1), cpu_to_fdt32(3)};

    tree_required_settings(t, "one");
    tree_put_u32(t, "domid", 7);
    tree_put(t, "roles", roles, sizeof(roles));
    tree_put(t, "monitors", targets, sizeof(targets));
    tree_put_text(t, "ramdisk", "x.ramdisk");
    tree_put_text(t, "cmdline", "console=hvc0 quiet");
    tree_put_u32(t, "vcpus", 4);
    tree_put_u32(t, "weight", 65535);
    tree_put_u64(t, "cpus", 0x5);
    tree_put_text(t, "console", "serial");
    tree_put_text(t, "start", "paused");
    tree_put_text(t, "on-crash", "preserve");
    tree_put_text(t, "message-abi", "argo");
    tree_put_u32(t, "max-rings", 0);
}

static struct tree *all_settings(void)
{
    fdt32_t from[] = {cpu_to_fdt32(MANIFEST_ANY_DOMAIN), cpu_to_fdt32(0)};
    fdt32_t to[] = {cpu_to_fdt32(0), cpu_to_fdt32(4000)};
    struct tree *t = tree_new();

    tree_root(t);
    tree_begin(t, "machine");
    tree_put_text(t, "on-last-domain-end", "stay");
    tree_put_text(t, "console", "mux");
    tree_end(t);
    tree_begin(t, "domains");
    tree_begin(t, "domain@0");
    all_domain_settings(t);
    tree_end(t);
    tree_end(t);
    tree_begin(t, "v4v");
    tree_put_text(t, "default", "deny");
    tree_begin(t, "rule@0");
    tree_put(t, "from", from, sizeof(from));
    tree_put(t, "to", to, sizeof(to));
    tree_put_text(t, "action", "accept");
    tree_end(t);
    tree_end(t);
    tree_end(t);
    tree_finish(t);
    return t;
}

static void manifest_parse_all_settings_gives_values(void **state)
{
    (void)state;
    assert_int_equal(tree_parse(all_settings()), MANIFEST_OK);
    assert_int_equal(tree_manifest.machine.on_last_domain_end,
                     MANIFEST_LAST_STAY);
    assert_int_equal(tree_manifest.machine.console, MANIFEST_HV_CONSOLE_MUX);
    assert_int_equal(tree_manifest.machine.v4v_default, MANIFEST_DENY);
    assert_int_equal(tree_manifest.domain[0].domid, 7);
    assert_int_equal(tree_manifest.domain[0].roles,
                     ROLE_HARDWARE | ROLE_MONITOR);
    assert_int_equal(tree_manifest.domain[0].monitors, 1u << 1 | 1u << 3);
    assert_string_equal(tree_manifest.domain[0].ramdisk, "x.ramdisk");
    assert_string_equal(tree_manifest.domain[0].cmdline, "console=hvc0 quiet");
    assert_int_equal(tree_manifest.domain[0].vcpus, 4);
    assert_int_equal(tree_manifest.domain[0].weight, 65535);
    assert_int_equal(tree_manifest.domain[0].cpus, 5);
    assert_int_equal(tree_manifest.domain[0].console, MANIFEST_CONSOLE_SERIAL);
    assert_int_equal(tree_manifest.domain[0].start, MANIFEST_START_PAUSED);
    assert_int_equal(tree_manifest.domain[0].on_crash, MANIFEST_CRASH_PRESERVE);
    assert_int_equal(tree_manifest.domain[0].abi, MANIFEST_ABI_ARGO);
    assert_int_equal(tree_manifest.domain[0].max_rings, 0);
    assert_int_equal(tree_manifest.rule_count, 1);
    assert_int_equal(tree_manifest.rule[0].from.domain, MANIFEST_ANY_DOMAIN);
    assert_int_equal(tree_manifest.rule[0].to.port, 4000);
    assert_int_equal(tree_manifest.rule[0].action, MANIFEST_ACCEPT);
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
        struct tree *t = tree_open_domain();

        tree_put(t, p->key, p->bytes, p->len);
        tree_close_domain(t);
        assert_int_equal(tree_parse(t), p->rule);
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

        tree_root(t);
        tree_begin(t, "domains");
        tree_begin(t, "domain@0");
        tree_put_text(t, "name", "one");
        tree_put_text(t, "kernel", "k");
        tree_put_u64(t, "memory", cases[i].memory);
        tree_close_domain(t);
        assert_int_equal(tree_parse(t), cases[i].rule);
    }
}

static void manifest_parse_longest_texts_fit_one_more_does_not(void **state)
{
    char text[MANIFEST_CMDLINE_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (int more = 0; more < 2; more++) {
        struct tree *t = tree_open_domain();

        text[MANIFEST_CMDLINE_MAX - 1 + more] = '\0';
        tree_put_text(t, "cmdline", text);
        text[MANIFEST_CMDLINE_MAX - 1 + more] = 'a';
        tree_close_domain(t);
        assert_int_equal(tree_parse(t),
                         more == 0 ? MANIFEST_OK : MANIFEST_E_TEXT_LENGTH);
    }
}

static void manifest_parse_error_names_place_and_value(void **state)
{
    struct tree *t = tree_open_domain();
    struct manifest_error err;

    (void)state;
    tree_put_u32(t, "vcpus", 99);
    tree_close_domain(t);
    assert_int_equal(manifest_parse(t->bytes, TREE_ROOM, &tree_manifest, &err),
                     -RV_EINVAL);
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
    struct tree *t = tree_open_domain();
    struct manifest_error err;

    (void)state;
    tree_put_text(t, "console", "\033[2Jx");
    tree_close_domain(t);
    assert_int_equal(manifest_parse(t->bytes, TREE_ROOM, &tree_manifest, &err),
                     -RV_EINVAL);
    assert_string_equal(err.detail, "?[2Jx");
    free(t);
}

static void manifest_assign_domids_skips_taken_ones_and_zero(void **state)
{
    (void)state;
    manifest_init(&tree_manifest);
    tree_manifest.domain_count = 4;
    for (uint32_t i = 0; i < 4; i++) {
        manifest_domain_init(&tree_manifest.domain[i]);
    }
    tree_manifest.domain[1].domid = 1;
    tree_manifest.domain[3].domid = 3;
    manifest_assign_domids(&tree_manifest);
    assert_int_equal(tree_manifest.domain[0].domid, 2);
    assert_int_equal(tree_manifest.domain[1].domid, 1);
    assert_int_equal(tree_manifest.domain[2].domid, 4);
    assert_int_equal(tree_manifest.domain[3].domid, 3);
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
        cmocka_unit_test(manifest_parse_bad_property_names_its_rule),
        cmocka_unit_test(manifest_parse_memory_out_of_bounds_is_refused),
        cmocka_unit_test(manifest_parse_longest_texts_fit_one_more_does_not),
        cmocka_unit_test(manifest_parse_error_names_place_and_value),
        cmocka_unit_test(manifest_error_print_shows_rule_place_and_fix),
        cmocka_unit_test(manifest_parse_control_characters_are_not_shown),
        cmocka_unit_test(manifest_assign_domids_skips_taken_ones_and_zero),
        cmocka_unit_test(manifest_rules_are_numbered_once_and_have_texts),
    };

    return cmocka_run_group_tests_name("manifest_values", tests, NULL, NULL);
}
