/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Violations of page rights, and steps: what the registers are while a vCPU
 * steps and after it, and that nothing stays open.
 */
#include "access_fixture.h"

#include "access_internal.h"
#include "monitor_internal.h"
#include "public/hvm/hvm_op.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/insn.h"
#include "ravelin/monitor_access.h"
#include "ravelin/string.h"
#include "ravelin/vmexit.h"

#define PAGES 64u
#define TABLES 0x20000u /* guest page tables, gpa */
#define CODE 0x4000u
#define DATA 0x8000u
#define DR6_BS (1UL << 14)
#define VECTOR_DB 1u

static struct domain *d;
static struct vcpu *v;

/* Flat 64-bit segments at CPL 0. */
static void segments_set(void)
{
    struct vcpu_segment cs = {.selector = 8, .attr = 0xa9b, .limit = ~0u};
    struct vcpu_segment ss = {.selector = 16, .attr = 0xc93, .limit = ~0u};

    hv->segment_set(v, SEG_CS, &cs);
    hv->segment_set(v, SEG_SS, &ss);
    hv->segment_set(v, SEG_DS, &ss);
    hv->segment_set(v, SEG_ES, &ss);
}

static int machine_setup(void **state)
{
    struct fixture_tables tables;

    (void)state;
    fixture_machine_create(1, FIXTURE_MIB(24));
    d = fixture_domain_create(FIXTURE_DOMID, 1, PAGES, 2048);
    v = d->vcpu[0];
    fixture_identity_map(&tables, v, TABLES, FIXTURE_MIB(2));
    assert_int_equal(insn_cache_create(v), 0);
    segments_set();
    v->regs.rip = CODE;
    v->regs.rflags = 2;
    hv->creg_set(v, CREG_EFER, hv->creg_get(v, CREG_EFER) | 1);
    hv->creg_set(v, CREG_DR6, 0xffff0ff0);
    return 0;
}

static int machine_teardown(void **state)
{
    (void)state;
    monitor_free(d);
    insn_cache_destroy(v);
    fixture_domain_destroy(d);
    fixture_machine_destroy();
    return 0;
}

/* What the hardware would find at `g` from this root. */
static struct npt_entry hardware_find(mfn_t root, uint64_t g)
{
    const uint64_t *table = host_ptr(mfn_to_hpa(root));
    struct npt_entry e = {.access = ACCESS_ALL};
    uint8_t access = ACCESS_ALL;

    for (unsigned level = 4; level >= 1; level--) {
        uint64_t raw = table[(g >> (9 * (level - 1))) & 511];

        if (raw == 0) {
            return (struct npt_entry){.access = 0};
        }
        hv->npt_decode(raw, level, &e);
        access &= e.access;
        if (e.leaf || level == 1) {
            break;
        }
        table = host_ptr(mfn_to_hpa(e.mfn));
    }
    e.access = access;
    return e;
}

/* ---- Violations and steps ---------------------------------------------- */

static struct vmexit violation(uint64_t gpa_at, uint8_t access)
{
    return (struct vmexit){
        .reason = VMEXIT_MEMORY,
        .code_bits = 64,
        .u.memory = {.gpa = gpa(gpa_at), .access = access, .present = true},
    };
}

/* An instruction at CODE; the step is armed. */
static void step_start(const void *insn, size_t n)
{
    struct vmexit exit = violation(DATA, ACCESS_WRITE);
    struct monitor *m;

    fixture_phys_put(d, CODE, insn, n);
    assert_int_equal(rights_set(d, DATA >> PAGE_SHIFT, 1, ACCESS_READ), 0);
    assert_int_equal(monitor_get(d, &m), 0);
    monitor_step_permit(v, exit.u.memory.gpa, ACCESS_WRITE);
    assert_true(v->stepping);
}

static void step_arm(void)
{
    v->attention = false;
    assert_true(monitor_step_holds(v));
    assert_true(v->attention);
    assert_true(monitor_step_prepare(v));
    v->tlb_seen = d->p2m.generation;
    assert_true(monitor_step_arm(v));
    assert_true(v->regs.rflags & RFLAGS_TF);
    assert_false(hv->creg_get(v, CREG_EFER) & 1);
    assert_true(((struct fake_vcpu *)v->arch)->intercepts.stepping);
    assert_int_equal(hardware_find(((struct fake_vcpu *)v->arch)->npt_root,
                                   DATA >> PAGE_SHIFT)
                         .access,
                     ACCESS_ALL & ~ACCESS_EXEC);
}

static void step_is_over(void)
{
    assert_false(v->stepping);
    assert_true(v->attention);
    assert_true(hv->creg_get(v, CREG_EFER) & 1);
    assert_false(((struct fake_vcpu *)v->arch)->intercepts.stepping);
    assert_int_equal(((struct fake_vcpu *)v->arch)->npt_root.v, d->p2m.root.v);
    assert_int_equal(hardware_find(d->p2m.root, DATA >> PAGE_SHIFT).access,
                     ACCESS_READ);
}

static struct vmexit debug_exit(uint64_t dr6)
{
    hv->creg_set(v, CREG_DR6, hv->creg_get(v, CREG_DR6) | dr6);
    return (struct vmexit){
        .reason = VMEXIT_EXCEPTION,
        .code_bits = 64,
        .u.exception = {.vector = VECTOR_DB},
    };
}

static const uint8_t mov_store[] = {0x88, 0x07}; /* mov [rdi], al */

static void step_trap_restores_the_guests_registers(void **state)
{
    struct vmexit exit;

    (void)state;
    step_start(mov_store, sizeof(mov_store));
    step_arm();
    v->regs.rip += 2;
    exit = debug_exit(DR6_BS);
    monitor_step_disarm(v, &exit);
    assert_int_equal(exit.reason, VMEXIT_NONE);
    assert_int_equal(v->regs.rflags, 2);
    assert_int_equal(hv->creg_get(v, CREG_DR6), 0xffff0ff0);
    monitor_step_settle(v);
    step_is_over();
    assert_false(v->pending.valid);
}

static void step_guests_own_trap_flag_stays_and_traps(void **state)
{
    struct vmexit exit;

    (void)state;
    v->regs.rflags |= RFLAGS_TF;
    step_start(mov_store, sizeof(mov_store));
    step_arm();
    v->regs.rip += 2;
    exit = debug_exit(DR6_BS);
    monitor_step_disarm(v, &exit);
    assert_int_equal(exit.reason, VMEXIT_EXCEPTION);
    assert_true(v->regs.rflags & RFLAGS_TF);
    assert_int_equal(hv->creg_get(v, CREG_DR6), 0xffff0ff0 | DR6_BS);
    vmexit_handle(v, &exit);
    monitor_step_settle(v);
    step_is_over();
    assert_true(v->pending.valid);
    assert_int_equal(v->pending.vector, VECTOR_DB);
}

static void step_data_breakpoint_shows_its_hit_and_no_step(void **state)
{
    struct vmexit exit;

    (void)state;
    step_start(mov_store, sizeof(mov_store));
    step_arm();
    v->regs.rip += 2;
    exit = debug_exit(DR6_BS | 2);
    monitor_step_disarm(v, &exit);
    assert_int_equal(exit.reason, VMEXIT_EXCEPTION);
    assert_int_equal(hv->creg_get(v, CREG_DR6), 0xffff0ff0 | 2);
    assert_int_equal(v->regs.rflags, 2);
    step_is_over();
}

static void step_exception_is_the_guests_and_ends_it(void **state)
{
    struct vmexit exit = {
        .reason = VMEXIT_EXCEPTION,
        .code_bits = 64,
        .u.exception = {.vector = 14,
                        .has_error = true,
                        .error = 3,
                        .cr2 = 0x123000},
    };

    (void)state;
    step_start(mov_store, sizeof(mov_store));
    step_arm();
    monitor_step_disarm(v, &exit);
    assert_int_equal(v->regs.rflags, 2);
    vmexit_handle(v, &exit);
    monitor_step_settle(v);
    step_is_over();
    assert_int_equal(v->pending.vector, 14);
    assert_int_equal(v->pending.cr2, 0x123000);
    assert_int_equal(v->regs.rip, CODE);
}

/* "Not there", and it is there: TCG's mistake, tried again, but not for ever.
 */
static void step_page_fault_that_is_none_is_tried_again(void **state)
{
    (void)state;
    step_start(mov_store, sizeof(mov_store));
    for (unsigned i = 0; i <= 4; i++) {
        struct vmexit exit = {
            .reason = VMEXIT_EXCEPTION,
            .code_bits = 64,
            .u.exception = {.vector = 14, .has_error = true, .cr2 = DATA},
        };

        step_arm();
        monitor_step_disarm(v, &exit);
        assert_int_equal(exit.reason, i < 4 ? VMEXIT_NONE : VMEXIT_EXCEPTION);
        assert_int_equal(v->regs.rflags, 2);
    }
    monitor_step_cancel(v);
}

/* An interrupt of the host's ends guest mode before the instruction: the step
 * goes on, and nothing of it shows meanwhile. */
static void step_survives_an_exit_without_progress(void **state)
{
    struct vmexit exit = {.reason = VMEXIT_NONE, .code_bits = 64};

    (void)state;
    step_start(mov_store, sizeof(mov_store));
    step_arm();
    monitor_step_disarm(v, &exit);
    assert_int_equal(v->regs.rflags, 2);
    monitor_step_settle(v);
    assert_true(v->stepping);
    step_arm();
    v->regs.rip += 2;
    exit = debug_exit(DR6_BS);
    monitor_step_disarm(v, &exit);
    monitor_step_settle(v);
    step_is_over();
}

static void step_popf_keeps_the_popped_trap_flag(void **state)
{
    static const uint8_t popf[] = {0x9d};
    struct vmexit exit;

    (void)state;
    for (unsigned own = 0; own < 2; own++) {
        v->regs.rip = CODE;
        v->regs.rflags = 2;
        step_start(popf, sizeof(popf));
        step_arm();
        v->regs.rip++;
        v->regs.rflags = own ? 2 | RFLAGS_TF : 2;
        exit = debug_exit(DR6_BS);
        monitor_step_disarm(v, &exit);
        assert_int_equal(exit.reason, VMEXIT_NONE);
        assert_int_equal(v->regs.rflags, own ? 2 | RFLAGS_TF : 2);
        monitor_step_settle(v);
        step_is_over();
    }
}

static void step_pushf_is_emulated_with_the_guests_flags(void **state)
{
    static const uint8_t pushf[] = {0x9c};
    uint64_t image;

    (void)state;
    v->regs.rflags = 0x203;
    v->regs.gpr[REG_RSP] = DATA + 16;
    step_start(pushf, sizeof(pushf));
    assert_true(monitor_step_holds(v));
    assert_false(monitor_step_prepare(v));
    assert_int_equal(v->regs.rip, CODE + 1);
    assert_int_equal(v->regs.gpr[REG_RSP], DATA + 8);
    fixture_phys_get(d, &image, DATA + 8, sizeof(image));
    assert_int_equal(image, 0x203);
    step_is_over();
}

static void step_syscall_goes_where_the_registers_say(void **state)
{
    static const uint8_t syscall_insn[] = {0x0f, 0x05};
    struct vmexit exit = {
        .reason = VMEXIT_EXCEPTION,
        .code_bits = 64,
        .u.exception = {.vector = 6},
    };
    struct vcpu_segment cs;

    (void)state;
    hv->creg_set(v, CREG_STAR, 0x18UL << 32);
    hv->creg_set(v, CREG_LSTAR, 0x7000);
    hv->creg_set(v, CREG_SFMASK, 0x700);
    v->regs.rflags = 0x602;
    step_start(syscall_insn, sizeof(syscall_insn));
    step_arm();
    monitor_step_disarm(v, &exit);
    assert_int_equal(exit.reason, VMEXIT_NONE);
    assert_int_equal(v->regs.rip, 0x7000);
    assert_int_equal(v->regs.gpr[REG_RCX], CODE + 2);
    assert_int_equal(v->regs.gpr[REG_R11], 0x602);
    assert_int_equal(v->regs.rflags, 2);
    hv->segment_get(v, SEG_CS, &cs);
    assert_int_equal(cs.selector, 0x18);
    step_is_over();
}

/* #UD of anything else is the guest's own. */
static void step_ud_that_is_no_syscall_is_delivered(void **state)
{
    static const uint8_t ud2[] = {0x0f, 0x0b};
    struct vmexit exit = {
        .reason = VMEXIT_EXCEPTION,
        .code_bits = 64,
        .u.exception = {.vector = 6},
    };

    (void)state;
    step_start(ud2, sizeof(ud2));
    step_arm();
    monitor_step_disarm(v, &exit);
    assert_int_equal(exit.reason, VMEXIT_EXCEPTION);
    vmexit_handle(v, &exit);
    monitor_step_settle(v);
    assert_int_equal(v->pending.vector, 6);
    step_is_over();
}

/* A queued event is delivered through a map without anything executable; the
 * first fetch of its handler ends the step. */
static void step_delivery_ends_at_the_handlers_fetch(void **state)
{
    struct vcpu_event ev = {.valid = true, .vector = 0x40};
    struct vmexit exit = violation(0x5000, ACCESS_EXEC);
    struct fake_vcpu *fv = v->arch;

    (void)state;
    hv->event_inject(v, &ev);
    step_start(mov_store, sizeof(mov_store));
    assert_true(monitor_step_holds(v));
    assert_true(monitor_step_prepare(v));
    v->tlb_seen = d->p2m.generation;
    assert_true(monitor_step_arm(v));
    assert_int_equal(v->regs.rflags, 2);
    assert_int_equal(hardware_find(fv->npt_root, 5).access, RW);
    fv->event.valid = false;
    monitor_step_disarm(v, &exit);
    assert_int_equal(exit.reason, VMEXIT_NONE);
    monitor_step_settle(v);
    assert_false(v->stepping);
    assert_int_equal(fv->npt_root.v, d->p2m.root.v);
}

static void step_pending_exception_takes_its_place(void **state)
{
    (void)state;
    step_start(mov_store, sizeof(mov_store));
    vcpu_ud_inject(v);
    assert_false(monitor_step_holds(v));
    step_is_over();
}

static void step_other_instruction_ends_it(void **state)
{
    (void)state;
    step_start(mov_store, sizeof(mov_store));
    v->regs.rip += 100;
    assert_true(monitor_step_holds(v));
    assert_false(monitor_step_prepare(v));
    step_is_over();
    step_start(mov_store, sizeof(mov_store));
    monitor_step_cancel(v);
    step_is_over();
}

/* The map changes between the look at it and the entry: another turn. */
static void step_map_change_before_entry_takes_another_turn(void **state)
{
    (void)state;
    step_start(mov_store, sizeof(mov_store));
    assert_true(monitor_step_holds(v));
    assert_true(monitor_step_prepare(v));
    assert_int_equal(rights_set(d, 3, 1, RX), 0);
    v->tlb_seen = d->p2m.generation;
    assert_false(monitor_step_arm(v));
    assert_false(v->regs.rflags & RFLAGS_TF);
    step_arm();
    monitor_step_cancel(v);
}

/* ---- Without a listener ------------------------------------------------- */

static void violation_nobody_hears_gives_the_page_its_rights(void **state)
{
    struct vmexit exit = violation(DATA, ACCESS_WRITE);

    (void)state;
    fixture_phys_put(d, CODE, mov_store, sizeof(mov_store));
    assert_int_equal(rights_set(d, DATA >> PAGE_SHIFT, 1, ACCESS_READ), 0);
    assert_true(monitor_access_exit(v, &exit));
    assert_int_equal(rights_get(d, DATA >> PAGE_SHIFT), ACCESS_ALL);
}

static void violation_rx2rw_becomes_rw_at_the_first_write(void **state)
{
    struct vmexit exit = violation(DATA, ACCESS_WRITE);

    (void)state;
    assert_int_equal(rights_set(d, DATA >> PAGE_SHIFT, 1, RX2RW), 0);
    assert_true(monitor_access_exit(v, &exit));
    assert_int_equal(rights_get(d, DATA >> PAGE_SHIFT), RW);
}

/* What hardware cannot express is no violation: it is permitted in silence. */
static void violation_right_without_read_is_permitted_by_a_step(void **state)
{
    struct vmexit exit = violation(CODE, ACCESS_EXEC);
    struct monitor *m;

    (void)state;
    assert_int_equal(rights_set(d, CODE >> PAGE_SHIFT, 1, ACCESS_EXEC), 0);
    assert_true(monitor_access_exit(v, &exit));
    assert_true(v->stepping);
    assert_int_equal(rights_get(d, CODE >> PAGE_SHIFT), ACCESS_EXEC);
    assert_int_equal(monitor_get(d, &m), 0);
    assert_int_equal(m->access.violation_count, 0);
    monitor_step_cancel(v);
}

static void violation_type_of_page_is_not_the_monitors_business(void **state)
{
    struct vmexit exit = violation(100 << PAGE_SHIFT, ACCESS_WRITE);
    struct p2m_locked p2m = p2m_lock(&d->p2m);
    mfn_t m;

    (void)state;
    assert_int_equal(frame_alloc_domain(d, 0, &m), 0);
    assert_int_equal(p2m_map(p2m, gfn(100), m, 0, P2M_RAM_RO, ACCESS_ALL), 0);
    p2m_unlock(&p2m);
    assert_false(monitor_access_exit(v, &exit));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(step_trap_restores_the_guests_registers),
        TEST(step_guests_own_trap_flag_stays_and_traps),
        TEST(step_data_breakpoint_shows_its_hit_and_no_step),
        TEST(step_exception_is_the_guests_and_ends_it),
        TEST(step_page_fault_that_is_none_is_tried_again),
        TEST(step_survives_an_exit_without_progress),
        TEST(step_popf_keeps_the_popped_trap_flag),
        TEST(step_pushf_is_emulated_with_the_guests_flags),
        TEST(step_syscall_goes_where_the_registers_say),
        TEST(step_ud_that_is_no_syscall_is_delivered),
        TEST(step_delivery_ends_at_the_handlers_fetch),
        TEST(step_pending_exception_takes_its_place),
        TEST(step_other_instruction_ends_it),
        TEST(step_map_change_before_entry_takes_another_turn),
        TEST(violation_nobody_hears_gives_the_page_its_rights),
        TEST(violation_rx2rw_becomes_rw_at_the_first_write),
        TEST(violation_right_without_read_is_permitted_by_a_step),
        TEST(violation_type_of_page_is_not_the_monitors_business),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
