/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of a vCPU's first or restored state: one broken rule at a time.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "ravelin/hvm_context.h"

static struct vcpu_state state_64(void)
{
    struct vcpu_state s;

    vcpu_state_init(&s);
    s.rip = 0x100000;
    s.creg[CREG_CR0] = 0x80000011;
    s.creg[CREG_CR3] = 0x1000;
    s.creg[CREG_CR4] = 0x20;
    s.creg[CREG_EFER] = 0x500;
    s.seg[SEG_CS] = (struct vcpu_segment){.attr = 0xa9b, .limit = UINT32_MAX};
    s.seg[SEG_SS] = (struct vcpu_segment){.attr = 0xc93, .limit = UINT32_MAX};
    return s;
}

static struct vcpu_state state_32(void)
{
    struct vcpu_state s;

    vcpu_state_init(&s);
    s.rip = 0x100000;
    s.creg[CREG_CR0] = 0x11;
    s.seg[SEG_CS] = (struct vcpu_segment){.attr = 0xc9b, .limit = UINT32_MAX};
    s.seg[SEG_SS] = (struct vcpu_segment){.attr = 0xc93, .limit = UINT32_MAX};
    return s;
}

static int check(const struct vcpu_state *s)
{
    return vcpu_state_check(hc_domain[HC_PLAIN], s);
}

static void state_check_reset_and_flat_states_are_valid(void **state)
{
    struct vcpu_state s;

    (void)state;
    vcpu_state_init(&s);
    assert_int_equal(check(&s), 0);
    s = state_64();
    assert_int_equal(check(&s), 0);
    s.seg[SEG_SS].attr = 0; /* a null stack segment is fine in 64-bit code */
    assert_int_equal(check(&s), 0);
    s = state_32();
    assert_int_equal(check(&s), 0);
}

#define REFUSED(make, change)                    \
    do {                                         \
        struct vcpu_state s = make();            \
        change;                                  \
        assert_int_equal(check(&s), -RV_EINVAL); \
    } while (0)

static void state_check_bad_control_registers_are_refused(void **state)
{
    (void)state;
    REFUSED(state_64, s.creg[CREG_CR0] |= 1ULL << 32);
    REFUSED(state_64, s.creg[CREG_CR0] |= 1u << 6);
    REFUSED(state_64, s.creg[CREG_CR0] &= ~1ULL);
    REFUSED(state_64, s.creg[CREG_CR0] |= 1u << 29);
    REFUSED(state_64, s.creg[CREG_CR4] |= 1u << 31);
    REFUSED(state_64, s.creg[CREG_CR4] &= ~0x20ULL);
    REFUSED(state_64, s.creg[CREG_CR3] = 1ULL << 52);
    REFUSED(state_64, s.creg[CREG_EFER] |= 1ULL << 63);
    REFUSED(state_64, s.creg[CREG_EFER] &= ~0x400ULL);
    REFUSED(state_32, s.creg[CREG_EFER] = 0x400);
    REFUSED(state_32, s.creg[CREG_CR4] = 1u << 17);
}

static void state_check_bad_segments_are_refused(void **state)
{
    (void)state;
    REFUSED(state_64, s.seg[SEG_CS].attr = 0xe9b); /* L and D */
    REFUSED(state_64, s.seg[SEG_CS].attr = 0xa1b); /* not present */
    REFUSED(state_64, s.seg[SEG_CS].attr = 0xa8b); /* system */
    REFUSED(state_64, s.seg[SEG_CS].attr = 0xa93); /* data */
    REFUSED(state_64, s.seg[SEG_CS].attr |= 0x1000);
    REFUSED(state_32, s.seg[SEG_SS].attr = 0);
    REFUSED(state_32, s.seg[SEG_SS].attr = 0xc91); /* read-only */
    REFUSED(state_32, s.seg[SEG_SS].attr = 0xcf3); /* another privilege */
    REFUSED(state_32, s.seg[SEG_SS].attr = 0xc9b); /* code */
    REFUSED(state_32, s.seg[SEG_SS].limit = 0xffffe);
    REFUSED(state_32, s.seg[SEG_SS].limit = 0x12345678);
    REFUSED(state_32,
            s.seg[SEG_DS] =
                ((struct vcpu_segment){.attr = 0x493, .limit = 0x100000}));
    REFUSED(state_64, s.seg[SEG_FS].base = 1ULL << 63);
    REFUSED(state_64, s.seg[SEG_GDTR].base = 1ULL << 63);
    REFUSED(state_64, s.seg[SEG_IDTR].limit = 0x10000);
    REFUSED(state_64, s.seg[SEG_TR].attr = 0);
    REFUSED(state_64, s.seg[SEG_TR].attr = 0x89); /* available, not busy */
    REFUSED(state_64, s.seg[SEG_TR].attr = 0x83); /* 16-bit in long mode */
    REFUSED(state_64, s.seg[SEG_LDTR].attr = 0x92);
    REFUSED(state_64, s.seg[SEG_LDTR].attr = 0x8b);
}

static void state_check_bad_flow_and_msrs_are_refused(void **state)
{
    (void)state;
    REFUSED(state_64, s.rip = 1ULL << 47);
    REFUSED(state_32, s.rip = 1ULL << 32);
    REFUSED(state_64, s.rflags |= 1ULL << 32);
    REFUSED(state_64, s.rflags |= 1u << 3);
    REFUSED(state_32, s.rflags |= 1u << 17);
    REFUSED(state_64, s.creg[CREG_LSTAR] = 1ULL << 63);
    REFUSED(state_64, s.creg[CREG_CSTAR] = 1ULL << 63);
    REFUSED(state_64, s.creg[CREG_KERNEL_GS_BASE] = 1ULL << 63);
    REFUSED(state_64, s.creg[CREG_SYSENTER_EIP] = 1ULL << 63);
    REFUSED(state_64, s.creg[CREG_SYSENTER_ESP] = 1ULL << 63);
    REFUSED(state_64, s.creg[CREG_SFMASK] = 1ULL << 32);
    REFUSED(state_64, s.creg[CREG_TSC_AUX] = 1ULL << 32);
    REFUSED(state_64, s.creg[CREG_DR7] = 1ULL << 32);
    REFUSED(state_64, s.creg[CREG_DR6] = 1ULL << 32);
    REFUSED(state_64, s.creg[CREG_XCR0] = 0);
    REFUSED(state_64, s.creg[CREG_XCR0] = 1ULL << 62 | 1);
}

static void state_load_then_read_is_the_same(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 1);
    struct vcpu_state s = state_64();
    struct vcpu_state back;

    (void)state;
    for (unsigned i = 0; i < REG_COUNT; i++) {
        s.gpr[i] = 0x100 + i;
    }
    s.creg[CREG_DR3] = 0x1234;
    s.seg[SEG_GS].base = 0xffff888000000000u;
    vcpu_state_load(v, &s);
    memset(&back, 0, sizeof(back));
    vcpu_state_read(v, &back);
    assert_memory_equal(back.gpr, s.gpr, sizeof(s.gpr));
    assert_memory_equal(back.creg, s.creg, sizeof(s.creg));
    assert_int_equal(back.seg[SEG_GS].base, s.seg[SEG_GS].base);
    assert_int_equal(back.seg[SEG_CS].attr, s.seg[SEG_CS].attr);
    assert_int_equal(back.rip, s.rip);
}

static void state_record_round_trip_keeps_all_fields(void **state)
{
    struct vcpu_state s = state_64();
    struct hvm_hw_cpu rec;
    struct vcpu_state back;

    (void)state;
    for (unsigned i = 0; i < REG_COUNT; i++) {
        s.gpr[i] = 0x1000 + i;
    }
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        s.seg[i].base = 0x10000u * i;
        s.seg[i].limit = 0x100 + i;
        s.seg[i].selector = i < SEG_GDTR ? (uint16_t)(8 * i) : 0;
        s.seg[i].attr = i < SEG_GDTR ? (uint16_t)(0x80 + i) : 0;
    }
    s.creg[CREG_STAR] = 0x77;
    s.creg[CREG_CR2] = 0x88;
    vcpu_state_to_record(&s, &rec);
    assert_int_equal(rec.tr_sel, 8 * SEG_TR);
    assert_int_equal(rec.gdtr_limit, 0x100 + SEG_GDTR);
    vcpu_state_from_record(&back, &rec);
    assert_memory_equal(back.gpr, s.gpr, sizeof(s.gpr));
    assert_memory_equal(back.creg, s.creg, sizeof(s.creg));
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        assert_int_equal(back.seg[i].base, s.seg[i].base);
        assert_int_equal(back.seg[i].limit, s.seg[i].limit);
        assert_int_equal(back.seg[i].selector, s.seg[i].selector);
        assert_int_equal(back.seg[i].attr, s.seg[i].attr);
    }
}

static void state_from_context_32bit_has_its_segments(void **state)
{
    struct vcpu_hvm_context c = {.mode = VCPU_HVM_MODE_32B};
    struct vcpu_hvm_x86_32 *r = &c.cpu_regs.x86_32;
    struct vcpu_state s;

    (void)state;
    r->eip = 0x2000;
    r->eflags = 2;
    r->cr0 = 0x11;
    r->cs_limit = r->ss_limit = r->ds_limit = r->es_limit = UINT32_MAX;
    r->cs_ar = 0xc9b;
    r->ss_ar = r->ds_ar = r->es_ar = 0xc93;
    r->tr_limit = 0x67;
    r->tr_ar = 0x8b;
    assert_int_equal(vcpu_state_from_context(&s, &c), 0);
    assert_int_equal(check(&s), 0);
    assert_int_equal(s.seg[SEG_CS].attr, 0xc9b);
    assert_int_equal(s.rip, 0x2000);
    r->pad1 = 1;
    assert_int_equal(vcpu_state_from_context(&s, &c), -RV_EINVAL);
    r->pad1 = 0;
    r->pad2[2] = 1;
    assert_int_equal(vcpu_state_from_context(&s, &c), -RV_EINVAL);
}

static void state_from_context_64bit_needs_long_mode(void **state)
{
    struct vcpu_hvm_context c = {.mode = VCPU_HVM_MODE_64B};
    struct vcpu_state s;

    (void)state;
    assert_int_equal(vcpu_state_from_context(&s, &c), -RV_EINVAL);
    c.cpu_regs.x86_64.efer = 0x500;
    assert_int_equal(vcpu_state_from_context(&s, &c), 0);
    assert_int_equal(check(&s), -RV_EINVAL); /* long mode without paging */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_check_reset_and_flat_states_are_valid),
        cmocka_unit_test(state_check_bad_control_registers_are_refused),
        cmocka_unit_test(state_check_bad_segments_are_refused),
        cmocka_unit_test(state_check_bad_flow_and_msrs_are_refused),
        cmocka_unit_test(state_load_then_read_is_the_same),
        cmocka_unit_test(state_record_round_trip_keeps_all_fields),
        cmocka_unit_test(state_from_context_32bit_has_its_segments),
        cmocka_unit_test(state_from_context_64bit_needs_long_mode),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
