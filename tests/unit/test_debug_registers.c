/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes of debug registers that exit: by which name, with which value, and
 * whose exception they give.
 */
#include "hypercall_fixture.h"

#include "ravelin/cr.h"
#include "ravelin/vmexit.h"

#define CR4_DE (1UL << 3)
#define DR7_RESET 0x400UL
#define INSN_LENGTH 3u
#define VECTOR_UD 6u
#define VECTOR_GP 13u

static int fresh(void **state)
{
    return hc_setup(state);
}

/* At a MOV to the debug register `dr` from RAX. */
static struct vcpu *about_to_write(unsigned dr, uint64_t value)
{
    uint8_t code[16] = {0x0f, 0x23, (uint8_t)(0xc0 | dr << 3)};
    const struct vcpu_segment cs = {8, 0xa9b, UINT32_MAX, 0};
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    hc_put(HC_PLAIN, HC_ARG, code, sizeof(code));
    hv->segment_set(v, SEG_CS, &cs);
    v->regs.rip = HC_ARG;
    v->regs.gpr[REG_RAX] = value;
    return v;
}

static void exit_with(struct vcpu *v, unsigned dr)
{
    struct vmexit exit = {.code_bits = 64};

    exit.u.dr.dr = (uint8_t)dr;
    exit.u.dr.write = true;
    dr_exit_handle(v, &exit);
}

static void assert_written(const struct vcpu *v)
{
    assert_int_equal(v->regs.rip, HC_ARG + INSN_LENGTH);
}

static void assert_refused(const struct vcpu *v, unsigned vector)
{
    assert_int_equal(v->regs.rip, HC_ARG);
    assert_true(v->pending.valid);
    assert_int_equal(v->pending.vector, vector);
}

static void dr_exit_dr7_keeps_the_fixed_bits(void **state)
{
    struct vcpu *v = about_to_write(7, 0xffffffff);

    (void)state;
    exit_with(v, 7);
    assert_written(v);
    assert_int_equal(hv->creg_get(v, CREG_DR7), 0xffff27ff);
}

static void dr_exit_dr7_with_an_upper_half_gives_gp(void **state)
{
    struct vcpu *v = about_to_write(7, 1UL << 32);

    (void)state;
    exit_with(v, 7);
    assert_refused(v, VECTOR_GP);
    assert_int_equal(hv->creg_get(v, CREG_DR7), DR7_RESET);
}

static void dr_exit_dr5_is_dr7_by_another_name(void **state)
{
    struct vcpu *v = about_to_write(5, 0x402);

    (void)state;
    exit_with(v, 5);
    assert_written(v);
    assert_int_equal(hv->creg_get(v, CREG_DR7), 0x402);
}

static void dr_exit_dr5_with_debug_extensions_gives_ud(void **state)
{
    struct vcpu *v = about_to_write(5, 0x402);

    (void)state;
    hv->creg_set(v, CREG_CR4, hv->creg_get(v, CREG_CR4) | CR4_DE);
    exit_with(v, 5);
    assert_refused(v, VECTOR_UD);
    assert_int_equal(hv->creg_get(v, CREG_DR7), DR7_RESET);
}

static void dr_exit_address_reaches_its_register(void **state)
{
    (void)state;
    for (unsigned dr = 0; dr < 4; dr++) {
        struct vcpu *v = about_to_write(dr, 0xffff800000001000UL + dr);

        exit_with(v, dr);
        assert_written(v);
        assert_int_equal(hv->creg_get(v, (enum vcpu_creg)(CREG_DR0 + dr)),
                         0xffff800000001000UL + dr);
    }
}

static void dr_exit_of_rewritten_code_changes_nothing(void **state)
{
    struct vcpu *v = about_to_write(7, 0x402);
    const uint8_t nop[16] = {0x90, 0x90, 0x90};

    (void)state;
    hc_put(HC_PLAIN, HC_ARG, nop, sizeof(nop));
    exit_with(v, 7);
    assert_int_equal(v->regs.rip, HC_ARG);
    assert_int_equal(hv->creg_get(v, CREG_DR7), DR7_RESET);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, hc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(dr_exit_dr7_keeps_the_fixed_bits),
        CASE(dr_exit_dr7_with_an_upper_half_gives_gp),
        CASE(dr_exit_dr5_is_dr7_by_another_name),
        CASE(dr_exit_dr5_with_debug_extensions_gives_ud),
        CASE(dr_exit_address_reaches_its_register),
        CASE(dr_exit_of_rewritten_code_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
