/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every rule of VM entry, one at a time: a sound state of a 64-bit guest, the
 * smallest change that breaks the rule, and the rule must be named. A rule
 * without a row fails the test, so no rule stands untried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "explain_fixture.h"

#define CHANGES_MAX 4
#define NON_CANONICAL 0x0000800000000000UL

#define SEL(seg) XF_SEGMENT(SEG_##seg, EXPLAIN_SELECTOR)
#define ATTR(seg) XF_SEGMENT(SEG_##seg, EXPLAIN_ATTR)
#define LIMIT(seg) XF_SEGMENT(SEG_##seg, EXPLAIN_LIMIT)
#define BASE(seg) XF_SEGMENT(SEG_##seg, EXPLAIN_BASE)

/* Control values of the sound state. */
#define PIN 0x29u                /* interrupts, NMIs, virtual NMIs */
#define CPU_CONTROLS 0x80200000u /* TPR shadow, secondary controls */
#define CPU2 0x22u               /* EPT, VPID */
#define ENTRY 0xc204u            /* debug, IA-32e, PAT, EFER */
#define EXIT_CONTROLS 0x8200u    /* 64-bit host, acknowledge */

struct change {
    unsigned field;
    uint64_t value;
};

static void host_sound(struct explain_snapshot *s)
{
    static const struct change host[] = {
        {XF_HOST_CR0, 0x80050033},
        {XF_HOST_CR3, 0x1000},
        {XF_HOST_CR4, 0x26f0},
        {XF_HOST_RIP, 0xffffffff80200000},
        {XF_HOST_RSP, 0xffffffff80300000},
        {XF_HOST_ES, 0},
        {XF_HOST_CS, 8},
        {XF_HOST_SS, 16},
        {XF_HOST_DS, 0},
        {XF_HOST_FS, 0},
        {XF_HOST_GS, 0},
        {XF_HOST_TR, 0x40},
        {XF_HOST_FS_BASE, 0},
        {XF_HOST_GS_BASE, 0xffffffff80400000},
        {XF_HOST_TR_BASE, 0xffffffff80500000},
        {XF_HOST_GDTR_BASE, 0xffffffff80600000},
        {XF_HOST_IDTR_BASE, 0xffffffff80700000},
        {XF_HOST_SYSENTER_ESP, 0},
        {XF_HOST_SYSENTER_EIP, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(host); i++) {
        explain_value_set(s, host[i].field, host[i].value);
    }
}

static void guest_sound(struct explain_snapshot *s)
{
    static const struct change guest[] = {
        {XF_CR0, 0x80010031},
        {XF_CR3, 0x1000},
        {XF_CR4, 0x2020},
        {XF_EFER, 0xd01},
        {XF_PAT, 0x0007040600070406},
        {XF_DR7, 0x400},
        {XF_RIP, 0x100000},
        {XF_RFLAGS, 0x202},
        {XF_SYSENTER_ESP, 0},
        {XF_SYSENTER_EIP, 0},
        {XF_DEBUGCTL, 0},
        {XF_PENDING_DEBUG, 0},
        {XF_INTERRUPTIBILITY, 0},
        {XF_ACTIVITY, 0},
        {XF_PDPTE0, 0},
        {XF_PDPTE1, 0},
        {XF_PDPTE2, 0},
        {XF_PDPTE3, 0},
        {XF_PIN, PIN},
        {XF_CPU, CPU_CONTROLS},
        {XF_CPU2, CPU2},
        {XF_ENTRY, ENTRY},
        {XF_EXIT, EXIT_CONTROLS},
        {XF_ENTRY_INFO, 0},
        {XF_ENTRY_ERROR, 0},
        {XF_ENTRY_LENGTH, 0},
        {XF_TPR_THRESHOLD, 0},
        {XF_EPTP, 0x201e},
        {XF_VPID, 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(guest); i++) {
        explain_value_set(s, guest[i].field, guest[i].value);
    }
    explain_segment_set(s, SEG_CS, 8, 0xa09b, 0xffffffff, 0);
    for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++) {
        if (seg != SEG_CS) {
            explain_segment_set(s, seg, 16, 0xc093, 0xffffffff, 0);
        }
    }
    explain_segment_set(s, SEG_LDTR, 0x20, 0x82, 0xffff, 0x2000);
    explain_segment_set(s, SEG_TR, 0x28, 0x8b, 0x67, 0x3000);
    explain_segment_set(s, SEG_GDTR, 0, 0, 0xff, 0x4000);
    explain_segment_set(s, SEG_IDTR, 0, 0, 0xfff, 0x5000);
}

static void sound(struct explain_snapshot *s)
{
    explain_snapshot_init(s, &explain_vmx);
    host_sound(s);
    guest_sound(s);
}

/* Rule, and what breaks it. The list ends at the first field 0 (XF_NONE). */
struct row {
    const char *id;
    struct change change[CHANGES_MAX];
};

#define EVENT(type, vector) (0x80000000u | (type) << 8 | (vector))
#define UNRESTRICTED         \
    {                        \
        XF_CPU2, CPU2 | 0x80 \
    }
#define VM86                      \
    {XF_RFLAGS, 0x23202},         \
    {                             \
        XF_ENTRY, ENTRY & ~0x200u \
    }

/* clang-format off */
static const struct row rows[] = {
    {"VMX-CTL-VIRTUAL-NMI", {{XF_PIN, 0x21}}},
    {"VMX-CTL-NMI-WINDOW", {{XF_PIN, 0x9}, {XF_CPU, CPU_CONTROLS | 1u << 22}}},
    {"VMX-CTL-TPR-SHADOW", {{XF_CPU, 0x80000000}, {XF_CPU2, CPU2 | 0x100}}},
    {"VMX-CTL-TPR-THRESHOLD", {{XF_TPR_THRESHOLD, 0x10}}},
    {"VMX-CTL-X2APIC", {{XF_CPU2, CPU2 | 0x11}}},
    {"VMX-CTL-DELIVERY", {{XF_CPU2, CPU2 | 0x200}, {XF_PIN, 0x28}}},
    {"VMX-CTL-POSTED", {{XF_PIN, PIN | 0x80}}},
    {"VMX-CTL-POSTED", {{XF_PIN, PIN | 0x80}, {XF_CPU2, CPU2 | 0x200},
                        {XF_EXIT, 0x200}}},
    {"VMX-CTL-VPID", {{XF_VPID, 0}}},
    {"VMX-CTL-EPTP", {{XF_EPTP, 0x201f}}},
    {"VMX-CTL-EPTP", {{XF_EPTP, 0x2016}}},
    {"VMX-CTL-EPTP", {{XF_EPTP, 0x211e}}},
    {"VMX-CTL-NEEDS-EPT", {{XF_CPU2, 0x80}}},
    {"VMX-CTL-NEEDS-EPT", {{XF_CPU2, 0x20000}}},
    {"VMX-CTL-SMM", {{XF_ENTRY, ENTRY | 0x400}}},
    {"VMX-CTL-SMM", {{XF_ENTRY, ENTRY | 0x800}}},
    {"VMX-EVENT-TYPE", {{XF_ENTRY_INFO, EVENT(1u, 32u)}}},
    {"VMX-EVENT-VECTOR", {{XF_ENTRY_INFO, EVENT(2u, 3u)}}},
    {"VMX-EVENT-VECTOR", {{XF_ENTRY_INFO, EVENT(3u, 32u)}}},
    {"VMX-EVENT-VECTOR", {{XF_ENTRY_INFO, EVENT(7u, 1u)}}},
    {"VMX-EVENT-ERROR-FLAG", {{XF_ENTRY_INFO, EVENT(3u, 13u)}}},
    {"VMX-EVENT-ERROR-FLAG", {{XF_ENTRY_INFO, EVENT(3u, 6u) | 0x800}}},
    {"VMX-EVENT-ERROR-FLAG", {{XF_ENTRY_INFO, EVENT(3u, 13u) | 0x800},
                              UNRESTRICTED, {XF_CR0, 0x30}}},
    {"VMX-EVENT-RESERVED", {{XF_ENTRY_INFO, EVENT(0u, 32u) | 0x1000}}},
    {"VMX-EVENT-ERROR", {{XF_ENTRY_INFO, EVENT(3u, 13u) | 0x800},
                         {XF_ENTRY_ERROR, 0x10000}}},
    {"VMX-EVENT-LENGTH", {{XF_ENTRY_INFO, EVENT(4u, 3u)},
                          {XF_ENTRY_LENGTH, 16}}},
    {"VMX-EVENT-LENGTH", {{XF_ENTRY_INFO, EVENT(6u, 3u)},
                          {XF_ENTRY_LENGTH, 16}}},

    {"VMX-HOST-CR0", {{XF_HOST_CR0, 0x80050013}}},
    {"VMX-HOST-CR4", {{XF_HOST_CR4, 0x6f0}}},
    {"VMX-HOST-CR3", {{XF_HOST_CR3, 1UL << 52}}},
    {"VMX-HOST-SYSENTER-ESP", {{XF_HOST_SYSENTER_ESP, NON_CANONICAL}}},
    {"VMX-HOST-SYSENTER-EIP", {{XF_HOST_SYSENTER_EIP, NON_CANONICAL}}},
    {"VMX-HOST-CS", {{XF_HOST_CS, 9}}},
    {"VMX-HOST-SS", {{XF_HOST_SS, 20}}},
    {"VMX-HOST-DS", {{XF_HOST_DS, 1}}},
    {"VMX-HOST-ES", {{XF_HOST_ES, 2}}},
    {"VMX-HOST-FS", {{XF_HOST_FS, 3}}},
    {"VMX-HOST-GS", {{XF_HOST_GS, 4}}},
    {"VMX-HOST-TR", {{XF_HOST_TR, 0x44}}},
    {"VMX-HOST-CS-NULL", {{XF_HOST_CS, 0}}},
    {"VMX-HOST-TR-NULL", {{XF_HOST_TR, 0}}},
    {"VMX-HOST-SS-NULL", {{XF_HOST_SS, 0}, {XF_EXIT, 0x8000}}},
    {"VMX-HOST-FS-BASE", {{XF_HOST_FS_BASE, NON_CANONICAL}}},
    {"VMX-HOST-GS-BASE", {{XF_HOST_GS_BASE, NON_CANONICAL}}},
    {"VMX-HOST-TR-BASE", {{XF_HOST_TR_BASE, NON_CANONICAL}}},
    {"VMX-HOST-GDTR-BASE", {{XF_HOST_GDTR_BASE, NON_CANONICAL}}},
    {"VMX-HOST-IDTR-BASE", {{XF_HOST_IDTR_BASE, NON_CANONICAL}}},
    {"VMX-HOST-PAE", {{XF_HOST_CR4, 0x26d0}}},
    {"VMX-HOST-RIP", {{XF_HOST_RIP, NON_CANONICAL}}},
    {"VMX-HOST-RIP-HIGH", {{XF_EXIT, 0x8000}}},
    {"VMX-HOST-IA32E", {{XF_EXIT, 0x8000}}},

    {"VMX-CR0-FIXED", {{XF_CR0, 0x10031}}},
    {"VMX-CR0-NE", {{XF_CR0, 0x80010011}}},
    {"VMX-CR0-HIGH", {{XF_CR0, 0x180010031}}},
    {"VMX-CR0-PG-PE", {{XF_CR0, 0x80010030}}},
    {"VMX-CR4-VMXE", {{XF_CR4, 0x20}}},
    {"VMX-CR4-HIGH", {{XF_CR4, 1UL << 33 | 0x2020}}},
    {"VMX-CR4-CET-WP", {{XF_CR4, 0x802020}, {XF_CR0, 0x80000031}}},
    {"VMX-CR3-MBZ", {{XF_CR3, 1UL << 63}}},
    {"VMX-IA32E-PG", {{XF_CR0, 0x10031}}},
    {"VMX-IA32E-PAE", {{XF_CR4, 0x2000}}},
    {"VMX-IA32E-PCIDE", {{XF_CR4, 0x22020}, {XF_ENTRY, ENTRY & ~0x200u}}},
    {"VMX-DEBUGCTL", {{XF_DEBUGCTL, 8}}},
    {"VMX-DR7-HIGH", {{XF_DR7, 1UL << 32}}},
    {"VMX-SYSENTER-ESP", {{XF_SYSENTER_ESP, NON_CANONICAL}}},
    {"VMX-SYSENTER-EIP", {{XF_SYSENTER_EIP, NON_CANONICAL}}},
    {"VMX-PAT", {{XF_PAT, 2}}},
    {"VMX-EFER-RESERVED", {{XF_EFER, 0x1d01}}},
    {"VMX-EFER-LMA", {{XF_EFER, 0x901}}},
    {"VMX-EFER-LMA", {{XF_EFER, 0xc01}}},
    {"VMX-RIP-HIGH", {{XF_RIP, 1UL << 32}, {ATTR(CS), 0xc09b}}},
    {"VMX-RIP-CANONICAL", {{XF_RIP, NON_CANONICAL}}},
    {"VMX-RFLAGS-RESERVED", {{XF_RFLAGS, 0x20a}}},
    {"VMX-RFLAGS-ONE", {{XF_RFLAGS, 0x200}}},
    {"VMX-RFLAGS-VM", {{XF_RFLAGS, 0x20202}}},
    {"VMX-RFLAGS-IF", {{XF_RFLAGS, 2}, {XF_ENTRY_INFO, EVENT(0u, 32u)}}},

    {"VMX-V86-BASE", {VM86, {BASE(DS), 0x1000}}},
    {"VMX-V86-LIMIT", {VM86, {LIMIT(DS), 0xfffff}}},
    {"VMX-V86-ATTR", {VM86, {ATTR(DS), 0x93}}},
    {"VMX-SEG-TR-TI", {{SEL(TR), 0x2c}}},
    {"VMX-SEG-LDTR-TI", {{SEL(LDTR), 0x24}}},
    {"VMX-SEG-SS-RPL", {{SEL(SS), 0x13}}},
    {"VMX-SEG-BASE-CANONICAL", {{BASE(FS), NON_CANONICAL}}},
    {"VMX-SEG-LDTR-CANONICAL", {{BASE(LDTR), NON_CANONICAL}}},
    {"VMX-SEG-CS-BASE", {{BASE(CS), 1UL << 32}}},
    {"VMX-SEG-DATA-BASE", {{BASE(ES), 1UL << 32}}},
    {"VMX-SEG-CS-TYPE", {{ATTR(CS), 0xa09a}}},
    {"VMX-SEG-CS-TYPE", {{ATTR(CS), 0xc093}}},
    {"VMX-SEG-SS-TYPE", {{ATTR(SS), 0xc091}}},
    {"VMX-SEG-DATA-TYPE", {{ATTR(DS), 0xc092}}},
    {"VMX-SEG-DATA-TYPE", {{ATTR(FS), 0xc099}}},
    {"VMX-SEG-S", {{ATTR(GS), 0xc083}}},
    {"VMX-SEG-CS-DPL", {{ATTR(CS), 0xa0fb}}},
    {"VMX-SEG-SS-DPL", {{SEL(SS), 0x11}}},
    {"VMX-SEG-DATA-DPL", {{SEL(ES), 0x13}}},
    {"VMX-SEG-P", {{ATTR(DS), 0xc013}}},
    {"VMX-SEG-RESERVED", {{ATTR(DS), 0xc193}}},
    {"VMX-SEG-CS-DB", {{ATTR(CS), 0xe09b}}},
    {"VMX-SEG-G", {{LIMIT(DS), 0xffff0000}}},
    {"VMX-SEG-G", {{ATTR(DS), 0x4093}}},
    {"VMX-SEG-TR-TYPE", {{ATTR(TR), 0x89}}},
    {"VMX-SEG-TR-TYPE", {{ATTR(TR), 0x83}}},
    {"VMX-SEG-TR-S", {{ATTR(TR), 0x9b}}},
    {"VMX-SEG-TR-P", {{ATTR(TR), 0x0b}}},
    {"VMX-SEG-TR-RESERVED", {{ATTR(TR), 0x1008b}}},
    {"VMX-SEG-SYSTEM-G", {{ATTR(TR), 0x808b}}},
    {"VMX-SEG-LDTR-TYPE", {{ATTR(LDTR), 0x80}}},
    {"VMX-SEG-LDTR-S", {{ATTR(LDTR), 0x92}}},
    {"VMX-SEG-LDTR-P", {{ATTR(LDTR), 0x02}}},
    {"VMX-TABLE-BASE", {{BASE(IDTR), NON_CANONICAL}}},
    {"VMX-TABLE-LIMIT", {{LIMIT(GDTR), 0x10000}}},

    {"VMX-ACTIVITY", {{XF_ACTIVITY, 4}}},
    {"VMX-ACTIVITY-HLT", {{XF_ACTIVITY, 1}, {ATTR(SS), 0xc0f3}}},
    {"VMX-ACTIVITY-BLOCKED", {{XF_ACTIVITY, 1}, {XF_INTERRUPTIBILITY, 2}}},
    {"VMX-BLOCK-RESERVED", {{XF_INTERRUPTIBILITY, 0x20}}},
    {"VMX-BLOCK-TWICE", {{XF_INTERRUPTIBILITY, 3}}},
    {"VMX-BLOCK-STI", {{XF_INTERRUPTIBILITY, 1}, {XF_RFLAGS, 2}}},
    {"VMX-BLOCK-INTERRUPT", {{XF_INTERRUPTIBILITY, 2},
                             {XF_ENTRY_INFO, EVENT(0u, 32u)}}},
    {"VMX-BLOCK-NMI", {{XF_INTERRUPTIBILITY, 2},
                       {XF_ENTRY_INFO, EVENT(2u, 2u)}}},
    {"VMX-BLOCK-VIRTUAL-NMI", {{XF_INTERRUPTIBILITY, 8},
                               {XF_ENTRY_INFO, EVENT(2u, 2u)}}},
    {"VMX-PENDING-RESERVED", {{XF_PENDING_DEBUG, 0x10}}},
    {"VMX-PENDING-STEP", {{XF_INTERRUPTIBILITY, 2}, {XF_RFLAGS, 0x302}}},
    {"VMX-PENDING-STEP", {{XF_ACTIVITY, 1}, {XF_PENDING_DEBUG, 0x4000}}},
    {"VMX-PDPTE", {{XF_ENTRY, ENTRY & ~0x200u}, {XF_PDPTE2, 3}}},
};
/* clang-format on */

static void changes_apply(struct explain_snapshot *s, const struct row *r)
{
    for (unsigned i = 0; i < CHANGES_MAX && r->change[i].field; i++) {
        explain_value_set(s, r->change[i].field, r->change[i].value);
    }
}

static void finding_print(void *ctx, const struct explain_finding *f)
{
    (void)ctx;
    print_error("broken: %s\n", f->rule->id);
}

static void check_sound_state_breaks_nothing(void **state)
{
    struct explain_snapshot s;

    (void)state;
    sound(&s);
    assert_int_equal(explain_check(&s, finding_print, NULL), 0);
}

static void check_each_change_breaks_its_rule(void **state)
{
    struct explain_snapshot s;
    unsigned missed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *want = rows[i].id;

        sound(&s);
        changes_apply(&s, &rows[i]);
        explain_check(&s, finding_find, &want);
        if (want) {
            print_error("row %zu: %s is not found\n", i, want);
            missed++;
        }
    }
    assert_int_equal(missed, 0);
}

static bool has_row(const char *id)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void rules_all_have_a_row_and_a_manual(void **state)
{
    unsigned without = 0;

    (void)state;
    for (unsigned t = 0; t < explain_vmx.table_count; t++) {
        const struct explain_table *table = explain_vmx.table[t];

        for (unsigned i = 0; i < table->count; i++) {
            assert_non_null(table->rule[i].manual);
            assert_non_null(table->rule[i].text);
            assert_non_null(table->rule[i].cause);
            if (!has_row(table->rule[i].id)) {
                print_error("no row for %s\n", table->rule[i].id);
                without++;
            }
        }
    }
    assert_int_equal(without, 0);
}

/* With unrestricted guest, real mode is a sound state. */
static void check_unrestricted_real_mode_is_sound(void **state)
{
    struct explain_snapshot s;

    (void)state;
    sound(&s);
    explain_value_set(&s, XF_CPU2, CPU2 | 0x80);
    explain_value_set(&s, XF_ENTRY, ENTRY & ~0x200u);
    explain_value_set(&s, XF_CR0, 0x30);
    explain_value_set(&s, XF_CR4, 0x2000);
    explain_value_set(&s, XF_EFER, 0);
    explain_value_set(&s, XF_RIP, 0xfff0);
    for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++) {
        explain_segment_set(&s, seg, 0, 0x93, 0xffff, 0);
    }
    explain_segment_set(&s, SEG_CS, 0xf000, 0x9b, 0xffff, 0xffff0000);
    assert_int_equal(explain_check(&s, finding_print, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_sound_state_breaks_nothing),
        cmocka_unit_test(check_each_change_breaks_its_rule),
        cmocka_unit_test(rules_all_have_a_row_and_a_manual),
        cmocka_unit_test(check_unrestricted_real_mode_is_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
