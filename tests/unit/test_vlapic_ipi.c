/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPIs between vCPUs: who receives what a destination names in either mode,
 * NMI, and INIT and SIPI, which take vCPUs down and start them in real mode.
 */
#include "vlapic_fixture.h"

#include "arch/backend.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/sched.h"

/* ---- IPIs ---- */

static void icr_shorthands_reach_their_targets(void **state)
{
    (void)state;
    apic_icr_send(v1, 0, APIC_TO_SELF | 0x61);
    assert_int_equal(apic_receivers_take(0x61), 0x2);
    apic_icr_send(v1, 0, APIC_TO_ALL | 0x62);
    assert_int_equal(apic_receivers_take(0x62), 0xf);
    apic_icr_send(v1, 0, APIC_TO_OTHERS | 0x63);
    assert_int_equal(apic_receivers_take(0x63), 0xd);
}

static void icr_physical_reaches_one_or_all(void **state)
{
    (void)state;
    apic_icr_send(v0, 4, 0x64);
    assert_int_equal(apic_receivers_take(0x64), 0x4);
    apic_icr_send(v0, 0xff, 0x65);
    assert_int_equal(apic_receivers_take(0x65), 0xf);
    apic_icr_send(v0, 5, 0x66);  /* odd: nobody's id */
    apic_icr_send(v0, 64, 0x66); /* beyond the last */
    assert_int_equal(apic_receivers_take(0x66), 0);
}

static void icr_logical_flat_matches_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < APIC_VCPUS; i++) {
        vlapic_mmio_write(apic_domain->vcpu[i], APIC_LDR, 1u << (24 + i));
    }
    apic_icr_send(v0, 0x0a, APIC_LOGICAL | 0x67);
    assert_int_equal(apic_receivers_take(0x67), 0xa);
    apic_icr_send(v0, 0xf0, APIC_LOGICAL | 0x68);
    assert_int_equal(apic_receivers_take(0x68), 0);
}

static void icr_logical_cluster_matches_cluster_and_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < APIC_VCPUS; i++) {
        struct vcpu *v = apic_domain->vcpu[i];

        vlapic_mmio_write(v, APIC_DFR, 0x0fffffff);
        vlapic_mmio_write(v, APIC_LDR, (i / 2 << 4 | 1u << i % 2) << 24);
    }
    apic_icr_send(v0, 0x12, APIC_LOGICAL | 0x69);
    assert_int_equal(apic_receivers_take(0x69), 0x8);
    apic_icr_send(v0, 0x03, APIC_LOGICAL | 0x6a);
    assert_int_equal(apic_receivers_take(0x6a), 0x3);
}

static void x2apic_icr_logical_uses_wide_cluster(void **state)
{
    (void)state;
    for (unsigned i = 0; i < APIC_VCPUS; i++) {
        apic_x2_on(apic_domain->vcpu[i]);
    }
    /* Ids 0, 2, 4, 6 are bits 0, 2, 4, 6 of cluster 0. */
    apic_x2_write(v0, APIC_X2(APIC_ICR), 0x50UL << 32 | APIC_LOGICAL | 0x6b);
    assert_int_equal(apic_receivers_take(0x6b), 0xc);
    apic_x2_write(v0, APIC_X2(APIC_ICR), 0x1ffffUL << 32 | APIC_LOGICAL | 0x6c);
    assert_int_equal(apic_receivers_take(0x6c), 0);
    apic_x2_write(v0, APIC_X2(APIC_ICR), 0xffffffffUL << 32 | 0x6d);
    assert_int_equal(apic_receivers_take(0x6d), 0xf);
    apic_x2_write(v0, APIC_X2(APIC_ICR), 0xffUL << 32 | 0x6e);
    assert_int_equal(apic_receivers_take(0x6e), 0);
    assert_int_equal(apic_x2_read(v0, APIC_X2(APIC_ICR)), 0xffUL << 32 | 0x6e);
}

static void x2apic_wide_destination_misses_xapic_targets(void **state)
{
    (void)state;
    apic_x2_on(v0);
    vlapic_mmio_write(v1, APIC_LDR, 0x02000000);
    apic_x2_write(v0, APIC_X2(APIC_ICR), 0x102UL << 32 | APIC_LOGICAL | 0x6f);
    assert_int_equal(apic_receivers_take(0x6f), 0);
    apic_x2_write(v0, APIC_X2(APIC_ICR), 0x02UL << 32 | APIC_LOGICAL | 0x6f);
    assert_int_equal(apic_receivers_take(0x6f), 0x2);
}

static void x2apic_self_ipi_latches_own_vector(void **state)
{
    (void)state;
    apic_x2_on(v2);
    apic_x2_write(v2, 0x83f, 0x7c);
    assert_int_equal(apic_receivers_take(0x7c), 0x4);
}

static void icr_lowest_priority_picks_one_and_takes_turns(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (unsigned i = 0; i < APIC_VCPUS; i++) {
        unsigned got;

        apic_icr_send(v0, 0xff, APIC_MODE(APIC_MODE_LOWEST) | 0x71);
        got = apic_receivers_take(0x71);
        assert_int_equal(__builtin_popcount(got), 1);
        seen |= got;
    }
    assert_int_equal(seen, 0xf);
}

static void icr_lowest_priority_prefers_low_tpr(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_TPR, 0x20);
    vlapic_mmio_write(v1, APIC_TPR, 0x20);
    vlapic_mmio_write(v3, APIC_TPR, 0x10);
    for (unsigned i = 0; i < 3; i++) {
        apic_icr_send(v0, 0xff, APIC_MODE(APIC_MODE_LOWEST) | 0x72);
        assert_int_equal(apic_receivers_take(0x72), 0x4);
    }
}

static void ipi_to_disabled_apic_is_dropped(void **state)
{
    (void)state;
    vlapic_mmio_write(v1, APIC_SVR, 0xff);
    apic_icr_send(v0, 2, 0x73);
    apic_on(v1);
    assert_int_equal(vlapic_irq_pending(v1), -1);
}

static void icr_illegal_vector_sets_send_error(void **state)
{
    (void)state;
    apic_icr_send(v0, 2, 0x0f);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_SEND_ILLEGAL);
    assert_int_equal(apic_esr_take(v1), 0);
    assert_false(apic_irr_has(v1, 0x0f));
}

static void icr_reserved_modes_do_nothing(void **state)
{
    (void)state;
    apic_icr_send(v0, 0xff, APIC_MODE(3u) | 0x74);
    apic_icr_send(v0, 0xff, APIC_MODE(APIC_MODE_SMI) | 0x74);
    apic_icr_send(v0, 0xff, APIC_MODE(APIC_MODE_EXTINT) | 0x74);
    assert_int_equal(apic_receivers_take(0x74), 0);
}

static void icr_nmi_reaches_running_vcpus_only(void **state)
{
    (void)state;
    vcpu_flags_set(v3, VCPU_DOWN);
    apic_icr_send(v0, 0, APIC_TO_OTHERS | APIC_MODE(APIC_MODE_NMI));
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
        apic_icr_send(v0, 0, APIC_TO_SELF | 0x75);
        apic_icr_send(v0, 0, APIC_TO_ALL | 0x75);
    }
    assert_int_equal(apic_receivers_take(0x75), 0xf);
    assert_int_equal(apic_receivers_take(0x75), 0);
}

/* ---- INIT and SIPI ---- */

static void vcpu_start(struct vcpu *from, struct vcpu *to, uint8_t page)
{
    apic_icr_send(from, vlapic_id_of(to->id),
                  APIC_MODE(APIC_MODE_INIT) | 0x4000 | 0x8000);
    apic_icr_send(from, vlapic_id_of(to->id),
                  APIC_MODE(APIC_MODE_INIT) | 0x8000);
    apic_icr_send(from, vlapic_id_of(to->id), APIC_MODE(APIC_MODE_SIPI) | page);
    apic_icr_send(from, vlapic_id_of(to->id), APIC_MODE(APIC_MODE_SIPI) | page);
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
    apic_icr_send(v0, 4, APIC_MODE(APIC_MODE_SIPI) | 0x10);
    assert_int_equal(v2->flags & VCPU_DOWN, 0);
    vlapic_init_process(v2);
    assert_real_mode_at(v2, 0x10);
}

static void sipi_to_running_vcpu_is_ignored(void **state)
{
    (void)state;
    v1->regs.rip = 0x77;
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_SIPI) | 0x20);
    assert_false(v1->init_pending);
    vlapic_init_process(v1);
    assert_int_equal(v1->regs.rip, 0x77);
}

static void init_alone_takes_a_running_vcpu_down(void **state)
{
    (void)state;
    vlapic_irq_set(v1, 0x40, false);
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_INIT) | 0x4000);
    assert_true(v1->init_pending);
    assert_int_equal(v1->flags & VCPU_DOWN, 0);
    vlapic_init_process(v1);
    assert_int_equal(v1->flags & VCPU_DOWN, VCPU_DOWN);
    assert_false(vlapic_is_enabled(v1));
    assert_false(apic_irr_has(v1, 0x40));
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_SIPI) | 0x30);
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
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_SIPI) | 0x51); /* runs: ignored */
    assert_false(v1->init_pending);
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_INIT) | 0x4000);
    vlapic_init_process(v1);
    assert_int_equal(v1->flags & VCPU_DOWN, VCPU_DOWN);
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_SIPI) | 0x52);
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
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_INIT) | 0x8000);
    apic_icr_send(v0, 0, APIC_TO_OTHERS | APIC_MODE(APIC_MODE_INIT) | 0x8000);
    for (unsigned i = 0; i < APIC_VCPUS; i++) {
        assert_false(apic_domain->vcpu[i]->init_pending);
    }
}

static void init_keeps_mode_and_id(void **state)
{
    (void)state;
    apic_x2_on(v3);
    apic_x2_write(v3, APIC_X2(APIC_SVR), 0x1ff);
    apic_icr_send(v0, 6, APIC_MODE(APIC_MODE_INIT) | 0x4000);
    vlapic_init_process(v3);
    assert_int_equal(apic_x2_read(v3, APIC_MSR_BASE), 0xfee00c00);
    assert_int_equal(apic_x2_read(v3, APIC_X2(APIC_ID)), 6);
    assert_int_equal(apic_x2_read(v3, APIC_X2(APIC_LDR)), 1u << 6);
    assert_int_equal(apic_x2_read(v3, APIC_X2(APIC_SVR)), 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APIC_CASE(icr_shorthands_reach_their_targets),
        APIC_CASE(icr_physical_reaches_one_or_all),
        APIC_CASE(icr_logical_flat_matches_bits),
        APIC_CASE(icr_logical_cluster_matches_cluster_and_bits),
        APIC_CASE(x2apic_icr_logical_uses_wide_cluster),
        APIC_CASE(x2apic_wide_destination_misses_xapic_targets),
        APIC_CASE(x2apic_self_ipi_latches_own_vector),
        APIC_CASE(icr_lowest_priority_picks_one_and_takes_turns),
        APIC_CASE(icr_lowest_priority_prefers_low_tpr),
        APIC_CASE(ipi_to_disabled_apic_is_dropped),
        APIC_CASE(icr_illegal_vector_sets_send_error),
        APIC_CASE(icr_reserved_modes_do_nothing),
        APIC_CASE(icr_nmi_reaches_running_vcpus_only),
        APIC_CASE(self_ipi_storm_keeps_one_request),
        APIC_CASE(sipi_starts_a_down_vcpu_in_real_mode),
        APIC_CASE(sipi_without_init_starts_a_vcpu_after_reset),
        APIC_CASE(sipi_to_running_vcpu_is_ignored),
        APIC_CASE(init_alone_takes_a_running_vcpu_down),
        APIC_CASE(init_and_sipi_restart_a_vcpu_that_was_started),
        APIC_CASE(sipi_before_init_was_processed_is_not_lost),
        APIC_CASE(init_level_deassert_is_ignored),
        APIC_CASE(init_keeps_mode_and_id),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
