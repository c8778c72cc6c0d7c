/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetch, dispatch and retire. The fast path is a lookup in a tracked cache and
 * one indirect call; anything unusual (traps, shadows, pending interrupts,
 * misses) takes the slow path.
 * Threat surface: instruction bytes at guest addresses; the 15-byte limit, the
 * CS limit and the page of every byte are checked before use.
 */
#include "exec.h"

/* Lost compare-and-exchange races before giving the caller its turn. */
#define RESTART_LIMIT 64

static uint64_t code_linear(const struct emul *e)
{
    uint64_t lin = e->cpu.seg[EMUL_CS].base + e->cpu.rip;

    return is_long(e) ? e->cpu.rip : (uint32_t)lin;
}

/* Bytes from RIP to the end of the code segment, at most 15. */
static unsigned code_room(const struct emul *e)
{
    const struct emul_seg *cs = &e->cpu.seg[EMUL_CS];

    if (is_long(e)) {
        return EMUL_INSN_MAX;
    }
    if (e->cpu.rip > cs->limit) {
        return 0;
    }
    uint64_t room = cs->limit - e->cpu.rip + 1;
    return room < EMUL_INSN_MAX ? (unsigned)room : EMUL_INSN_MAX;
}

/* Guest-physical address of the code page, remembered until emul_sync(). */
static int code_translate(struct emul *e, uint64_t lin)
{
    uint64_t page = lin & ~0xfffULL;

    if (page == e->code_lin) {
        return EMUL_OK;
    }
    e->code_gpa = page;
    if (e->ops->code_gpa) {
        int rc = e->ops->code_gpa(e, page, &e->code_gpa);
        if (rc) {
            return rc;
        }
    }
    e->code_lin = page;
    return EMUL_OK;
}

static int decode_error(struct emul *e, int rc)
{
    return rc == EMUL_DECODE_INVALID ? raise_ud(e) : raise_gp0(e);
}

static int decode(struct emul *e, uint64_t lin, const uint8_t *bytes,
                  unsigned n, const struct emul_insn **insn,
                  struct emul_insn *local)
{
    if (e->cache) {
        return emul_cache_decode(e->cache, e->code_gpa | (lin & 0xfff), bytes,
                                 n, (enum emul_mode)e->mode, insn);
    }
    *insn = local;
    return emul_decode(local, bytes, n, (enum emul_mode)e->mode);
}

/*
 * Fetches what the first page has, and the second page only if the
 * instruction goes on there.
 */
static int fetch_slow(struct emul *e, const struct emul_insn **insn,
                      struct emul_insn *local)
{
    uint64_t lin = code_linear(e);
    unsigned room = code_room(e);
    uint8_t bytes[EMUL_INSN_MAX];
    unsigned n = 0;

    if (room == 0) {
        return raise_gp0(e);
    }
    int rc = code_translate(e, lin);
    if (rc) {
        return rc;
    }
    do {
        uint64_t at = lin + n;
        unsigned part = room - n;

        if (!is_long(e)) {
            at = (uint32_t)at;
        }
        rc = e->ops->fetch(e, at, bytes + n, &part);
        if (rc) {
            return rc;
        }
        if (part == 0 || part > room - n) {
            return EMUL_UNHANDLED;
        }
        n += part;
        rc = decode(e, lin, bytes, n, insn, local);
    } while (rc == EMUL_DECODE_MORE && n < room);
    return rc ? decode_error(e, rc) : EMUL_OK;
}

/* NULL: not cached, not valid here, or no tracked cache. */
static rv_always_inline const struct emul_insn *fetch_fast(struct emul *e)
{
    const struct emul_cache *cache = e->cache;
    uint64_t lin = code_linear(e);

    if (unlikely(!cache || !cache->tracked ||
                 (lin & ~0xfffULL) != e->code_lin)) {
        return NULL;
    }
    uint64_t gpa = e->code_gpa | (lin & 0xfff);
    const struct emul_cache_entry *slot = emul_cache_slot(cache, gpa);
    if (unlikely(slot->tag != emul_cache_tag(gpa, e->mode))) {
        return NULL;
    }
    if (unlikely(!is_long(e) &&
                 e->cpu.rip + slot->insn.len - 1 > e->cpu.seg[EMUL_CS].limit)) {
        return NULL;
    }
    return &slot->insn;
}

static rv_always_inline int execute(struct emul *e,
                                    const struct emul_insn *insn)
{
    uint64_t next = e->cpu.rip + insn->len;

    e->cpu.reg[EMUL_REG_NEXT] = is_long(e) ? next : (uint32_t)next;
    int rc = emul_handlers[insn->id](e, insn);
    if (likely(rc == EMUL_OK) || rc == EMUL_HALT) {
        e->cpu.rip = e->cpu.reg[EMUL_REG_NEXT];
    }
    return rc;
}

static bool is_software_interrupt(unsigned id)
{
    return id == EMUL_I_INT_N || id == EMUL_I_INT3 || id == EMUL_I_INT1 ||
           id == EMUL_I_INTO;
}

/* RF lasts for one instruction; TF traps after it, unless SS was loaded. */
static int retire(struct emul *e, const struct emul_insn *insn,
                  uint64_t old_flags, int rc)
{
    if ((old_flags & FL_RF) && insn->id != EMUL_I_IRET) {
        e->cpu.rflags &= ~(uint64_t)FL_RF;
    }
    if ((old_flags & FL_TF) && !(e->cpu.shadow & EMUL_SHADOW_SS) &&
        !(is_software_interrupt(insn->id) && !(e->cpu.rflags & FL_TF))) {
        e->cpu.dr[6] |= 1u << 14;
        return emul_raise(e, VEC_DB, 0);
    }
    return rc;
}

static int execute_slow(struct emul *e, const struct emul_insn *insn)
{
    uint64_t flags = e->cpu.rflags;
    uint8_t shadow = e->cpu.shadow;
    int rc = EMUL_RESTART;

    e->cpu.shadow = 0;
    for (unsigned n = 0; n < RESTART_LIMIT && rc == EMUL_RESTART; n++) {
        rc = execute(e, insn);
    }
    if (rc == EMUL_OK || rc == EMUL_HALT) {
        return retire(e, insn, flags, rc);
    }
    e->cpu.shadow = shadow;
    return rc == EMUL_RESTART ? EMUL_RETRY : rc;
}

enum emul_result emul_exec(struct emul *e, const struct emul_insn *insn)
{
    return (enum emul_result)execute_slow(e, insn);
}

enum emul_result emul_step(struct emul *e)
{
    const struct emul_insn *insn = fetch_fast(e);
    struct emul_insn local = {.len = 0};

    if (!insn) {
        insn = &local;
        int rc = fetch_slow(e, &insn, &local);
        if (rc) {
            return (enum emul_result)rc;
        }
    }
    return (enum emul_result)execute_slow(e, insn);
}

static bool irq_is_open(const struct emul *e)
{
    return e->irq_pending && (e->cpu.rflags & FL_IF) && !e->cpu.shadow;
}

static rv_always_inline int run_one(struct emul *e)
{
    bool plain =
        !(e->cpu.rflags & (FL_TF | FL_RF)) && !e->cpu.shadow && !e->irq_pending;

    if (likely(plain)) {
        const struct emul_insn *insn = fetch_fast(e);
        if (likely(insn)) {
            return execute(e, insn);
        }
    } else if (irq_is_open(e)) {
        return EMUL_IRQ_OPEN;
    }
    return emul_step(e);
}

static void budget_take(struct emul *e, uint64_t *budget)
{
    uint64_t spent = 1 + (e->iterations > 1 ? e->iterations - 1 : 0);

    e->iterations = 0;
    *budget = *budget > spent ? *budget - spent : 0;
}

enum emul_result emul_run(struct emul *e, uint64_t *budget)
{
    e->iterations = 0;
    while (*budget) {
        int rc = run_one(e);

        if (likely(rc == EMUL_OK) && likely(e->iterations == 0)) {
            --*budget;
            continue;
        }
        if (rc == EMUL_IRQ_OPEN) {
            return EMUL_IRQ_OPEN;
        }
        budget_take(e, budget);
        if (rc == EMUL_FAULT) {
            struct emul_event event = e->event;
            rc = (int)emul_deliver(e, &event);
        }
        if (rc != EMUL_OK && rc != EMUL_RESTART) {
            return (enum emul_result)rc;
        }
    }
    return EMUL_OK;
}
