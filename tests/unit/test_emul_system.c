/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control and debug registers, shadows and traps, event delivery, and segment
 * rules that user-mode comparison does not reach.
 */
#include "test_emul_case.h"

/* ---- control registers */

static void mov_cr0_bad_combinations_raise_gp(void **state)
{
    static const uint64_t bad[] = {0x80000000u, 0x20000001u};

    (void)state;
    LOAD(0x0f, 0x22, 0xc0);
    for (size_t n = 0; n < 2; n++) {
        *reg(EMUL_RAX) = bad[n];
        assert_int_equal(emul_step(&f->e), EMUL_FAULT);
        assert_int_equal(f->e.event.vector, 13);
    }
    *reg(EMUL_RAX) = 1;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->e.cpu.cr0, 0x11); /* ET stays */
}

static void lmsw_cannot_clear_pe(void **state)
{
    (void)state;
    protected_flat();
    LOAD(0x0f, 0x01, 0xf0);
    *reg(EMUL_RAX) = 0xfff8; /* only the low four bits count */
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->e.cpu.cr0 & 0xf, 9);
}

static void mov_cr8_outside_long_mode_raises_ud(void **state)
{
    struct emul_insn i = {.id = EMUL_I_MOV_R_CR, .reg = 8, .len = 3};

    (void)state;
    assert_int_equal(emul_exec(&f->e, &i), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 6);
}

static void mov_dr_general_detect_raises_db(void **state)
{
    (void)state;
    LOAD(0x0f, 0x21, 0xf8); /* mov eax, dr7 */
    f->e.cpu.dr[7] |= 0x2000;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 1);
    assert_int_equal(f->e.cpu.dr[6] & 0x2000, 0x2000);
    assert_int_equal(f->e.cpu.dr[7] & 0x2000, 0);
    assert_int_equal(f->e.cpu.rip, CODE);
}

static void mov_dr4_with_de_raises_ud(void **state)
{
    (void)state;
    LOAD(0x0f, 0x21, 0xe0);
    f->e.cpu.cr4 = 8;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 6);
}

/* ---- shadows and traps */

static void sti_opens_interrupts_one_insn_late(void **state)
{
    uint64_t budget = 10;

    (void)state;
    LOAD(0xfb, 0x90, 0x90, 0xf4);
    f->e.irq_pending = true;
    assert_int_equal(emul_run(&f->e, &budget), EMUL_IRQ_OPEN);
    assert_int_equal(f->e.cpu.rip, CODE + 2);
}

static void mov_ss_delays_single_step(void **state)
{
    (void)state;
    LOAD(0x8e, 0xd0, 0x90, 0x90);
    f->e.cpu.rflags |= FLAG_TF;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 1);
    assert_int_equal(f->e.cpu.rip, CODE + 3);
    assert_int_equal(f->e.cpu.dr[6] & 0x4000, 0x4000);
}

/* ---- delivery */

static void deliver_outside_ivt_ends_in_shutdown(void **state)
{
    struct emul_event ev = {.vector = 0x20, .type = EMUL_EVENT_EXTINT};

    (void)state;
    f->e.cpu.seg[EMUL_IDTR].limit = 0;
    assert_int_equal(emul_deliver(&f->e, &ev), EMUL_SHUTDOWN);
}

static void deliver_fault_during_pf_becomes_double_fault(void **state)
{
    struct emul_event ev = {.vector = 14,
                            .type = EMUL_EVENT_EXCEPTION,
                            .has_error = true,
                            .cr2 = 0x1234};

    (void)state;
    protected_flat();
    /* IDT at 1000h: only gate 8 exists; GDT at 2000h with a code segment. */
    f->e.cpu.seg[EMUL_IDTR] =
        (struct emul_seg){.limit = 8 * 9 - 1, .base = 0x1000};
    f->e.cpu.seg[EMUL_GDTR] = (struct emul_seg){.limit = 15, .base = 0x2000};
    memcpy(f->mem + 0x1040, "\x00\x90\x08\x00\x00\x8e\x00\x00", 8);
    memcpy(f->mem + 0x2008, "\xff\xff\x00\x00\x00\x9b\xcf\x00", 8);
    assert_int_equal(emul_deliver(&f->e, &ev), EMUL_OK);
    assert_int_equal(f->e.cpu.rip, 0x9000);
    assert_int_equal(f->e.cpu.cr2, 0x1234);
    uint32_t error;
    memcpy(&error, f->mem + *reg(EMUL_RSP), 4);
    assert_int_equal(error, 0); /* that of #DF */
    uint32_t flags;
    memcpy(&flags, f->mem + *reg(EMUL_RSP) + 12, 4);
    assert_int_equal(flags & 0x10000, 0x10000); /* RF in the image */
}

static void deliver_failed_gate_restores_everything(void **state)
{
    (void)state;
    protected_flat();
    LOAD(0xcd, 0x80);
    f->e.cpu.seg[EMUL_IDTR].limit = 0x7f;
    struct emul_cpu before = f->e.cpu;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 13);
    assert_int_equal(f->e.event.error, 0x80 * 8 + 2);
    before.reg[EMUL_REG_NEXT] = f->e.cpu.reg[EMUL_REG_NEXT];
    assert_memory_equal(&before, &f->e.cpu, sizeof(before));
}

static void deliver_in_long_mode_returns_unhandled(void **state)
{
    struct emul_event ev = {.vector = 3, .type = EMUL_EVENT_SOFT_EXC};

    (void)state;
    long_flat();
    assert_int_equal(emul_deliver(&f->e, &ev), EMUL_UNHANDLED);
}

/* ---- segments */

static void access_expand_down_below_limit_raises_gp(void **state)
{
    (void)state;
    protected_flat();
    LOAD(0x8a, 0x07); /* mov al, [edi] */
    f->e.cpu.seg[EMUL_DS].attr = 0xc97;
    f->e.cpu.seg[EMUL_DS].limit = 0xfff;
    *reg(EMUL_RDI) = 0xfff;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 13);
    *reg(EMUL_RDI) = 0x1000;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
}

static void access_noncanonical_raises_by_segment(void **state)
{
    (void)state;
    long_flat();
    LOAD(0x8a, 0x07, 0x8a, 0x45, 0x00);
    *reg(EMUL_RDI) = *reg(EMUL_RBP) = 0x0000800000000000u;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 13);
    f->e.cpu.rip += 2;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 12);
}

static void access_misaligned_in_user_code_raises_ac(void **state)
{
    (void)state;
    protected_flat();
    LOAD(0x8b, 0x07);
    f->e.cpu.cr0 |= 0x40000;
    f->e.cpu.rflags |= 0x40000;
    *reg(EMUL_RDI) = 0x101;
    assert_int_equal(emul_step(&f->e), EMUL_OK); /* not at CPL 0 */
    f->e.cpu.cpl = 3;
    f->e.cpu.rip = CODE;
    emul_sync(&f->e);
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 17);
    assert_true(f->e.event.has_error);
}

static void big_real_limit_survives_segment_load(void **state)
{
    (void)state;
    LOAD(0x8e, 0xd8, 0x67, 0xc6, 0x07, 0x5a); /* mov ds,ax; mov [edi],5Ah */
    f->e.cpu.seg[EMUL_DS].limit = 0xffffffff;
    *reg(EMUL_RDI) = 0x90000;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->mem[0x90000], 0x5a);
}

static void far_jump_in_long_mode_returns_unhandled(void **state)
{
    (void)state;
    long_flat();
    LOAD(0xff, 0x2f);
    *reg(EMUL_RDI) = 0x100;
    assert_int_equal(emul_step(&f->e), EMUL_UNHANDLED);
    assert_int_equal(f->e.cpu.rip, CODE);
}

static void vex_in_real_mode_raises_ud(void **state)
{
    (void)state;
    LOAD(0xc5, 0xf8, 0x28, 0xc0);
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 6);
    protected_flat();
    assert_int_equal(emul_step(&f->e), EMUL_UNHANDLED);
}

static void undefined_flags_follow_family(void **state)
{
    (void)state;
    LOAD(0xd0, 0xe0); /* shl al, 1: AF undefined */
    f->e.family = EMUL_FAMILY_AMD;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->e.cpu.rflags & 0x10, 0x10);
    f->e.family = EMUL_FAMILY_INTEL;
    f->e.cpu.rip = CODE;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->e.cpu.rflags & 0x10, 0);
}

static void x87_gate_follows_cr0(void **state)
{
    (void)state;
    LOAD(0xdb, 0xe3); /* fninit */
    f->e.cpu.cr0 |= 8;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 7);
    f->e.cpu.cr0 &= ~8ULL;
    assert_int_equal(emul_step(&f->e), EMUL_UNHANDLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(mov_cr0_bad_combinations_raise_gp),
        CASE(lmsw_cannot_clear_pe),
        CASE(mov_cr8_outside_long_mode_raises_ud),
        CASE(mov_dr_general_detect_raises_db),
        CASE(mov_dr4_with_de_raises_ud),
        CASE(sti_opens_interrupts_one_insn_late),
        CASE(mov_ss_delays_single_step),
        CASE(deliver_outside_ivt_ends_in_shutdown),
        CASE(deliver_fault_during_pf_becomes_double_fault),
        CASE(deliver_failed_gate_restores_everything),
        CASE(deliver_in_long_mode_returns_unhandled),
        CASE(access_expand_down_below_limit_raises_gp),
        CASE(access_noncanonical_raises_by_segment),
        CASE(access_misaligned_in_user_code_raises_ac),
        CASE(big_real_limit_survives_segment_load),
        CASE(far_jump_in_long_mode_returns_unhandled),
        CASE(vex_in_real_mode_raises_ud),
        CASE(undefined_flags_follow_family),
        CASE(x87_gate_follows_cr0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
