/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC: register rules in both modes, priorities, IPIs,
 * INIT and SIPI, errors, timer; and the IO-APIC and MMIO dispatch beside it.
 */
#include "platform_fixture.h"

#include "arch/backend.h"
#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/mmio.h"
#include "ravelin/msr_policy.h"
#include "ravelin/sched.h"
#include "ravelin/serial_irq.h"
#include "ravelin/vioapic.h"
#include "ravelin/vlapic.h"

#define ID 0x020u
#define VERSION 0x030u
#define TPR 0x080u
#define PPR 0x0a0u
#define EOI 0x0b0u
#define LDR 0x0d0u
#define DFR 0x0e0u
#define SVR 0x0f0u
#define ISR 0x100u
#define TMR 0x180u
#define IRR 0x200u
#define ESR 0x280u
#define ICR 0x300u
#define ICR2 0x310u
#define LVT_TIMER 0x320u
#define LVT_LINT0 0x350u
#define LVT_ERROR 0x370u
#define TMICT 0x380u
#define TMCCT 0x390u
#define TDCR 0x3e0u

#define ESR_SEND_ILLEGAL 0x20u
#define ESR_RECV_ILLEGAL 0x40u
#define ESR_REGISTER 0x80u

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define BASE_EN 0x800u
#define BASE_X2 0x400u
#define X2(reg) (0x800u + (reg) / 16)

#define TO_SELF 0x40000u
#define TO_ALL 0x80000u
#define TO_OTHERS 0xc0000u
#define LOGICAL 0x800u
#define MODE(m) ((m) << 8)

#define VCPUS 4u

static struct domain *dom;
static struct vcpu *v0;
static struct vcpu *v1;
static struct vcpu *v2;
static struct vcpu *v3;

static void apic_on(struct vcpu *v)
{
    vlapic_mmio_write(v, SVR, 0x1ff);
}

static int group_setup(void **state)
{
    int rc = platform_setup(state);

    platform_cpuid_use(CPUID_VENDOR_AMD);
    return rc;
}

static int case_setup(void **state)
{
    (void)state;
    dom = platform_domain(VCPUS, ROLE_HARDWARE);
    v0 = dom->vcpu[0];
    v1 = dom->vcpu[1];
    v2 = dom->vcpu[2];
    v3 = dom->vcpu[3];
    for (unsigned i = 0; i < VCPUS; i++) {
        platform_vcpu_up(dom->vcpu[i]);
        apic_on(dom->vcpu[i]);
    }
    return 0;
}

static int case_teardown(void **state)
{
    (void)state;
    platform_domain_destroy(dom);
    return 0;
}

static void x2apic_on(struct vcpu *v)
{
    uint64_t base;

    assert_int_equal(vlapic_msr_read(v, MSR_APIC_BASE, &base), 0);
    assert_int_equal(vlapic_msr_write(v, MSR_APIC_BASE, base | BASE_X2), 0);
}

static uint64_t x2_read(struct vcpu *v, uint32_t msr)
{
    uint64_t value = 0;

    assert_int_equal(vlapic_msr_read(v, msr, &value), 0);
    return value;
}

static void x2_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    assert_int_equal(vlapic_msr_write(v, msr, value), 0);
}

static uint32_t esr_take(struct vcpu *v)
{
    vlapic_mmio_write(v, ESR, 0);
    return vlapic_mmio_read(v, ESR);
}

static void icr_send(struct vcpu *v, uint32_t dest, uint32_t low)
{
    vlapic_mmio_write(v, ICR2, dest << 24);
    vlapic_mmio_write(v, ICR, low);
}

static bool irr_has(struct vcpu *v, unsigned vector)
{
    return (vlapic_mmio_read(v, IRR + vector / 32 * 16) >> (vector % 32) &
            1u) != 0;
}

/* Which vCPUs have `vector` latched, as a bit mask; takes it off again. */
static unsigned receivers_take(unsigned vector)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < VCPUS; i++) {
        struct vcpu *v = dom->vcpu[i];

        if (vlapic_irq_pending(v) == (int)vector) {
            mask |= 1u << i;
            vlapic_irq_accept(v, (uint8_t)vector);
            vlapic_eoi(v);
        }
    }
    return mask;
}

/* ---- Registers ---- */

static void reset_registers_have_architectural_values(void **state)
{
    (void)state;
    vlapic_reset(v1);
    assert_int_equal(vlapic_mmio_read(v1, ID), 2u << 24);
    assert_int_equal(vlapic_mmio_read(v1, VERSION), 0x00050014);
    assert_int_equal(vlapic_mmio_read(v1, TPR), 0);
    assert_int_equal(vlapic_mmio_read(v1, LDR), 0);
    assert_int_equal(vlapic_mmio_read(v1, DFR), 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v1, SVR), 0xff);
    assert_int_equal(vlapic_mmio_read(v1, ESR), 0);
    assert_int_equal(vlapic_mmio_read(v1, ICR), 0);
    for (uint32_t reg = LVT_TIMER; reg <= LVT_ERROR; reg += 16) {
        assert_int_equal(vlapic_mmio_read(v1, reg), 0x10000);
    }
    assert_int_equal(vlapic_mmio_read(v1, TMICT), 0);
    assert_int_equal(vlapic_mmio_read(v1, TMCCT), 0);
    assert_int_equal(vlapic_mmio_read(v1, TDCR), 0);
    assert_false(vlapic_is_enabled(v1));
    assert_true(vlapic_is_present(v1));
}

static void apic_base_bsp_flag_is_set_on_first_vcpu_only(void **state)
{
    (void)state;
    assert_int_equal(x2_read(v0, MSR_APIC_BASE), 0xfee00900);
    assert_int_equal(x2_read(v1, MSR_APIC_BASE), 0xfee00800);
}

static void xapic_write_reserved_bits_are_ignored(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, TPR, 0xffffff35);
    assert_int_equal(vlapic_mmio_read(v0, TPR), 0x35);
    vlapic_mmio_write(v0, LDR, 0x12345678);
    assert_int_equal(vlapic_mmio_read(v0, LDR), 0x12000000);
    vlapic_mmio_write(v0, DFR, 0);
    assert_int_equal(vlapic_mmio_read(v0, DFR), 0x0fffffff);
    vlapic_mmio_write(v0, LVT_TIMER, 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v0, LVT_TIMER), 0x000700ff);
    vlapic_mmio_write(v0, LVT_LINT0, 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v0, LVT_LINT0), 0x0001a7ff);
    vlapic_mmio_write(v0, TDCR, 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v0, TDCR), 0xb);
    vlapic_mmio_write(v0, ICR2, 0x12345678);
    assert_int_equal(vlapic_mmio_read(v0, ICR2), 0x12000000);
    assert_int_equal(esr_take(v0), 0);
}

static void xapic_id_write_is_ignored(void **state)
{
    (void)state;
    vlapic_mmio_write(v1, ID, 0x77000000);
    assert_int_equal(vlapic_mmio_read(v1, ID), 2u << 24);
}

static void xapic_read_of_absent_register_sets_error(void **state)
{
    (void)state;
    assert_int_equal(vlapic_mmio_read(v0, 0x000), 0);
    assert_int_equal(esr_take(v0), ESR_REGISTER);
    assert_int_equal(vlapic_mmio_read(v0, 0x3f0), 0);
    assert_int_equal(esr_take(v0), ESR_REGISTER);
    assert_int_equal(vlapic_mmio_read(v0, 0xff0), 0);
    assert_int_equal(esr_take(v0), ESR_REGISTER);
}

static void xapic_write_of_absent_register_sets_error(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, 0x3f0, 0x55);
    assert_int_equal(esr_take(v0), ESR_REGISTER);
    vlapic_mmio_write(v0, VERSION, 0);
    assert_int_equal(esr_take(v0), ESR_REGISTER);
    assert_false(irr_has(v0, 0x55));
}

static void svr_disable_masks_all_lvts_until_enabled(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, LVT_ERROR, 0x40);
    vlapic_mmio_write(v0, SVR, 0xff);
    assert_int_equal(vlapic_mmio_read(v0, LVT_ERROR), 0x10040);
    vlapic_mmio_write(v0, LVT_ERROR, 0x41);
    assert_int_equal(vlapic_mmio_read(v0, LVT_ERROR), 0x10041);
    apic_on(v0);
    vlapic_mmio_write(v0, LVT_ERROR, 0x42);
    assert_int_equal(vlapic_mmio_read(v0, LVT_ERROR), 0x42);
}

/* ---- Modes ---- */

static void apic_base_write_legal_transitions_succeed(void **state)
{
    const uint64_t at = VLAPIC_MMIO_BASE;

    (void)state;
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, at | BASE_EN), 0);
    assert_int_equal(
        vlapic_msr_write(v1, MSR_APIC_BASE, at | BASE_EN | BASE_X2), 0);
    assert_false(vlapic_mmio_is_mapped(v1));
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, at), 0);
    assert_false(vlapic_is_present(v1));
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, at | BASE_EN), 0);
    assert_true(vlapic_mmio_is_mapped(v1));
    assert_false(vlapic_is_enabled(v1));
    assert_int_equal(vlapic_mmio_read(v1, SVR), 0xff);
}

static void apic_base_write_illegal_transitions_fault(void **state)
{
    const uint64_t at = VLAPIC_MMIO_BASE;

    (void)state;
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, at | BASE_X2),
                     -RV_EINVAL);
    x2apic_on(v1);
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, at | BASE_EN),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, at), 0);
    assert_int_equal(
        vlapic_msr_write(v1, MSR_APIC_BASE, at | BASE_EN | BASE_X2),
        -RV_EINVAL);
}

static void apic_base_write_reserved_or_moved_faults(void **state)
{
    (void)state;
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, 0xfed00800),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, 0xfee00801),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v1, MSR_APIC_BASE, 0xfee00900),
                     -RV_EINVAL);
    assert_int_equal(
        vlapic_msr_write(v1, MSR_APIC_BASE, 1UL << 52 | 0xfee00800),
        -RV_EINVAL);
    assert_int_equal(x2_read(v1, MSR_APIC_BASE), 0xfee00800);
}

static void x2apic_registers_have_wide_ids(void **state)
{
    (void)state;
    x2apic_on(v3);
    assert_int_equal(x2_read(v3, X2(ID)), 6);
    assert_int_equal(x2_read(v3, X2(LDR)), 1u << 6);
    assert_int_equal(vlapic_msr_write(v3, X2(LDR), 1), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v3, X2(ID), 6), -RV_EINVAL);
}

static void x2apic_write_reserved_bits_fault(void **state)
{
    (void)state;
    x2apic_on(v0);
    assert_int_equal(vlapic_msr_write(v0, X2(TPR), 0x100), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(TPR), 1UL << 32), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(EOI), 1), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(ESR), 1), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(SVR), 0x1000), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(LVT_TIMER), 0x100), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(LVT_TIMER), 0x4000), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(TDCR), 4), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, X2(ICR), 0x1000), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, 0x83f, 0x100), -RV_EINVAL);
}

static void x2apic_write_of_status_bits_is_ignored(void **state)
{
    (void)state;
    x2apic_on(v0);
    assert_int_equal(vlapic_msr_write(v0, X2(LVT_LINT0), 0x15700), 0);
    assert_int_equal(x2_read(v0, X2(LVT_LINT0)), 0x10700);
    assert_int_equal(vlapic_msr_write(v0, X2(LVT_TIMER), 0x11020), 0);
    assert_int_equal(x2_read(v0, X2(LVT_TIMER)), 0x10020);
}

static void x2apic_registers_only_of_xapic_fault(void **state)
{
    uint64_t value;

    (void)state;
    x2apic_on(v0);
    assert_int_equal(vlapic_msr_read(v0, X2(DFR), &value), -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, X2(ICR2), &value), -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, X2(EOI), &value), -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, 0x83f, &value), -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, X2(0x90), &value), -RV_EINVAL);
}

/* The class of XSA-108: indexes past the last register of the range. */
static void x2apic_range_beyond_registers_faults_in_all_modes(void **state)
{
    (void)state;
    for (unsigned x2 = 0; x2 < 2; x2++) {
        for (uint32_t msr = 0x840; msr <= 0xbff; msr++) {
            uint64_t value = 0x5a5a;

            assert_int_equal(vlapic_msr_read(v0, msr, &value), -RV_EINVAL);
            assert_int_equal(value, 0x5a5a);
            assert_int_equal(vlapic_msr_write(v0, msr, 0), -RV_EINVAL);
        }
        if (x2 == 0) {
            x2apic_on(v0);
        }
    }
}

static void x2apic_msrs_in_xapic_mode_fault(void **state)
{
    uint64_t value;

    (void)state;
    for (uint32_t msr = 0x800; msr < 0x840; msr++) {
        assert_int_equal(vlapic_msr_read(v0, msr, &value), -RV_EINVAL);
        assert_int_equal(vlapic_msr_write(v0, msr, 0), -RV_EINVAL);
    }
}

/* ---- Priorities ---- */

static void irq_set_is_delivered_highest_first(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x40, false);
    vlapic_irq_set(v0, 0xf1, false);
    vlapic_irq_set(v0, 0x81, false);
    assert_int_equal(vlapic_irq_pending(v0), 0xf1);
    vlapic_irq_accept(v0, 0xf1);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(vlapic_mmio_read(v0, PPR), 0xf0);
    vlapic_mmio_write(v0, EOI, 0);
    assert_int_equal(vlapic_irq_pending(v0), 0x81);
}

static void irq_nested_higher_class_preempts(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x41, false);
    vlapic_irq_accept(v0, 0x41);
    vlapic_irq_set(v0, 0x4f, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    vlapic_irq_set(v0, 0x50, false);
    assert_int_equal(vlapic_irq_pending(v0), 0x50);
    vlapic_irq_accept(v0, 0x50);
    assert_int_equal(vlapic_mmio_read(v0, ISR + 0x20), 1u << 1 | 1u << 16);
    vlapic_eoi(v0);
    assert_int_equal(vlapic_mmio_read(v0, ISR + 0x20), 1u << 1);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    vlapic_eoi(v0);
    assert_int_equal(vlapic_irq_pending(v0), 0x4f);
}

static void tpr_holds_back_its_class_and_below(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, TPR, 0x50);
    vlapic_irq_set(v0, 0x5f, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(vlapic_tpr_threshold(v0), 4);
    vlapic_irq_set(v0, 0x60, false);
    assert_int_equal(vlapic_irq_pending(v0), 0x60);
    assert_int_equal(vlapic_tpr_threshold(v0), -1);
    vlapic_irq_accept(v0, 0x60);
    vlapic_eoi(v0);
    vlapic_cr8_set(v0, 4);
    assert_int_equal(vlapic_irq_pending(v0), 0x5f);
    assert_int_equal(vlapic_tpr_threshold(v0), -1);
}

static void tpr_threshold_ignores_what_isr_blocks(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x70, false);
    vlapic_irq_accept(v0, 0x70);
    vlapic_cr8_set(v0, 9);
    vlapic_irq_set(v0, 0x71, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(vlapic_tpr_threshold(v0), -1);
}

static void cr8_is_high_nibble_of_tpr(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, TPR, 0x5a);
    assert_int_equal(vlapic_cr8_get(v0), 5);
    assert_int_equal(vlapic_mmio_read(v0, PPR), 0x5a);
    vlapic_cr8_set(v0, 7);
    assert_int_equal(vlapic_mmio_read(v0, TPR), 0x70);
}

static void eoi_without_service_does_nothing(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x33, false);
    for (unsigned i = 0; i < 1000; i++) {
        vlapic_mmio_write(v0, EOI, i);
    }
    assert_int_equal(vlapic_irq_pending(v0), 0x33);
}

static void irq_while_software_disabled_waits_for_enable(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, SVR, 0xff);
    vlapic_irq_set(v0, 0x93, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    apic_on(v0);
    assert_int_equal(vlapic_irq_pending(v0), 0x93);
}

static void irq_set_wakes_blocked_vcpu(void **state)
{
    (void)state;
    vcpu_flags_set(v1, VCPU_BLOCKED);
    vlapic_irq_set(v1, 0x40, false);
    assert_int_equal(v1->flags & VCPU_BLOCKED, 0);
}

/* ---- IPIs ---- */

static void icr_shorthands_reach_their_targets(void **state)
{
    (void)state;
    icr_send(v1, 0, TO_SELF | 0x61);
    assert_int_equal(receivers_take(0x61), 0x2);
    icr_send(v1, 0, TO_ALL | 0x62);
    assert_int_equal(receivers_take(0x62), 0xf);
    icr_send(v1, 0, TO_OTHERS | 0x63);
    assert_int_equal(receivers_take(0x63), 0xd);
}

static void icr_physical_reaches_one_or_all(void **state)
{
    (void)state;
    icr_send(v0, 4, 0x64);
    assert_int_equal(receivers_take(0x64), 0x4);
    icr_send(v0, 0xff, 0x65);
    assert_int_equal(receivers_take(0x65), 0xf);
    icr_send(v0, 5, 0x66);  /* odd: nobody's id */
    icr_send(v0, 64, 0x66); /* beyond the last */
    assert_int_equal(receivers_take(0x66), 0);
}

static void icr_logical_flat_matches_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VCPUS; i++) {
        vlapic_mmio_write(dom->vcpu[i], LDR, 1u << (24 + i));
    }
    icr_send(v0, 0x0a, LOGICAL | 0x67);
    assert_int_equal(receivers_take(0x67), 0xa);
    icr_send(v0, 0xf0, LOGICAL | 0x68);
    assert_int_equal(receivers_take(0x68), 0);
}

static void icr_logical_cluster_matches_cluster_and_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VCPUS; i++) {
        struct vcpu *v = dom->vcpu[i];

        vlapic_mmio_write(v, DFR, 0x0fffffff);
        vlapic_mmio_write(v, LDR, (i / 2 << 4 | 1u << i % 2) << 24);
    }
    icr_send(v0, 0x12, LOGICAL | 0x69);
    assert_int_equal(receivers_take(0x69), 0x8);
    icr_send(v0, 0x03, LOGICAL | 0x6a);
    assert_int_equal(receivers_take(0x6a), 0x3);
}

static void x2apic_icr_logical_uses_wide_cluster(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VCPUS; i++) {
        x2apic_on(dom->vcpu[i]);
    }
    /* Ids 0, 2, 4, 6 are bits 0, 2, 4, 6 of cluster 0. */
    x2_write(v0, X2(ICR), 0x50UL << 32 | LOGICAL | 0x6b);
    assert_int_equal(receivers_take(0x6b), 0xc);
    x2_write(v0, X2(ICR), 0x1ffffUL << 32 | LOGICAL | 0x6c);
    assert_int_equal(receivers_take(0x6c), 0);
    x2_write(v0, X2(ICR), 0xffffffffUL << 32 | 0x6d);
    assert_int_equal(receivers_take(0x6d), 0xf);
    x2_write(v0, X2(ICR), 0xffUL << 32 | 0x6e);
    assert_int_equal(receivers_take(0x6e), 0);
    assert_int_equal(x2_read(v0, X2(ICR)), 0xffUL << 32 | 0x6e);
}

static void x2apic_wide_destination_misses_xapic_targets(void **state)
{
    (void)state;
    x2apic_on(v0);
    vlapic_mmio_write(v1, LDR, 0x02000000);
    x2_write(v0, X2(ICR), 0x102UL << 32 | LOGICAL | 0x6f);
    assert_int_equal(receivers_take(0x6f), 0);
    x2_write(v0, X2(ICR), 0x02UL << 32 | LOGICAL | 0x6f);
    assert_int_equal(receivers_take(0x6f), 0x2);
}

static void x2apic_self_ipi_latches_own_vector(void **state)
{
    (void)state;
    x2apic_on(v2);
    x2_write(v2, 0x83f, 0x7c);
    assert_int_equal(receivers_take(0x7c), 0x4);
}

static void icr_lowest_priority_picks_one_and_takes_turns(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (unsigned i = 0; i < VCPUS; i++) {
        unsigned got;

        icr_send(v0, 0xff, MODE(APIC_MODE_LOWEST) | 0x71);
        got = receivers_take(0x71);
        assert_int_equal(__builtin_popcount(got), 1);
        seen |= got;
    }
    assert_int_equal(seen, 0xf);
}

static void icr_lowest_priority_prefers_low_tpr(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, TPR, 0x20);
    vlapic_mmio_write(v1, TPR, 0x20);
    vlapic_mmio_write(v3, TPR, 0x10);
    for (unsigned i = 0; i < 3; i++) {
        icr_send(v0, 0xff, MODE(APIC_MODE_LOWEST) | 0x72);
        assert_int_equal(receivers_take(0x72), 0x4);
    }
}

static void ipi_to_disabled_apic_is_dropped(void **state)
{
    (void)state;
    vlapic_mmio_write(v1, SVR, 0xff);
    icr_send(v0, 2, 0x73);
    apic_on(v1);
    assert_int_equal(vlapic_irq_pending(v1), -1);
}

static void icr_illegal_vector_sets_send_error(void **state)
{
    (void)state;
    icr_send(v0, 2, 0x0f);
    assert_int_equal(esr_take(v0), ESR_SEND_ILLEGAL);
    assert_int_equal(esr_take(v1), 0);
    assert_false(irr_has(v1, 0x0f));
}

static void icr_reserved_modes_do_nothing(void **state)
{
    (void)state;
    icr_send(v0, 0xff, MODE(3u) | 0x74);
    icr_send(v0, 0xff, MODE(APIC_MODE_SMI) | 0x74);
    icr_send(v0, 0xff, MODE(APIC_MODE_EXTINT) | 0x74);
    assert_int_equal(receivers_take(0x74), 0);
}

static void icr_nmi_reaches_running_vcpus_only(void **state)
{
    (void)state;
    vcpu_flags_set(v3, VCPU_DOWN);
    icr_send(v0, 0, TO_OTHERS | MODE(APIC_MODE_NMI));
    assert_false(v0->nmi_pending);
    assert_true(v1->nmi_pending);
    assert_true(v2->nmi_pending);
    assert_false(v3->nmi_pending);
}

/* The class of XSA-462 and XSA-472: a guest that makes its APIC work for
 * itself without end. Each write costs one bounded step. */
static void self_ipi_storm_keeps_one_request(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        icr_send(v0, 0, TO_SELF | 0x75);
        icr_send(v0, 0, TO_ALL | 0x75);
    }
    assert_int_equal(receivers_take(0x75), 0xf);
    assert_int_equal(receivers_take(0x75), 0);
}

/* ---- INIT and SIPI ---- */

static void vcpu_start(struct vcpu *from, struct vcpu *to, uint8_t page)
{
    icr_send(from, vlapic_id_of(to->id),
             MODE(APIC_MODE_INIT) | 0x4000 | 0x8000);
    icr_send(from, vlapic_id_of(to->id), MODE(APIC_MODE_INIT) | 0x8000);
    icr_send(from, vlapic_id_of(to->id), MODE(APIC_MODE_SIPI) | page);
    icr_send(from, vlapic_id_of(to->id), MODE(APIC_MODE_SIPI) | page);
}

static void assert_real_mode_at(struct vcpu *v, uint8_t page)
{
    struct vcpu_segment cs;

    hv->segment_get(v, SEG_CS, &cs);
    assert_int_equal(cs.selector, page << 8);
    assert_int_equal(cs.base, page << 12);
    assert_int_equal(cs.limit, 0xffff);
    assert_int_equal(v->regs.rip, 0);
    assert_int_equal(v->regs.rflags, 2);
    assert_int_equal(hv->creg_get(v, CREG_CR0) & 0x80000001u, 0);
}

static void sipi_starts_a_down_vcpu_in_real_mode(void **state)
{
    uint32_t leaf[4];

    (void)state;
    vcpu_flags_set(v1, VCPU_DOWN);
    v1->regs.gpr[REG_RAX] = 0x1234;
    vcpu_start(v0, v1, 0x9a);
    assert_true(v1->init_pending);
    assert_int_equal(v1->flags & VCPU_DOWN, 0);
    vlapic_init_process(v1);
    assert_false(v1->init_pending);
    assert_int_equal(v1->flags & VCPU_DOWN, 0);
    assert_real_mode_at(v1, 0x9a);
    cpuid_policy_get(v1, 1, 0, leaf);
    assert_int_equal(v1->regs.gpr[REG_RAX], 0);
    assert_int_equal(v1->regs.gpr[REG_RDX], leaf[0]);
}

static void sipi_without_init_starts_a_vcpu_after_reset(void **state)
{
    (void)state;
    vlapic_reset(v2);
    vcpu_flags_set(v2, VCPU_DOWN);
    icr_send(v0, 4, MODE(APIC_MODE_SIPI) | 0x10);
    assert_int_equal(v2->flags & VCPU_DOWN, 0);
    vlapic_init_process(v2);
    assert_real_mode_at(v2, 0x10);
}

static void sipi_to_running_vcpu_is_ignored(void **state)
{
    (void)state;
    v1->regs.rip = 0x77;
    icr_send(v0, 2, MODE(APIC_MODE_SIPI) | 0x20);
    assert_false(v1->init_pending);
    vlapic_init_process(v1);
    assert_int_equal(v1->regs.rip, 0x77);
}

static void init_alone_takes_a_running_vcpu_down(void **state)
{
    (void)state;
    vlapic_irq_set(v1, 0x40, false);
    icr_send(v0, 2, MODE(APIC_MODE_INIT) | 0x4000);
    assert_true(v1->init_pending);
    assert_int_equal(v1->flags & VCPU_DOWN, 0);
    vlapic_init_process(v1);
    assert_int_equal(v1->flags & VCPU_DOWN, VCPU_DOWN);
    assert_false(vlapic_is_enabled(v1));
    assert_false(irr_has(v1, 0x40));
    icr_send(v0, 2, MODE(APIC_MODE_SIPI) | 0x30);
    assert_int_equal(v1->flags & VCPU_DOWN, 0);
    vlapic_init_process(v1);
    assert_real_mode_at(v1, 0x30);
}

static void init_and_sipi_restart_a_vcpu_that_was_started(void **state)
{
    (void)state;
    vcpu_flags_set(v1, VCPU_DOWN);
    vcpu_start(v0, v1, 0x50);
    vlapic_init_process(v1);
    icr_send(v0, 2, MODE(APIC_MODE_SIPI) | 0x51); /* runs: ignored */
    assert_false(v1->init_pending);
    icr_send(v0, 2, MODE(APIC_MODE_INIT) | 0x4000);
    vlapic_init_process(v1);
    assert_int_equal(v1->flags & VCPU_DOWN, VCPU_DOWN);
    icr_send(v0, 2, MODE(APIC_MODE_SIPI) | 0x52);
    assert_int_equal(v1->flags & VCPU_DOWN, 0);
    vlapic_init_process(v1);
    assert_real_mode_at(v1, 0x52);
}

static void sipi_before_init_was_processed_is_not_lost(void **state)
{
    (void)state;
    vcpu_start(v0, v1, 0x40); /* v1 runs and has not looked yet */
    vlapic_init_process(v1);
    assert_int_equal(v1->flags & VCPU_DOWN, 0);
    assert_real_mode_at(v1, 0x40);
}

static void init_level_deassert_is_ignored(void **state)
{
    (void)state;
    icr_send(v0, 2, MODE(APIC_MODE_INIT) | 0x8000);
    icr_send(v0, 0, TO_OTHERS | MODE(APIC_MODE_INIT) | 0x8000);
    for (unsigned i = 0; i < VCPUS; i++) {
        assert_false(dom->vcpu[i]->init_pending);
    }
}

static void init_keeps_mode_and_id(void **state)
{
    (void)state;
    x2apic_on(v3);
    x2_write(v3, X2(SVR), 0x1ff);
    icr_send(v0, 6, MODE(APIC_MODE_INIT) | 0x4000);
    vlapic_init_process(v3);
    assert_int_equal(x2_read(v3, MSR_APIC_BASE), 0xfee00c00);
    assert_int_equal(x2_read(v3, X2(ID)), 6);
    assert_int_equal(x2_read(v3, X2(LDR)), 1u << 6);
    assert_int_equal(x2_read(v3, X2(SVR)), 0xff);
}

/* ---- Errors ---- */

static void error_interrupt_is_raised_once_per_latch(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, LVT_ERROR, 0xe1);
    icr_send(v0, 0, TO_SELF | 1);
    assert_int_equal(receivers_take(0xe1), 1);
    icr_send(v0, 0, TO_SELF | 1);
    assert_int_equal(receivers_take(0xe1), 0);
    assert_int_equal(esr_take(v0), ESR_SEND_ILLEGAL);
    icr_send(v0, 0, TO_SELF | 1);
    assert_int_equal(receivers_take(0xe1), 1);
}

/* XSA-462: the error interrupt itself has an illegal vector. */
static void error_lvt_with_illegal_vector_does_not_recurse(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, LVT_ERROR, 0x05);
    icr_send(v0, 0, TO_SELF | 2);
    assert_int_equal(esr_take(v0), ESR_SEND_ILLEGAL | ESR_RECV_ILLEGAL);
    vlapic_irq_set(v0, 3, false);
    assert_int_equal(esr_take(v0), ESR_RECV_ILLEGAL);
    assert_int_equal(vlapic_irq_pending(v0), -1);
}

static void illegal_vector_from_ioapic_is_receive_error(void **state)
{
    (void)state;
    vlapic_deliver(dom, 2, false, APIC_MODE_FIXED, 9, false);
    assert_int_equal(esr_take(v1), ESR_RECV_ILLEGAL);
    assert_int_equal(esr_take(v0), 0);
}

static void esr_write_publishes_and_clears(void **state)
{
    (void)state;
    (void)vlapic_mmio_read(v0, 0x3f0);
    assert_int_equal(vlapic_mmio_read(v0, ESR), 0);
    assert_int_equal(esr_take(v0), ESR_REGISTER);
    assert_int_equal(vlapic_mmio_read(v0, ESR), ESR_REGISTER);
    assert_int_equal(esr_take(v0), 0);
}

/* ---- Timer ---- */

static void timer_oneshot_fires_once_at_its_time(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0xec);
    vlapic_mmio_write(v0, TDCR, 0xb); /* by 1 */
    vlapic_mmio_write(v0, TMICT, 1000);
    platform_time_set(t + 400);
    assert_int_equal(vlapic_mmio_read(v0, TMCCT), 600);
    platform_time_set(t + 999);
    assert_false(irr_has(v0, 0xec));
    platform_time_set(t + 1000);
    assert_int_equal(vlapic_mmio_read(v0, TMCCT), 0);
    assert_int_equal(receivers_take(0xec), 1);
    platform_time_set(t + 100000);
    assert_int_equal(receivers_take(0xec), 0);
    assert_int_equal(vlapic_mmio_read(v0, TMICT), 1000);
}

static void timer_divide_scales_the_count(void **state)
{
    static const struct {
        uint32_t reg;
        unsigned by;
    } codes[] = {{0, 2},  {1, 4},  {2, 8},     {3, 16},
                 {8, 32}, {9, 64}, {0xa, 128}, {0xb, 1}};

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0xec);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t t = platform_time();

        vlapic_mmio_write(v0, TDCR, codes[i].reg);
        vlapic_mmio_write(v0, TMICT, 50);
        platform_time_set(t + 50 * codes[i].by - 1);
        assert_int_equal(vlapic_mmio_read(v0, TMCCT), 1);
        assert_int_equal(receivers_take(0xec), 0);
        platform_time_set(t + 50 * codes[i].by);
        assert_int_equal(receivers_take(0xec), 1);
    }
}

static void timer_divide_change_keeps_the_count(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0xec);
    vlapic_mmio_write(v0, TDCR, 0xb);
    vlapic_mmio_write(v0, TMICT, 1000);
    platform_time_set(t + 500);
    vlapic_mmio_write(v0, TDCR, 0); /* by 2 */
    assert_int_equal(vlapic_mmio_read(v0, TMCCT), 500);
    platform_time_set(t + 1499);
    assert_int_equal(receivers_take(0xec), 0);
    platform_time_set(t + 1500);
    assert_int_equal(receivers_take(0xec), 1);
}

static void timer_periodic_repeats(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v0, TDCR, 0xb);
    vlapic_mmio_write(v0, TMICT, 1000000);
    for (unsigned i = 1; i <= 5; i++) {
        platform_time_set(t + i * 1000000UL - 1);
        assert_int_equal(receivers_take(0xec), 0);
        platform_time_set(t + i * 1000000UL);
        assert_int_equal(receivers_take(0xec), 1);
    }
    vlapic_mmio_write(v0, TMICT, 0);
    platform_time_set(t + 9000000);
    assert_int_equal(receivers_take(0xec), 0);
}

static void timer_periodic_missed_periods_collapse(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v0, TDCR, 0xb);
    vlapic_mmio_write(v0, TMICT, 1000000);
    platform_time_set(t + 7500000);
    assert_int_equal(receivers_take(0xec), 1);
    assert_int_equal(receivers_take(0xec), 0);
    platform_time_set(t + 7999999);
    assert_int_equal(receivers_take(0xec), 0);
    platform_time_set(t + 8000000); /* phase is kept */
    assert_int_equal(receivers_take(0xec), 1);
}

static void timer_periodic_tiny_period_is_bounded(void **state)
{
    uint64_t t = platform_time();
    unsigned fired = 0;

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v0, TDCR, 0xb);
    vlapic_mmio_write(v0, TMICT, 1);
    for (unsigned i = 0; i < 1000; i++) {
        platform_time_set(t += 1000);
        fired += receivers_take(0xec);
    }
    assert_in_range(fired, 1, 11); /* 1 ms at 100 us each, and the first */
}

static void timer_masked_expiry_is_lost(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x100ec);
    vlapic_mmio_write(v0, TDCR, 0xb);
    vlapic_mmio_write(v0, TMICT, 1000);
    platform_time_set(t + 2000);
    vlapic_mmio_write(v0, LVT_TIMER, 0xec);
    assert_int_equal(receivers_take(0xec), 0);
}

static void timer_illegal_vector_is_an_error(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x02);
    vlapic_mmio_write(v0, TMICT, 1);
    platform_time_set(t + 1000);
    assert_int_equal(esr_take(v0), ESR_RECV_ILLEGAL);
}

static void tsc_deadline_fires_and_reads_zero_after(void **state)
{
    uint64_t t = platform_time();
    uint64_t tsc = arch_ns_to_tsc(t) + msr_tsc_offset(v0);
    uint64_t step = arch_ns_to_tsc(t + 10000) - arch_ns_to_tsc(t);

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x400ec);
    x2_write(v0, MSR_TSC_DEADLINE, tsc + step);
    assert_int_equal(x2_read(v0, MSR_TSC_DEADLINE), tsc + step);
    vlapic_mmio_write(v0, TMICT, 5); /* ignored in this mode */
    assert_int_equal(vlapic_mmio_read(v0, TMCCT), 0);
    platform_time_set(t + 9999);
    assert_int_equal(receivers_take(0xec), 0);
    platform_time_set(t + 10001);
    assert_int_equal(receivers_take(0xec), 1);
    assert_int_equal(x2_read(v0, MSR_TSC_DEADLINE), 0);
}

static void tsc_deadline_in_the_past_fires_at_once(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x400ec);
    x2_write(v0, MSR_TSC_DEADLINE, 1);
    platform_time_set(platform_time() + 1);
    assert_int_equal(receivers_take(0xec), 1);
}

static void tsc_deadline_far_future_does_not_wrap(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x400ec);
    x2_write(v0, MSR_TSC_DEADLINE, UINT64_MAX);
    platform_time_set(t + 1000000000UL);
    assert_int_equal(receivers_take(0xec), 0);
    x2_write(v0, MSR_TSC_DEADLINE, 0);
    assert_int_equal(x2_read(v0, MSR_TSC_DEADLINE), 0);
}

static void tsc_deadline_in_other_modes_is_ignored(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0xec);
    x2_write(v0, MSR_TSC_DEADLINE, 5);
    assert_int_equal(x2_read(v0, MSR_TSC_DEADLINE), 0);
}

static void timer_mode_change_disarms_deadline(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, LVT_TIMER, 0x400ec);
    x2_write(v0, MSR_TSC_DEADLINE,
             arch_ns_to_tsc(t + 5000) + msr_tsc_offset(v0));
    vlapic_mmio_write(v0, LVT_TIMER, 0xec);
    platform_time_set(t + 100000);
    assert_int_equal(receivers_take(0xec), 0);
    assert_int_equal(x2_read(v0, MSR_TSC_DEADLINE), 0);
}

static void init_stops_the_timer(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v1, LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v1, TMICT, 1000);
    icr_send(v0, 2, MODE(APIC_MODE_INIT) | 0x4000);
    vlapic_init_process(v1);
    platform_time_set(t + 100000);
    apic_on(v1);
    assert_false(irr_has(v1, 0xec));
}

/* ---- MMIO dispatch ---- */

static void mmio_lapic_read_narrow_gets_part_of_register(void **state)
{
    uint64_t value = 0;
    uint64_t at = VLAPIC_MMIO_BASE + VERSION;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(at), 4, false, &value), 0);
    assert_int_equal(value, 0x00050014);
    assert_int_equal(mmio_dispatch(v0, gpa(at), 1, false, &value), 0);
    assert_int_equal(value, 0x14);
    assert_int_equal(mmio_dispatch(v0, gpa(at + 2), 2, false, &value), 0);
    assert_int_equal(value, 0x0005);
    assert_int_equal(mmio_dispatch(v0, gpa(at), 8, false, &value), 0);
    assert_int_equal(value, 0x00050014);
    assert_int_equal(mmio_dispatch(v0, gpa(at + 4), 4, false, &value), 0);
    assert_int_equal(value, 0);
}

static void mmio_lapic_write_needs_a_whole_register(void **state)
{
    uint64_t value = 0x33;
    uint64_t at = VLAPIC_MMIO_BASE + TPR;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(at), 4, true, &value), 0);
    assert_int_equal(vlapic_mmio_read(v0, TPR), 0x33);
    value = 0x44;
    assert_int_equal(mmio_dispatch(v0, gpa(at), 1, true, &value), 0);
    assert_int_equal(mmio_dispatch(v0, gpa(at + 4), 4, true, &value), 0);
    assert_int_equal(vlapic_mmio_read(v0, TPR), 0x33);
}

static void mmio_bad_length_is_einval(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 3, false, &value),
                     -RV_EINVAL);
    assert_int_equal(mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 0, false, &value),
                     -RV_EINVAL);
    assert_int_equal(
        mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 16, false, &value),
        -RV_EINVAL);
}

static void mmio_elsewhere_is_enoent(void **state)
{
    uint64_t value = 1;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(0xfee01000), 4, false, &value),
                     -RV_ENOENT);
    assert_int_equal(
        mmio_dispatch(v0, gpa(VIOAPIC_MMIO_BASE), 4, false, &value),
        -RV_ENOENT);
    x2apic_on(v0);
    assert_int_equal(mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 4, false, &value),
                     -RV_ENOENT);
    assert_int_equal(value, 1);
}

/* ---- IO-APIC ---- */

static void ioapic_reg_write(uint32_t reg, uint32_t value)
{
    vioapic_mmio_write(dom, 0, reg);
    vioapic_mmio_write(dom, 0x10, value);
}

static uint32_t ioapic_reg_read(uint32_t reg)
{
    vioapic_mmio_write(dom, 0, reg);
    return vioapic_mmio_read(dom, 0x10);
}

static void ioapic_registers_have_reset_values(void **state)
{
    uint64_t value = 4;

    (void)state;
    assert_int_equal(vioapic_create(dom), 0);
    assert_int_equal(vioapic_create(dom), -RV_EEXIST);
    assert_int_equal(ioapic_reg_read(1), 0x00170011);
    assert_int_equal(ioapic_reg_read(0), VIOAPIC_ID << 24);
    assert_int_equal(ioapic_reg_read(0x10), 0x10000);
    assert_int_equal(ioapic_reg_read(0x3f), 0);
    assert_int_equal(ioapic_reg_read(0x40), 0); /* beyond the last pin */
    assert_int_equal(ioapic_reg_read(0xff), 0);
    ioapic_reg_write(0x40, 0xffffffff);
    assert_int_equal(mmio_dispatch(v0, gpa(VIOAPIC_MMIO_BASE), 4, true, &value),
                     0);
    assert_int_equal(vioapic_mmio_read(dom, 0), 4);
}

static void ioapic_edge_sends_once_per_rise(void **state)
{
    (void)state;
    assert_int_equal(vioapic_create(dom), 0);
    ioapic_reg_write(0x10 + 2 * 4 + 1, 2u << 24);
    ioapic_reg_write(0x10 + 2 * 4, 0x34);
    vioapic_irq_set(dom, 4, true);
    assert_int_equal(receivers_take(0x34), 0x2);
    vioapic_irq_set(dom, 4, true);
    assert_int_equal(receivers_take(0x34), 0);
    vioapic_irq_set(dom, 4, false);
    vioapic_irq_set(dom, 4, true);
    assert_int_equal(receivers_take(0x34), 0x2);
}

/* The serial port's interrupt: for its owner only, once for all that came. */
static void serial_irq_reaches_the_owner_of_the_port(void **state)
{
    (void)state;
    serial_irq_note();
    serial_irq_poll(); /* nobody owns it */
    assert_int_equal(vioapic_create(dom), 0);
    ioapic_reg_write(0x10 + 2 * 4 + 1, 2u << 24);
    ioapic_reg_write(0x10 + 2 * 4, 0x34);
    serial_irq_poll();
    assert_int_equal(receivers_take(0x34), 0);
    for (unsigned i = 0; i < 2; i++) {
        this_cpu()->resched = false;
        serial_irq_note();
        serial_irq_note();
        assert_true(this_cpu()->resched);
        serial_irq_poll();
        assert_int_equal(receivers_take(0x34), 0x2);
        serial_irq_poll();
        assert_int_equal(receivers_take(0x34), 0);
    }
}

static void ioapic_level_repeats_until_low(void **state)
{
    (void)state;
    assert_int_equal(vioapic_create(dom), 0);
    ioapic_reg_write(0x10 + 2 * 9 + 1, 0);
    ioapic_reg_write(0x10 + 2 * 9, 0x8000 | 0x39);
    vioapic_irq_set(dom, 9, true);
    assert_int_equal(ioapic_reg_read(0x10 + 2 * 9), 0xc039);
    assert_int_equal(vlapic_irq_pending(v0), 0x39);
    vlapic_irq_accept(v0, 0x39);
    assert_int_equal(vlapic_mmio_read(v0, TMR + 0x10), 1u << 25);
    vioapic_irq_set(dom, 9, true); /* in service: not sent again */
    assert_false(irr_has(v0, 0x39));
    vlapic_mmio_write(v0, EOI, 0); /* still high: sent again */
    assert_int_equal(vlapic_irq_pending(v0), 0x39);
    vlapic_irq_accept(v0, 0x39);
    vioapic_irq_set(dom, 9, false);
    vlapic_mmio_write(v0, EOI, 0);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(ioapic_reg_read(0x10 + 2 * 9), 0x8039);
}

static void ioapic_masked_pin_sends_nothing(void **state)
{
    (void)state;
    assert_int_equal(vioapic_create(dom), 0);
    ioapic_reg_write(0x10 + 2 * 4, 0x10034);
    vioapic_irq_set(dom, 4, true);
    vioapic_irq_set(dom, 24, true);
    vioapic_irq_set(dom, 4000, true);
    assert_int_equal(receivers_take(0x34), 0);
    /* A level-triggered pin that is high sends when it is unmasked. */
    ioapic_reg_write(0x10 + 2 * 4, 0x8034);
    assert_int_equal(receivers_take(0x34), 0x1);
}

static void ioapic_absent_requests_are_ignored(void **state)
{
    (void)state;
    vioapic_irq_set(dom, 4, true);
    vioapic_eoi(dom, 0x34);
    assert_null(dom->vioapic);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, case_setup, case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(reset_registers_have_architectural_values),
        CASE(apic_base_bsp_flag_is_set_on_first_vcpu_only),
        CASE(xapic_write_reserved_bits_are_ignored),
        CASE(xapic_id_write_is_ignored),
        CASE(xapic_read_of_absent_register_sets_error),
        CASE(xapic_write_of_absent_register_sets_error),
        CASE(svr_disable_masks_all_lvts_until_enabled),
        CASE(apic_base_write_legal_transitions_succeed),
        CASE(apic_base_write_illegal_transitions_fault),
        CASE(apic_base_write_reserved_or_moved_faults),
        CASE(x2apic_registers_have_wide_ids),
        CASE(x2apic_write_reserved_bits_fault),
        CASE(x2apic_write_of_status_bits_is_ignored),
        CASE(x2apic_registers_only_of_xapic_fault),
        CASE(x2apic_range_beyond_registers_faults_in_all_modes),
        CASE(x2apic_msrs_in_xapic_mode_fault),
        CASE(irq_set_is_delivered_highest_first),
        CASE(irq_nested_higher_class_preempts),
        CASE(tpr_holds_back_its_class_and_below),
        CASE(tpr_threshold_ignores_what_isr_blocks),
        CASE(cr8_is_high_nibble_of_tpr),
        CASE(eoi_without_service_does_nothing),
        CASE(irq_while_software_disabled_waits_for_enable),
        CASE(irq_set_wakes_blocked_vcpu),
        CASE(icr_shorthands_reach_their_targets),
        CASE(icr_physical_reaches_one_or_all),
        CASE(icr_logical_flat_matches_bits),
        CASE(icr_logical_cluster_matches_cluster_and_bits),
        CASE(x2apic_icr_logical_uses_wide_cluster),
        CASE(x2apic_wide_destination_misses_xapic_targets),
        CASE(x2apic_self_ipi_latches_own_vector),
        CASE(icr_lowest_priority_picks_one_and_takes_turns),
        CASE(icr_lowest_priority_prefers_low_tpr),
        CASE(ipi_to_disabled_apic_is_dropped),
        CASE(icr_illegal_vector_sets_send_error),
        CASE(icr_reserved_modes_do_nothing),
        CASE(icr_nmi_reaches_running_vcpus_only),
        CASE(self_ipi_storm_keeps_one_request),
        CASE(sipi_starts_a_down_vcpu_in_real_mode),
        CASE(sipi_without_init_starts_a_vcpu_after_reset),
        CASE(sipi_to_running_vcpu_is_ignored),
        CASE(init_alone_takes_a_running_vcpu_down),
        CASE(init_and_sipi_restart_a_vcpu_that_was_started),
        CASE(sipi_before_init_was_processed_is_not_lost),
        CASE(init_level_deassert_is_ignored),
        CASE(init_keeps_mode_and_id),
        CASE(error_interrupt_is_raised_once_per_latch),
        CASE(error_lvt_with_illegal_vector_does_not_recurse),
        CASE(illegal_vector_from_ioapic_is_receive_error),
        CASE(esr_write_publishes_and_clears),
        CASE(timer_oneshot_fires_once_at_its_time),
        CASE(timer_divide_scales_the_count),
        CASE(timer_divide_change_keeps_the_count),
        CASE(timer_periodic_repeats),
        CASE(timer_periodic_missed_periods_collapse),
        CASE(timer_periodic_tiny_period_is_bounded),
        CASE(timer_masked_expiry_is_lost),
        CASE(timer_illegal_vector_is_an_error),
        CASE(tsc_deadline_fires_and_reads_zero_after),
        CASE(tsc_deadline_in_the_past_fires_at_once),
        CASE(tsc_deadline_far_future_does_not_wrap),
        CASE(tsc_deadline_in_other_modes_is_ignored),
        CASE(timer_mode_change_disarms_deadline),
        CASE(init_stops_the_timer),
        CASE(mmio_lapic_read_narrow_gets_part_of_register),
        CASE(mmio_lapic_write_needs_a_whole_register),
        CASE(mmio_bad_length_is_einval),
        CASE(mmio_elsewhere_is_enoent),
        CASE(ioapic_registers_have_reset_values),
        CASE(ioapic_edge_sends_once_per_rise),
        CASE(serial_irq_reaches_the_owner_of_the_port),
        CASE(ioapic_level_repeats_until_low),
        CASE(ioapic_masked_pin_sends_nothing),
        CASE(ioapic_absent_requests_are_ignored),
    };

    return cmocka_run_group_tests(tests, group_setup, platform_teardown);
}
