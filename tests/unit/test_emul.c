/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the differential tests cannot see: callbacks, the caches, interruption
 * points, page faults, and the register shortcut for devices.
 */
#include "test_emul_case.h"

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

int main(void)
{
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
