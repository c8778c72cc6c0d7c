/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What manifests mean: each rule of meaning is provoked by one change to a
 * good manifest, and the access matrix says what the roles and rules allow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ravelin/manifest.h"

#define DOMAINS 4u
#define FOUND_MAX 64

static struct manifest m;

/* Mistakes found by the last check. */
static struct manifest_error found[FOUND_MAX];
static unsigned int found_count;

static void on_mistake(void *ctx, const struct manifest_error *err)
{
    (void)ctx;
    if (found_count < FOUND_MAX) {
        found[found_count] = *err;
    }
    found_count++;
}

/* Four plain guests. */
static int good_manifest(void **state)
{
    (void)state;
    manifest_init(&m);
    m.domain_count = DOMAINS;
    for (uint32_t i = 0; i < DOMAINS; i++) {
        struct manifest_domain *d = &m.domain[i];

        manifest_domain_init(d);
        snprintf(d->name, sizeof(d->name), "d%u", i);
        snprintf(d->kernel, sizeof(d->kernel), "d%u.kernel", i);
        d->memory = 16u << 20;
    }
    manifest_assign_domids(&m);
    return 0;
}

static unsigned int check(void)
{
    found_count = 0;
    return manifest_check(&m, on_mistake, NULL);
}

/* Exactly this one mistake, of this severity, at this domain. */
static void assert_only(enum manifest_rule rule, int domain)
{
    bool is_error = manifest_rule_lookup(rule)->severity == MANIFEST_ERROR;

    assert_int_equal(check(), is_error ? 1 : 0);
    assert_int_equal(found_count, 1);
    assert_int_equal(found[0].rule, rule);
    assert_int_equal(found[0].domain, domain);
}

static void watch(uint32_t watcher, uint32_t target)
{
    m.domain[watcher].roles |= ROLE_MONITOR;
    m.domain[watcher].monitors |= 1u << target;
}

static void add_rule(uint32_t from, uint32_t from_port, uint32_t to,
                     uint32_t to_port, enum manifest_policy action)
{
    m.rule[m.rule_count++] = (struct manifest_rule_entry){
        .from = {from, from_port},
        .to = {to, to_port},
        .action = action,
    };
}

static void manifest_check_good_manifest_has_no_mistakes(void **state)
{
    (void)state;
    assert_int_equal(check(), 0);
    assert_int_equal(found_count, 0);
}

static void manifest_check_without_report_counts_the_same(void **state)
{
    (void)state;
    strcpy(m.domain[1].name, "d0");
    assert_int_equal(manifest_check(&m, NULL, NULL), 1);
}

static void manifest_check_same_name_is_refused(void **state)
{
    (void)state;
    strcpy(m.domain[2].name, "d0");
    assert_only(MANIFEST_E_NAME_TAKEN, 2);
    assert_string_equal(found[0].path, "/domains/domain@2");
}

static void manifest_check_reserved_name_is_refused(void **state)
{
    (void)state;
    strcpy(m.domain[2].name, "hypervisor");
    assert_only(MANIFEST_E_NAME_RESERVED, 2);
}

static void manifest_check_same_domid_is_refused(void **state)
{
    (void)state;
    m.domain[3].domid = m.domain[0].domid;
    assert_only(MANIFEST_E_DOMID_TAKEN, 3);
}

static void manifest_check_second_hardware_domain_is_refused(void **state)
{
    (void)state;
    m.domain[0].roles = ROLE_HARDWARE;
    assert_int_equal(check(), 0);
    m.domain[1].roles = ROLE_HARDWARE;
    assert_only(MANIFEST_E_HARDWARE_TAKEN, 1);
}

static void manifest_check_several_control_domains_are_fine(void **state)
{
    (void)state;
    m.domain[0].roles = m.domain[1].roles = ROLE_CONTROL;
    assert_int_equal(check(), 0);
    assert_int_equal(found_count, 0);
}

static void manifest_check_joined_roles_are_warned_of(void **state)
{
    (void)state;
    m.domain[0].roles = ROLE_HARDWARE | ROLE_CONTROL;
    assert_only(MANIFEST_E_ROLES_JOINED, 0);
}

static void manifest_check_monitor_of_nobody_is_refused(void **state)
{
    (void)state;
    m.domain[0].roles = ROLE_MONITOR;
    assert_only(MANIFEST_E_MONITOR_IDLE, 0);
}

static void manifest_check_targets_without_role_are_refused(void **state)
{
    (void)state;
    m.domain[0].monitors = 2;
    assert_only(MANIFEST_E_MONITOR_ROLE, 0);
}

static void manifest_check_monitor_of_itself_is_refused(void **state)
{
    (void)state;
    watch(1, 1);
    assert_only(MANIFEST_E_TARGET_SELF, 1);
}

static void manifest_check_monitor_of_unknown_is_refused(void **state)
{
    (void)state;
    watch(1, 31);
    assert_only(MANIFEST_E_TARGET_UNKNOWN, 1);
}

static void manifest_check_two_monitors_of_one_are_refused(void **state)
{
    (void)state;
    watch(0, 3);
    watch(1, 3);
    assert_only(MANIFEST_E_MONITOR_TAKEN, 1);
    assert_string_equal(found[0].detail, "d3");
}

static void manifest_check_circle_of_three_is_reported_once(void **state)
{
    (void)state;
    watch(1, 2);
    watch(2, 3);
    assert_int_equal(check(), 0);
    watch(3, 1);
    assert_only(MANIFEST_E_MONITOR_CYCLE, 1);
}

static void manifest_check_monitor_of_stronger_is_warned_of(void **state)
{
    (void)state;
    m.domain[2].roles = ROLE_CONTROL;
    watch(1, 2);
    assert_only(MANIFEST_E_MONITOR_RISES, 1);
    /* Who has the role already gains nothing. */
    m.domain[1].roles |= ROLE_CONTROL;
    assert_int_equal(check(), 0);
    assert_int_equal(found_count, 0);
}

static void manifest_check_serial_without_role_is_refused(void **state)
{
    (void)state;
    m.domain[1].console = MANIFEST_CONSOLE_SERIAL;
    assert_only(MANIFEST_E_SERIAL_ROLE, 1);
}

static void manifest_check_serial_beside_hypervisor_is_refused(void **state)
{
    (void)state;
    m.domain[1].console = MANIFEST_CONSOLE_SERIAL;
    m.domain[1].roles = ROLE_HARDWARE;
    assert_only(MANIFEST_E_SERIAL_SHARED, 1);
}

static void manifest_check_console_without_line_is_warned_of(void **state)
{
    (void)state;
    m.machine.console = MANIFEST_HV_CONSOLE_OFF;
    for (uint32_t i = 1; i < DOMAINS; i++) {
        m.domain[i].console = MANIFEST_CONSOLE_NONE;
    }
    assert_only(MANIFEST_E_CONSOLE_UNHEARD, 0);
    m.domain[0].console = MANIFEST_CONSOLE_SERIAL;
    m.domain[0].roles = ROLE_HARDWARE;
    assert_int_equal(check(), 0);
    assert_int_equal(found_count, 0);
}

static void manifest_check_paused_needs_a_running_control(void **state)
{
    (void)state;
    m.domain[1].start = MANIFEST_START_PAUSED;
    assert_only(MANIFEST_E_PAUSED_FOREVER, 1);
    m.domain[1].roles = ROLE_CONTROL; /* cannot wake itself */
    assert_only(MANIFEST_E_PAUSED_FOREVER, 1);
    m.domain[2].roles = ROLE_CONTROL;
    assert_int_equal(check(), 0);
}

static void manifest_check_two_paused_controls_never_run(void **state)
{
    (void)state;
    m.domain[1].roles = m.domain[2].roles = ROLE_CONTROL;
    m.domain[1].start = m.domain[2].start = MANIFEST_START_PAUSED;
    assert_int_equal(check(), 2);
    assert_int_equal(found[0].rule, MANIFEST_E_PAUSED_FOREVER);
    assert_int_equal(found[1].rule, MANIFEST_E_PAUSED_FOREVER);
}

static void manifest_check_module_names_are_checked(void **state)
{
    (void)state;
    strcpy(m.domain[0].ramdisk, m.domain[0].kernel);
    assert_only(MANIFEST_E_MODULE_CLASH, 0);
    strcpy(m.domain[0].ramdisk, "manifest");
    assert_only(MANIFEST_E_MODULE_RESERVED, 0);
    m.domain[0].ramdisk[0] = '\0';
    strcpy(m.domain[0].kernel, "manifest");
    assert_only(MANIFEST_E_MODULE_RESERVED, 0);
}

/* Domain 0 as a PC. */
static void firmware_manifest(void)
{
    good_manifest(NULL);
    m.domain[0].kernel[0] = '\0';
    strcpy(m.domain[0].firmware, "rom");
    strcpy(m.domain[0].disk, "disk");
    m.domain[0].console = MANIFEST_CONSOLE_SCREEN;
}

static void manifest_check_disk_of_two_domains_is_refused(void **state)
{
    (void)state;
    firmware_manifest();
    m.domain[1].kernel[0] = '\0';
    strcpy(m.domain[1].firmware, "rom");
    m.domain[1].console = MANIFEST_CONSOLE_SCREEN;
    assert_int_equal(check(), 0);
    /* Whatever the other one uses it for. */
    strcpy(m.domain[1].disk, "disk");
    assert_only(MANIFEST_E_DISK_SHARED, 1);
    m.domain[1].disk[0] = '\0';
    strcpy(m.domain[1].cdrom, "disk");
    m.domain[1].boot = MANIFEST_BOOT_CDROM;
    assert_only(MANIFEST_E_DISK_SHARED, 0);
}

static void manifest_check_firmware_and_kernel_exclude_each_other(void **state)
{
    (void)state;
    firmware_manifest();
    strcpy(m.domain[0].kernel, "kernel");
    assert_only(MANIFEST_E_FIRMWARE_AND_KERNEL, 0);
    good_manifest(NULL);
    m.domain[0].kernel[0] = '\0';
    assert_only(MANIFEST_E_NOTHING_TO_RUN, 0);
    good_manifest(NULL);
    m.domain[0].emulate = MANIFEST_EMULATE_REAL;
    assert_only(MANIFEST_E_FIRMWARE_ONLY, 0);
}

static void manifest_check_firmware_without_its_devices_is_refused(void **state)
{
    (void)state;
    firmware_manifest();
    m.domain[0].without = MANIFEST_DEV_SCREEN;
    assert_only(MANIFEST_E_CONSOLE_DEVICE, 0);
    firmware_manifest();
    m.domain[0].without = MANIFEST_DEV_PCI | MANIFEST_DEV_PM_TIMER;
    assert_only(MANIFEST_E_DEVICE_NEEDED, 0);
    firmware_manifest();
    m.domain[0].boot = MANIFEST_BOOT_CDROM;
    assert_only(MANIFEST_E_BOOT_MISSING, 0);
    firmware_manifest();
    m.domain[0].console = MANIFEST_CONSOLE_XEN;
    assert_only(MANIFEST_E_FIRMWARE_CONSOLE, 0);
}

static void manifest_check_devices_that_need_absent_ones_are_told(void **state)
{
    (void)state;
    firmware_manifest();
    m.domain[0].disk[0] = '\0';
    m.domain[0].without = MANIFEST_DEV_PCI;
    assert_only(MANIFEST_E_POWER_NEEDS_PCI, 0);
    assert_int_equal(found[0].field, MANIFEST_F_WITHOUT);
    m.domain[0].without |= MANIFEST_DEV_PM_TIMER;
    assert_int_equal(check() + found_count, 0);
    m.domain[0].without = MANIFEST_DEV_PIC;
    assert_int_equal(check() + found_count, 0);
    m.domain[0].without = MANIFEST_DEV_IOAPIC;
    assert_int_equal(check() + found_count, 0);
    m.domain[0].without |= MANIFEST_DEV_PIC;
    assert_only(MANIFEST_E_NO_INTERRUPTS, 0);
}

static void manifest_check_values_out_of_range_are_refused(void **state)
{
    (void)state;
    m.domain[0].vcpus = 33;
    assert_only(MANIFEST_E_VALUE_RANGE, 0);
    assert_int_equal(found[0].field, MANIFEST_F_VCPUS);
    good_manifest(NULL);
    m.domain[0].memory += 1024;
    assert_only(MANIFEST_E_MEMORY_ALIGN, 0);
    good_manifest(NULL);
    m.domain[0].cpus = 0;
    assert_only(MANIFEST_E_VALUE_RANGE, 0);
    good_manifest(NULL);
    m.domain[0].weight = 0;
    assert_only(MANIFEST_E_VALUE_RANGE, 0);
}

static void manifest_check_bad_texts_are_refused(void **state)
{
    (void)state;
    m.domain[0].name[0] = '\0';
    assert_only(MANIFEST_E_TEXT_LENGTH, 0);
    strcpy(m.domain[0].name, "a/b");
    assert_only(MANIFEST_E_TEXT_CHARACTERS, 0);
    memset(m.domain[0].cmdline, 'a', sizeof(m.domain[0].cmdline));
    strcpy(m.domain[0].name, "d0");
    assert_only(MANIFEST_E_TEXT_LENGTH, 0);
}

static void manifest_check_rule_of_unknown_domain_is_refused(void **state)
{
    (void)state;
    add_rule(DOMAINS, 0, 0, 0, MANIFEST_ACCEPT);
    assert_only(MANIFEST_E_RULE_UNKNOWN_DOMAIN, MANIFEST_NOWHERE);
    assert_int_equal(found[0].item, 0);
    assert_int_equal(found[0].field, MANIFEST_F_FROM);
    assert_string_equal(found[0].path, "/v4v/rule@0");
}

static void manifest_check_covered_rule_is_warned_of(void **state)
{
    (void)state;
    add_rule(1, 0, MANIFEST_ANY_DOMAIN, 80, MANIFEST_ACCEPT);
    add_rule(1, 0, 2, 81, MANIFEST_DENY);
    assert_int_equal(check(), 0);
    assert_int_equal(found_count, 0);
    add_rule(1, 5, 2, 80, MANIFEST_DENY);
    assert_only(MANIFEST_E_RULE_UNREACHABLE, MANIFEST_NOWHERE);
    assert_int_equal(found[0].item, 2);
    assert_string_equal(found[0].detail, "rule 1");
}

static void manifest_check_rule_to_ringless_is_warned_of(void **state)
{
    (void)state;
    m.domain[2].max_rings = 0;
    add_rule(1, 0, 2, 0, MANIFEST_ACCEPT);
    assert_only(MANIFEST_E_RULE_NO_RINGS, MANIFEST_NOWHERE);
}

static void manifest_check_garbage_is_survived(void **state)
{
    uint32_t x = 12345;
    unsigned char *bytes = (unsigned char *)&m;

    (void)state;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof(m); i++) {
            x = x * 1664525u + 1013904223u;
            bytes[i] = (unsigned char)(x >> 24);
        }
        m.domain_count = 1 + round % MANIFEST_DOMAINS_MAX;
        m.rule_count = (uint32_t)round % (MANIFEST_RULES_MAX + 1);
        for (uint32_t i = 0; i < MANIFEST_DOMAINS_MAX; i++) {
            m.domain[i].name[MANIFEST_NAME_MAX - 1] = '\0';
            m.domain[i].kernel[MANIFEST_MODULE_MAX - 1] = '\0';
            m.domain[i].ramdisk[MANIFEST_MODULE_MAX - 1] = '\0';
            m.domain[i].cmdline[MANIFEST_CMDLINE_MAX - 1] = '\0';
        }
        assert_true(check() > 0);
    }
}

static void access_rights_follow_the_roles(void **state)
{
    (void)state;
    assert_int_equal(access_rights(0, false, false), 0);
    assert_int_equal(access_rights(0, false, true), 0);
    assert_int_equal(access_rights(ROLE_MASK, true, true), ACCESS_SELF);
    assert_int_equal(access_rights(ROLE_CONTROL, false, true), ACCESS_CONTROL);
    assert_int_equal(access_rights(ROLE_MONITOR, false, false), 0);
    assert_int_equal(access_rights(ROLE_MONITOR, false, true), ACCESS_MONITOR);
    assert_int_equal(access_rights(ROLE_HARDWARE, false, false), 0);
    assert_int_equal(access_machine_rights(0), 0);
    assert_int_equal(access_machine_rights(ROLE_HARDWARE), ACCESS_HARDWARE);
    assert_int_equal(access_machine_rights(ROLE_CONTROL), ACCESS_FIREWALL);
}

static void access_matrix_messages_follow_the_first_match(void **state)
{
    (void)state;
    assert_int_equal(access_matrix_rights(&m, 0, 1), ACCESS_MESSAGE);
    m.machine.v4v_default = MANIFEST_DENY;
    assert_int_equal(access_matrix_rights(&m, 0, 1), 0);
    add_rule(0, 0, 1, 80, MANIFEST_ACCEPT);
    assert_int_equal(access_matrix_rights(&m, 0, 1), ACCESS_MESSAGE_SOME);
    assert_int_equal(access_matrix_rights(&m, 1, 0), 0);
    add_rule(MANIFEST_ANY_DOMAIN, 0, 1, 0, MANIFEST_ACCEPT);
    assert_int_equal(access_matrix_rights(&m, 0, 1), ACCESS_MESSAGE);
    add_rule(0, 0, 1, 0, MANIFEST_DENY); /* never reached */
    assert_int_equal(access_matrix_rights(&m, 0, 1), ACCESS_MESSAGE);
    m.domain[1].max_rings = 0;
    assert_int_equal(access_matrix_rights(&m, 0, 1), 0);
}

static void access_matrix_deny_of_a_port_leaves_the_others(void **state)
{
    (void)state;
    add_rule(0, 0, 1, 80, MANIFEST_DENY);
    assert_int_equal(access_matrix_rights(&m, 0, 1), ACCESS_MESSAGE_SOME);
    assert_int_equal(access_matrix_rights(&m, 2, 1), ACCESS_MESSAGE);
}

/* Four blocks of 33 lines, a title and the legend. */
#define PRINTED_MAX 160

struct printed {
    size_t lines;
    size_t widest;
    char text[PRINTED_MAX][160];
};

static void on_line(void *ctx, const char *line)
{
    struct printed *p = ctx;

    assert_null(strchr(line, '\n'));
    assert_true(p->lines < PRINTED_MAX);
    snprintf(p->text[p->lines++], sizeof(p->text[0]), "%s", line);
    if (strlen(line) > p->widest) {
        p->widest = strlen(line);
    }
}

static void access_matrix_print_shows_every_right(void **state)
{
    static struct printed p;

    (void)state;
    m.domain[0].roles = ROLE_HARDWARE;
    m.domain[1].roles = ROLE_CONTROL;
    watch(2, 3);
    access_matrix_print(&m, on_line, &p);
    assert_string_equal(p.text[1], "domid name            1     2     3     "
                                   "4     machine");
    assert_string_equal(p.text[2], "1     d0              sM    M     M     "
                                   "M     H");
    assert_string_equal(p.text[3], "2     d1              CM    sM    CM    "
                                   "CM    F");
    assert_string_equal(p.text[4], "3     d2              M     M     sM    "
                                   "WM    -");
}

static void access_matrix_print_32_domains_stays_in_79_columns(void **state)
{
    static struct printed p;

    (void)state;
    m.domain_count = MANIFEST_DOMAINS_MAX;
    for (uint32_t i = 0; i < m.domain_count; i++) {
        manifest_domain_init(&m.domain[i]);
        memset(m.domain[i].name, 'n', MANIFEST_NAME_MAX - 1);
        m.domain[i].domid = 30000 + i;
    }
    access_matrix_print(&m, on_line, &p);
    assert_true(p.widest <= 79);
    assert_int_equal(p.lines, 1 + 4 * 33 + 7);
}

#define CASE(name) cmocka_unit_test_setup(name, good_manifest)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(manifest_check_good_manifest_has_no_mistakes),
        CASE(manifest_check_without_report_counts_the_same),
        CASE(manifest_check_same_name_is_refused),
        CASE(manifest_check_reserved_name_is_refused),
        CASE(manifest_check_same_domid_is_refused),
        CASE(manifest_check_second_hardware_domain_is_refused),
        CASE(manifest_check_several_control_domains_are_fine),
        CASE(manifest_check_joined_roles_are_warned_of),
        CASE(manifest_check_monitor_of_nobody_is_refused),
        CASE(manifest_check_targets_without_role_are_refused),
        CASE(manifest_check_monitor_of_itself_is_refused),
        CASE(manifest_check_monitor_of_unknown_is_refused),
        CASE(manifest_check_two_monitors_of_one_are_refused),
        CASE(manifest_check_circle_of_three_is_reported_once),
        CASE(manifest_check_monitor_of_stronger_is_warned_of),
        CASE(manifest_check_serial_without_role_is_refused),
        CASE(manifest_check_serial_beside_hypervisor_is_refused),
        CASE(manifest_check_console_without_line_is_warned_of),
        CASE(manifest_check_paused_needs_a_running_control),
        CASE(manifest_check_two_paused_controls_never_run),
        CASE(manifest_check_module_names_are_checked),
        CASE(manifest_check_disk_of_two_domains_is_refused),
        CASE(manifest_check_firmware_and_kernel_exclude_each_other),
        CASE(manifest_check_firmware_without_its_devices_is_refused),
        CASE(manifest_check_devices_that_need_absent_ones_are_told),
        CASE(manifest_check_values_out_of_range_are_refused),
        CASE(manifest_check_bad_texts_are_refused),
        CASE(manifest_check_rule_of_unknown_domain_is_refused),
        CASE(manifest_check_covered_rule_is_warned_of),
        CASE(manifest_check_rule_to_ringless_is_warned_of),
        CASE(manifest_check_garbage_is_survived),
        CASE(access_rights_follow_the_roles),
        CASE(access_matrix_messages_follow_the_first_match),
        CASE(access_matrix_deny_of_a_port_leaves_the_others),
        CASE(access_matrix_print_shows_every_right),
        CASE(access_matrix_print_32_domains_stays_in_79_columns),
    };

    return cmocka_run_group_tests_name("manifest_check", tests, NULL, NULL);
}
