/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the differential tests cannot see: callbacks, the caches, interruption
 * points, page faults, event delivery, and the register shortcut for devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_emul_flat.h"

#define CODE 0x7c00u
#define FLAG_TF 0x100u
#define FLAG_IF 0x200u

static struct flat *f;

static int setup(void **state)
{
    (void)state;
    f = malloc(sizeof(*f));
    if (f) {
        flat_init(f);
    }
    return f ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(f);
    return 0;
}

#define LOAD(...)                                     \
    do {                                              \
        static const uint8_t code_[] = {__VA_ARGS__}; \
        flat_load(f, CODE, code_, sizeof(code_));     \
    } while (0)

static uint64_t *reg(unsigned n)
{
    return &f->e.cpu.reg[n];
}

/* CPL 0, 32-bit flat segments. */
static void protected_flat(void)
{
    for (unsigned n = 0; n < EMUL_SREG_COUNT; n++) {
        f->e.cpu.seg[n] = (struct emul_seg){
            .sel = 8,
            .attr = n == EMUL_CS ? 0xc9b : 0xc93,
            .limit = 0xffffffff,
        };
    }
    f->e.cpu.cr0 |= 1;
    emul_sync(&f->e);
}

static void long_flat(void)
{
    protected_flat();
    f->e.cpu.cr0 |= 0x80000000u;
    f->e.cpu.cr4 |= 0x20;
    f->e.cpu.efer = 0x500;
    f->e.cpu.seg[EMUL_CS].attr = 0xa9b;
    emul_sync(&f->e);
}

/* ---- device registers */

static void mmio_decode_store_returns_value(void **state)
{
    static const uint8_t mov_eax[] = {0x89, 0x07}; /* [rdi], eax */
    static const uint8_t mov_ch[] = {0x88, 0x2f};  /* [rdi], ch */
    static const uint8_t mov_imm[] = {0xc7, 0x07, 1, 2, 3, 0x84};
    uint64_t gpr[16] = {0x1122334455667788u, 0xaabb};
    struct emul_insn i;
    struct emul_mmio m;

    (void)state;
    assert_int_equal(emul_decode(&i, mov_eax, 2, EMUL_MODE_64), 0);
    assert_true(emul_mmio_decode(&i, gpr, &m));
    assert_true(m.write);
    assert_int_equal(m.size, 4);
    assert_int_equal(m.value, 0x55667788);
    assert_int_equal(emul_decode(&i, mov_ch, 2, EMUL_MODE_32), 0);
    assert_true(emul_mmio_decode(&i, gpr, &m));
    assert_int_equal(m.size, 1);
    assert_int_equal(m.value, 0xaa);
    assert_int_equal(emul_decode(&i, mov_imm, 6, EMUL_MODE_64), 0);
    assert_true(emul_mmio_decode(&i, gpr, &m));
    assert_int_equal(m.value, 0x84030201);
}

static void mmio_load_every_width_extends_like_processor(void **state)
{
    static const struct {
        uint8_t code[4];
        uint8_t size;
        uint64_t want; /* of RAX, from all ones, device returns 0x...f182 */
    } rows[] = {
        {{0x8a, 0x07}, 1, 0xffffffffffffff82u},
        {{0x8a, 0x27}, 1, 0xffffffffffff82ffu}, /* AH */
        {{0x66, 0x8b, 0x07}, 2, 0xfffffffffffff182u},
        {{0x8b, 0x07}, 4, 0x8001f182u},
        {{0x48, 0x8b, 0x07}, 8, 0x800000008001f182u},
        {{0x0f, 0xb6, 0x07}, 1, 0x82},
        {{0x0f, 0xbe, 0x07}, 1, 0xffffff82u},
        {{0x48, 0x0f, 0xbe, 0x07}, 1, 0xffffffffffffff82u},
        {{0x0f, 0xb7, 0x07}, 2, 0xf182},
        {{0x48, 0x0f, 0xbf, 0x07}, 2, 0xfffffffffffff182u},
    };

    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        uint64_t gpr[16] = {~0ULL};
        struct emul_insn i;
        struct emul_mmio m;

        assert_int_equal(emul_decode(&i, rows[n].code, 4, EMUL_MODE_64), 0);
        assert_true(emul_mmio_decode(&i, gpr, &m));
        assert_false(m.write);
        assert_int_equal(m.size, rows[n].size);
        emul_mmio_load(&i, gpr, 0x800000008001f182u);
        assert_int_equal(gpr[0], rows[n].want);
    }
}

static void mmio_decode_other_forms_returns_false(void **state)
{
    static const uint8_t rows[][3] = {
        {0x01, 0x07, 0}, {0x89, 0xc7, 0}, {0xa4, 0, 0}, {0x87, 7, 0}};
    uint64_t gpr[16] = {0};

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        struct emul_insn i;
        struct emul_mmio m;
        assert_int_equal(emul_decode(&i, rows[n], 3, EMUL_MODE_64), 0);
        assert_false(emul_mmio_decode(&i, gpr, &m));
    }
}

/* ---- caches and fetch */

static void run_code_that_changes_itself_sees_new_bytes(void **state)
{
    uint64_t budget = 100;

    (void)state;
    /* mov cx,2 / 1: mov al,1 / inc byte [1b+1] / loop 1b / hlt */
    LOAD(0xb9, 2, 0, 0xb0, 1, 0xfe, 0x06, 0x04, 0x7c, 0xe2, 0xf8, 0xf4);
    assert_int_equal(emul_run(&f->e, &budget), EMUL_HALT);
    assert_int_equal(*reg(EMUL_RAX) & 0xff, 2);
    assert_int_equal(f->mem[CODE + 4], 3);
}

static void cache_decode_changed_bytes_decodes_again(void **state)
{
    static const uint8_t nop[] = {0x90, 0x90}, hlt[] = {0xf4, 0x90};
    const struct emul_insn *i;

    (void)state;
    assert_int_equal(
        emul_cache_decode(&f->cache, 0x1000, nop, 2, EMUL_MODE_32, &i), 0);
    assert_int_equal(i->id, EMUL_I_NOP);
    assert_int_equal(
        emul_cache_decode(&f->cache, 0x1000, hlt, 2, EMUL_MODE_32, &i), 0);
    assert_int_equal(i->id, EMUL_I_HLT);
    assert_int_equal(
        emul_cache_decode(&f->cache, 0x1000, hlt, 0, EMUL_MODE_32, &i),
        EMUL_DECODE_MORE);
}

static void cache_drop_overlapping_write_empties_entry(void **state)
{
    static const uint8_t mov[] = {0xb8, 1, 2, 3, 4};
    const struct emul_insn *i;
    uint64_t tag = emul_cache_tag(0x203e, EMUL_MODE_32);

    (void)state;
    emul_cache_decode(&f->cache, 0x203e, mov, 5, EMUL_MODE_32, &i);
    assert_int_equal(emul_cache_slot(&f->cache, 0x203e)->tag, tag);
    emul_cache_written(&f->cache, 0x2043, 1); /* just behind it */
    assert_int_equal(emul_cache_slot(&f->cache, 0x203e)->tag, tag);
    emul_cache_written(&f->cache, 0x2042, 1); /* its last byte, next line */
    assert_int_equal(emul_cache_slot(&f->cache, 0x203e)->tag, 0);
}

static void cache_init_too_small_returns_einval(void **state)
{
    struct emul_cache_entry one[3];
    struct emul_cache c;

    (void)state;
    assert_int_equal(emul_cache_init(&c, one, 63, true), -22);
    assert_int_equal(emul_cache_init(&c, one, sizeof(one), true), 0);
    assert_int_equal(c.mask, 1);
}

static void step_insn_crossing_into_bad_page_faults_there(void **state)
{
    (void)state;
    flat_load(f, 0x7ffe, "\xb8\x01", 2); /* mov ax, 2 bytes beyond */
    f->e.cpu.rip = 0x7ffe;
    f->fault_from = 0x8000;
    f->fault_to = 0x9000;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 14);
    assert_int_equal(f->e.event.cr2, 0x8000);
    assert_int_equal(f->e.cpu.rip, 0x7ffe);
    flat_load(f, 0x7ffe, "\xb0\x01", 2); /* fits the page: nothing is read */
    assert_int_equal(emul_step(&f->e), EMUL_OK);
}

static void step_overlong_insn_raises_gp(void **state)
{
    (void)state;
    memset(f->mem + CODE, 0x66, 15);
    f->mem[CODE + 15] = 0x90;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 13);
    assert_int_equal(f->e.event.error, 0);
}

static void step_insn_over_code_limit_raises_gp(void **state)
{
    (void)state;
    LOAD(0xb8, 1, 0, 0xf4);
    f->e.cpu.seg[EMUL_CS].limit = CODE + 1;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 13);
    f->e.cpu.seg[EMUL_CS].limit = CODE + 2;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(emul_step(&f->e), EMUL_FAULT); /* nothing at RIP */
    assert_int_equal(f->e.event.vector, 13);
}

static void step_lock_on_register_raises_ud(void **state)
{
    (void)state;
    LOAD(0xf0, 0x01, 0xc0);
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 6);
}

/* ---- REP */

static void rep_movs_fault_midway_keeps_progress(void **state)
{
    (void)state;
    LOAD(0xf3, 0xa4);
    *reg(EMUL_RCX) = 10;
    *reg(EMUL_RSI) = 0x100;
    *reg(EMUL_RDI) = 0x8ffd;
    f->fault_from = 0x9000;
    f->fault_to = 0xa000;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->e.event.vector, 14);
    assert_int_equal(f->e.event.cr2, 0x9000);
    assert_int_equal(f->e.event.error, 2);
    assert_int_equal(*reg(EMUL_RCX), 7);
    assert_int_equal(*reg(EMUL_RSI), 0x103);
    assert_int_equal(*reg(EMUL_RDI), 0x9000);
    assert_int_equal(f->e.cpu.rip, CODE);
}

static void rep_stos_over_limit_goes_on_next_step(void **state)
{
    (void)state;
    LOAD(0xf3, 0xaa, 0xf4);
    f->e.rep_limit = 4;
    *reg(EMUL_RCX) = 6;
    *reg(EMUL_RDI) = 0x100;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->e.cpu.rip, CODE);
    assert_int_equal(*reg(EMUL_RCX), 2);
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->e.cpu.rip, CODE + 2);
    assert_int_equal(*reg(EMUL_RDI), 0x106);
}

static void rep_stos_pending_irq_stops_after_one(void **state)
{
    uint64_t budget = 100;

    (void)state;
    LOAD(0xf3, 0xaa, 0xf4);
    *reg(EMUL_RCX) = 6;
    f->e.cpu.rflags |= FLAG_IF;
    f->e.irq_pending = true;
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(*reg(EMUL_RCX), 5);
    assert_int_equal(emul_run(&f->e, &budget), EMUL_IRQ_OPEN);
    assert_int_equal(*reg(EMUL_RCX), 5);
}

static void run_budget_counts_iterations(void **state)
{
    uint64_t budget = 1000;

    (void)state;
    LOAD(0xf3, 0xaa, 0xf4); /* 500 iterations and HLT */
    *reg(EMUL_RCX) = 500;
    *reg(EMUL_RDI) = 0x100;
    assert_int_equal(emul_run(&f->e, &budget), EMUL_HALT);
    assert_int_equal(budget, 1000 - 500 - 1);
}

static void ins_bad_destination_leaves_port_alone(void **state)
{
    (void)state;
    LOAD(0x6c);
    *reg(EMUL_RDI) = 0x9000;
    f->fault_from = 0x9000;
    f->fault_to = 0xa000;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(f->port_count, 0);
}

/* ---- callbacks */

static int lose_twice;

static int race_cmpxchg(struct emul *e, uint64_t lin, unsigned size,
                        unsigned access, uint64_t old, uint64_t value)
{
    struct flat *m = e->priv;

    (void)old;
    if (lose_twice > 0) {
        lose_twice--;
        m->mem[lin] += 10; /* another processor was faster */
        return EMUL_RESTART;
    }
    return flat_write(e, lin, size, access, value);
}

static void lock_inc_lost_race_starts_again(void **state)
{
    struct emul_ops ops = flat_ops;

    (void)state;
    ops.cmpxchg = race_cmpxchg;
    f->e.ops = &ops;
    lose_twice = 2;
    LOAD(0xf0, 0xfe, 0x06, 0x00, 0x01); /* lock inc byte [100h] */
    assert_int_equal(emul_step(&f->e), EMUL_OK);
    assert_int_equal(f->mem[0x100], 21);
    lose_twice = 1000;
    f->e.cpu.rip = CODE;
    assert_int_equal(emul_step(&f->e), EMUL_RETRY);
    assert_int_equal(f->e.cpu.rip, CODE);
}

static int retry_io(struct emul *e, uint16_t port, unsigned size, bool in,
                    uint32_t *value)
{
    (void)e;
    (void)port;
    (void)size;
    (void)in;
    (void)value;
    return EMUL_RETRY;
}

static void out_retry_changes_nothing(void **state)
{
    struct emul_ops ops = flat_ops;
    struct emul_cpu before;

    (void)state;
    ops.io = retry_io;
    f->e.ops = &ops;
    LOAD(0xe6, 0x80);
    before = f->e.cpu;
    before.reg[EMUL_REG_NEXT] = CODE + 2;
    assert_int_equal(emul_step(&f->e), EMUL_RETRY);
    assert_memory_equal(&before, &f->e.cpu, sizeof(before));
}

static unsigned cr_seen;
static uint64_t cr_value;

static int cr_veto(struct emul *e, unsigned cr, uint64_t value)
{
    cr_seen = cr;
    cr_value = value;
    return emul_raise(e, 13, 0);
}

static void mov_cr_refused_by_callback_keeps_value(void **state)
{
    struct emul_ops ops = flat_ops;

    (void)state;
    ops.cr_write = cr_veto;
    f->e.ops = &ops;
    LOAD(0x0f, 0x22, 0xe0); /* mov cr4, eax */
    *reg(EMUL_RAX) = 0x80;
    assert_int_equal(emul_step(&f->e), EMUL_FAULT);
    assert_int_equal(cr_seen, 4);
    assert_int_equal(cr_value, 0x80);
    assert_int_equal(f->e.cpu.cr4, 0);
}

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
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(mmio_decode_store_returns_value),
        CASE(mmio_load_every_width_extends_like_processor),
        CASE(mmio_decode_other_forms_returns_false),
        CASE(run_code_that_changes_itself_sees_new_bytes),
        CASE(cache_decode_changed_bytes_decodes_again),
        CASE(cache_drop_overlapping_write_empties_entry),
        CASE(cache_init_too_small_returns_einval),
        CASE(step_insn_crossing_into_bad_page_faults_there),
        CASE(step_overlong_insn_raises_gp),
        CASE(step_insn_over_code_limit_raises_gp),
        CASE(step_lock_on_register_raises_ud),
        CASE(rep_movs_fault_midway_keeps_progress),
        CASE(rep_stos_over_limit_goes_on_next_step),
        CASE(rep_stos_pending_irq_stops_after_one),
        CASE(run_budget_counts_iterations),
        CASE(ins_bad_destination_leaves_port_alone),
        CASE(lock_inc_lost_race_starts_again),
        CASE(out_retry_changes_nothing),
        CASE(mov_cr_refused_by_callback_keeps_value),
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
