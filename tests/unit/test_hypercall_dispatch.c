/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way from registers to handlers: numbers, modes, permissions, the
 * hypercall page.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "hypercall_poison.h"
#include "public/memory.h"
#include "public/sched.h"
#include "public/version.h"

static long dispatch(struct vcpu *v, unsigned cpl, bool is_64bit)
{
    struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL,
        .insn_len = 3,
        .cpl = (uint8_t)cpl,
        .code_bits = is_64bit ? 64 : 32,
    };
    struct cpu *self = fake_this_cpu;

    self->current = v;
    v->cpu = self;
    hypercall_dispatch(v, &exit);
    self->current = NULL;
    return (long)v->regs.gpr[REG_RAX];
}

static void dispatch_unknown_number_returns_enosys(void **state)
{
    static const uint64_t numbers[] = {0,  1,   6,  11, 20,         27,
                                       38, 40,  47, 48, 63,         64,
                                       54, 255, 99, 37, UINT32_MAX, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        uint64_t rip = hc_vcpu(HC_PLAIN, 0)->regs.rip;

        assert_int_equal(hc_call(HC_PLAIN, false, numbers[i], 0, 0, 0),
                         -RV_ENOSYS);
        assert_int_equal(hc_vcpu(HC_PLAIN, 0)->regs.rip, rip + 3);
    }
}

static void dispatch_unknown_operation_returns_enosys(void **state)
{
    static const uint64_t calls[] = {12, 17, 18, 24, 29, 32, 34, 55};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        assert_int_equal(hc_call(HC_PLAIN, false, calls[i], 63, 0, 0),
                         -RV_ENOSYS);
        if (calls[i] != 12) {
            assert_int_equal(
                hc_call(HC_PLAIN, false, calls[i], UINT32_MAX, 0, 0),
                -RV_ENOSYS);
        }
    }
    /* Operations that Xen has and this ABI leaves out. */
    assert_int_equal(hc_call(HC_PLAIN, false, 32, 2, HC_ARG, 0), -RV_ENOSYS);
    assert_int_equal(hc_call(HC_PLAIN, false, 32, 11, HC_ARG, 0), -RV_ENOSYS);
    assert_int_equal(hc_call(HC_PLAIN, false, 20, 0, HC_ARG, 1), -RV_ENOSYS);
}

static void dispatch_user_mode_returns_eperm(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    (void)state;
    for (unsigned cpl = 1; cpl <= 3; cpl++) {
        v->regs.gpr[REG_RAX] = __HYPERVISOR_xen_version;
        v->regs.gpr[REG_RDI] = XENVER_version;
        assert_int_equal(dispatch(v, cpl, true), -RV_EPERM);
        assert_int_equal(v->regs.gpr[REG_RDI], XENVER_version);
    }
}

static void dispatch_real_mode_returns_eperm(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    uint64_t cr0 = hv->creg_get(v, CREG_CR0);

    (void)state;
    hv->creg_set(v, CREG_CR0, 0x10);
    v->regs.gpr[REG_RAX] = __HYPERVISOR_xen_version;
    v->regs.gpr[REG_RBX] = XENVER_version;
    assert_int_equal((int32_t)dispatch(v, 0, false), -RV_EPERM);
    hv->creg_set(v, CREG_CR0, cr0);
    v->regs.gpr[REG_RAX] = __HYPERVISOR_xen_version;
    v->regs.gpr[REG_RBX] = XENVER_version;
    assert_int_equal(dispatch(v, 0, false), 4 << 16 | 17);
}

static void dispatch_32bit_caller_has_upper_halves_ignored(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    const uint64_t junk = 0xabcd000000000000u;

    (void)state;
    v->regs.gpr[REG_RAX] = junk | __HYPERVISOR_xen_version;
    v->regs.gpr[REG_RBX] = junk | XENVER_pagesize;
    v->regs.gpr[REG_RCX] = junk; /* argument 0 */
    assert_int_equal(dispatch(v, 0, false), 4096);
    /* An errno comes back in 32 bits too. */
    v->regs.gpr[REG_RAX] = junk | __HYPERVISOR_xen_version;
    v->regs.gpr[REG_RBX] = junk | XENVER_pagesize;
    v->regs.gpr[REG_RCX] = junk | 1;
    assert_int_equal(dispatch(v, 0, false), (uint32_t)-RV_EINVAL);
}

static void dispatch_64bit_caller_has_the_whole_number(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false,
                             1ULL << 32 | __HYPERVISOR_xen_version, 0, 0, 0),
                     -RV_ENOSYS);
}

static void dispatch_finished_call_poisons_its_arguments(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_xen_version,
                             XENVER_version, 7, 9),
                     4 << 16 | 17);
    assert_int_equal(v->regs.gpr[REG_RDI], HYPERCALL_POISON_64);
    assert_int_equal(v->regs.gpr[REG_RSI], HYPERCALL_POISON_64);
    assert_int_equal(v->regs.gpr[REG_RDX], 9);
    assert_int_equal(
        hc_call(HC_PLAIN, true, __HYPERVISOR_xen_version, XENVER_version, 7, 9),
        4 << 16 | 17);
    assert_int_equal(v->regs.gpr[REG_RBX], HYPERCALL_POISON_32);
    assert_int_equal(v->regs.gpr[REG_RCX], HYPERCALL_POISON_32);
    assert_int_equal(v->regs.gpr[REG_RDX], 9);
}

/* An operation for a role must not even look at its argument. */
static void dispatch_without_role_returns_eperm_before_the_argument(
    void **state)
{
    (void)state;
    assert_int_equal(
        hc_call(HC_PLAIN, false, __HYPERVISOR_domctl, HC_BAD, 0, 0), -RV_EPERM);
    assert_int_equal(
        hc_call(HC_HARDWARE, false, __HYPERVISOR_domctl, HC_BAD, 0, 0),
        -RV_EPERM);
    assert_int_equal(
        hc_call(HC_PLAIN, false, __HYPERVISOR_sysctl, HC_BAD, 0, 0), -RV_EPERM);
    assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_sched_op,
                             SCHEDOP_remote_shutdown, HC_BAD, 0),
                     -RV_EPERM);
    assert_int_equal(hc_call(HC_CONTROL, false, __HYPERVISOR_memory_op,
                             XENMEM_machine_memory_map, HC_BAD, 0),
                     -RV_EPERM);
    assert_int_equal(
        hc_call(HC_CONTROL, false, __HYPERVISOR_domctl, HC_BAD, 0, 0),
        -RV_EFAULT);
}

static void page_write_fills_128_stubs(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];
    uint8_t page[PAGE_SIZE];

    (void)state;
    assert_int_equal(hypercall_page_write(d, gfn(HC_FREE >> PAGE_SHIFT)), 0);
    hc_get(HC_PLAIN, HC_FREE, page, sizeof(page));
    for (uint32_t i = 0; i < 128; i++) {
        const uint8_t *stub = &page[i * 32];
        uint32_t number;

        if (i == 23) {
            assert_int_equal(stub[0], 0x0f);
            assert_int_equal(stub[1], 0x0b);
            continue;
        }
        memcpy(&number, &stub[1], sizeof(number));
        assert_int_equal(stub[0], 0xb8);
        assert_int_equal(number, i);
        assert_memory_equal(&stub[5], hv->hypercall_insn, 3);
        assert_int_equal(stub[8], 0xc3);
        assert_int_equal(stub[9], 0xcc);
    }
}

static void page_write_without_memory_returns_efault(void **state)
{
    (void)state;
    assert_int_equal(
        hypercall_page_write(hc_domain[HC_PLAIN], gfn(HC_HOLE >> PAGE_SHIFT)),
        -RV_EFAULT);
}

static unsigned lines;
static bool saw_control;

static void count_line(void *ctx, const char *text)
{
    (void)ctx;
    lines++;
    saw_control |= strstr(text, "destroydomain") != NULL &&
                   strstr(text, "control") != NULL;
    assert_true(strlen(text) < 80);
}

static void table_print_has_a_line_per_operation(void **state)
{
    (void)state;
    hypercall_table_print(count_line, NULL);
    assert_true(lines > 80);
    assert_true(saw_control);
    assert_string_equal(hypercall_name(12), "memory_op");
    assert_null(hypercall_name(13));
    assert_null(hypercall_name(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatch_unknown_number_returns_enosys),
        cmocka_unit_test(dispatch_unknown_operation_returns_enosys),
        cmocka_unit_test(dispatch_user_mode_returns_eperm),
        cmocka_unit_test(dispatch_real_mode_returns_eperm),
        cmocka_unit_test(dispatch_32bit_caller_has_upper_halves_ignored),
        cmocka_unit_test(dispatch_64bit_caller_has_the_whole_number),
        cmocka_unit_test(dispatch_finished_call_poisons_its_arguments),
        cmocka_unit_test(
            dispatch_without_role_returns_eperm_before_the_argument),
        cmocka_unit_test(page_write_fills_128_stubs),
        cmocka_unit_test(page_write_without_memory_returns_efault),
        cmocka_unit_test(table_print_has_a_line_per_operation),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
