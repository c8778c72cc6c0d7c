/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction a vCPU stopped at. Where hardware does not tell its length
 * it is fetched and decoded; decoded forms are kept per vCPU by address and
 * used again only if the very same bytes are there, so a stale entry can not
 * be taken for the truth.
 *
 * Threat surface: instruction bytes and the page tables that lead to them,
 * both of which another vCPU may change while we look: a wrong length can harm
 * only the guest that arranged it.
 */

#include "ravelin/insn.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/string.h"
#include "ravelin/vmexit.h"

#define FETCH_BYTES 16u
#define SLOT_COUNT 32u
#define DR6_BS (1UL << 14)
#define VECTOR_DB 1u

struct insn_slot {
    uint64_t address; /* linear */
    uint64_t bytes[2];
    uint8_t valid_bits; /* code width it was decoded for; 0: empty */
    struct emul_insn insn;
};

struct insn_cache {
    struct insn_slot slot[SLOT_COUNT];
};
static_assert(sizeof(struct insn_cache) <= PAGE_SIZE, "one page per vCPU");

int insn_cache_create(struct vcpu *v)
{
    v->insn = page_alloc();
    return v->insn ? 0 : -RV_ENOMEM;
}

void insn_cache_destroy(struct vcpu *v)
{
    if (v->insn) {
        page_free(v->insn);
        v->insn = NULL;
    }
}

static enum emul_mode emul_mode_of(unsigned bits)
{
    return bits == 64   ? EMUL_MODE_64_AMD
           : bits == 32 ? EMUL_MODE_32
                        : EMUL_MODE_16;
}

enum emul_mode vcpu_code_mode(const struct vcpu *v, uint64_t *base)
{
    unsigned bits = hv->code_bits_get(v);
    struct vcpu_segment cs;

    hv->segment_get(v, SEG_CS, &cs);
    *base = bits == 64 ? 0 : cs.base;
    return emul_mode_of(bits);
}

/* Bytes up to the end of the page, then, if the decoder wants more, those of
 * the next one. Returns how many are in `out`, 0 on a fault (queued). */
static unsigned bytes_fetch(struct vcpu *v, uint64_t address, uint8_t *out,
                            unsigned have, unsigned want)
{
    struct guest_fault fault;
    bool user = hv->cpl_get(v) == 3;

    if (guest_linear_read(v, out + have, gva(address + have), want - have,
                          ACCESS_EXEC, user, &fault) &&
        (fault.is_page_fault ||
         guest_free_read(v, out + have, gva(address + have), want - have,
                         ACCESS_EXEC, user, &fault))) {
        if (fault.is_page_fault) {
            vcpu_pf_inject(v, fault.error, fault.gva);
        } else {
            domain_crash(v->domain, v,
                         "instruction fetch from %016lx: no memory at guest "
                         "physical %lx",
                         address, fault.gpa.v);
        }
        return 0;
    }
    return want;
}

static void decode_failed(struct vcpu *v, int rc)
{
    if (rc == EMUL_DECODE_LONG) {
        vcpu_gp_inject(v);
    } else {
        vcpu_ud_inject(v);
    }
}

static int insn_decode(struct vcpu *v, struct insn_slot *slot, unsigned have,
                       enum emul_mode mode)
{
    uint8_t *bytes = (uint8_t *)slot->bytes;
    int rc = emul_decode(&slot->insn, bytes, have, mode);

    if (rc == EMUL_DECODE_MORE && have < FETCH_BYTES) {
        if (!bytes_fetch(v, slot->address, bytes, have, FETCH_BYTES)) {
            return -RV_EFAULT;
        }
        rc = emul_decode(&slot->insn, bytes, FETCH_BYTES, mode);
    }
    if (rc) {
        decode_failed(v, rc);
    }
    return rc;
}

static rv_noinline const struct emul_insn *insn_refill(
    struct vcpu *v, struct insn_slot *slot, uint64_t address,
    const struct vmexit *exit)
{
    uint64_t offset = address & ~PAGE_MASK;
    unsigned have = FETCH_BYTES;

    if (offset > PAGE_SIZE - FETCH_BYTES) {
        have = (unsigned)(PAGE_SIZE - offset);
    }
    slot->valid_bits = 0;
    slot->address = address;
    slot->bytes[0] = slot->bytes[1] = 0;
    if (!bytes_fetch(v, address, (uint8_t *)slot->bytes, 0, have) ||
        insn_decode(v, slot, have, emul_mode_of(exit->code_bits))) {
        return NULL;
    }
    /* A slot is not used again if its bytes lie in two pages. */
    slot->valid_bits = have == FETCH_BYTES ? exit->code_bits : 0;
    return &slot->insn;
}

static rv_noinline uint64_t linear_of(const struct vcpu *v, uint64_t rip)
{
    struct vcpu_segment cs;

    hv->segment_get(v, SEG_CS, &cs);
    return (uint32_t)(cs.base + rip);
}

/* Functions, and the stubs of the hypercall page, begin at multiples of some
 * power of two, so the low bits alone would put them all into one slot. */
static inline size_t slot_of(uint64_t address)
{
    return (address ^ address / SLOT_COUNT) % SLOT_COUNT;
}

/* On the path of nearly every exit: kept in one piece by the inlining. */
static rv_always_inline const struct emul_insn *insn_fetch(
    struct vcpu *v, const struct vmexit *exit)
{
    uint64_t address = v->regs.rip;
    struct insn_slot *slot;

    if (unlikely(exit->code_bits != 64)) {
        address = linear_of(v, address);
    }
    slot = &v->insn->slot[slot_of(address)];
    if (likely(
            slot->address == address && slot->valid_bits == exit->code_bits &&
            guest_code_matches(v, gva(address), exit->cpl == 3, slot->bytes))) {
        return &slot->insn;
    }
    return insn_refill(v, slot, address, exit);
}

const struct emul_insn *vcpu_insn_fetch(struct vcpu *v,
                                        const struct vmexit *exit)
{
    return insn_fetch(v, exit);
}

/* As many bytes as can be had, up to FETCH_BYTES. */
static unsigned bytes_peek(struct vcpu *v, uint64_t address, uint8_t *out,
                           bool user)
{
    uint64_t room = PAGE_SIZE - (address & ~PAGE_MASK);
    unsigned first = (unsigned)rv_min(room, (uint64_t)FETCH_BYTES);
    struct guest_fault fault;

    if (guest_free_read(v, out, gva(address), first, ACCESS_EXEC, user,
                        &fault)) {
        return 0;
    }
    if (first < FETCH_BYTES &&
        guest_free_read(v, out + first, gva(address + first),
                        FETCH_BYTES - first, ACCESS_EXEC, user, &fault)) {
        return first;
    }
    return FETCH_BYTES;
}

/* The same slots as for the others, filled without any consequence. */
static bool slot_peek(struct vcpu *v, struct insn_slot *slot, uint64_t address,
                      enum emul_mode mode, bool user)
{
    unsigned have;

    slot->valid_bits = 0;
    slot->address = address;
    slot->bytes[0] = slot->bytes[1] = 0;
    have = bytes_peek(v, address, (uint8_t *)slot->bytes, user);
    return have != 0 && emul_decode(&slot->insn, (const uint8_t *)slot->bytes,
                                    have, mode) == 0;
}

int vcpu_insn_peek(struct vcpu *v, struct emul_insn *out)
{
    uint64_t base;
    enum emul_mode mode = vcpu_code_mode(v, &base);
    uint8_t bits = (uint8_t)hv->code_bits_get(v);
    bool user = hv->cpl_get(v) == 3;
    uint64_t address = base + v->regs.rip;
    struct insn_slot *slot;

    if (mode != EMUL_MODE_64_AMD) {
        address = (uint32_t)address;
    }
    slot = &v->insn->slot[address % SLOT_COUNT];
    if (slot->address != address || slot->valid_bits != bits ||
        !guest_code_matches(v, gva(address), user, slot->bytes)) {
        if (!slot_peek(v, slot, address, mode, user)) {
            return -RV_EFAULT;
        }
        slot->valid_bits =
            (address & ~PAGE_MASK) <= PAGE_SIZE - FETCH_BYTES ? bits : 0;
    }
    *out = slot->insn;
    return 0;
}

gva_t insn_memory_operand(const struct vcpu *v, const struct emul_insn *insn)
{
    uint64_t registers[EMUL_REG_COUNT] = {0};
    struct vcpu_segment segment;
    uint64_t base;
    uint64_t offset;
    bool is_64 = vcpu_code_mode(v, &base) == EMUL_MODE_64_AMD;

    memcpy(registers, v->regs.gpr, sizeof(v->regs.gpr));
    registers[EMUL_REG_NEXT] = v->regs.rip + insn->len;
    offset = registers[insn->base] + (registers[insn->index] << insn->scale) +
             (uint64_t)(int64_t)insn->disp;
    if (insn->adsize < 8) {
        offset &= (1UL << (insn->adsize * 8)) - 1;
    }
    hv->segment_get(v, (enum seg_index)insn->seg, &segment);
    if (is_64) {
        return gva(offset + (insn->seg >= EMUL_FS ? segment.base : 0));
    }
    return gva((uint32_t)(offset + segment.base));
}

/* What a skipped instruction leaves to do in rare cases. */
static rv_noinline void retire_slow(struct vcpu *v, uint64_t old)
{
    /* Only 64-bit code goes on past 4 GiB; shorter pointers wrap there. */
    if ((v->regs.rip ^ old) >> 32 && hv->code_bits_get(v) != 64) {
        v->regs.rip = (uint32_t)v->regs.rip;
    }
    if (v->regs.rflags & RFLAGS_TF) {
        hv->creg_set(v, CREG_DR6, hv->creg_get(v, CREG_DR6) | DR6_BS);
        vcpu_exception_inject(v, VECTOR_DB, false, 0);
    }
}

static rv_always_inline void rip_advance(struct vcpu *v, unsigned length)
{
    uint64_t old = v->regs.rip;

    v->regs.rip = old + length;
    if (unlikely((v->regs.rip ^ old) >> 32 || (v->regs.rflags & RFLAGS_TF))) {
        retire_slow(v, old);
    }
    v->regs.rflags &= ~RFLAGS_RF;
    hv->shadow_clear(v);
}

void vcpu_rip_advance(struct vcpu *v, unsigned length)
{
    rip_advance(v, length);
}

static rv_always_inline unsigned insn_length(struct vcpu *v,
                                             const struct vmexit *exit)
{
    const struct emul_insn *insn;

    if (exit->insn_len) {
        return exit->insn_len;
    }
    insn = insn_fetch(v, exit);
    return insn ? insn->len : 0;
}

unsigned vcpu_insn_length(struct vcpu *v, const struct vmexit *exit)
{
    return insn_length(v, exit);
}

void vcpu_insn_skip(struct vcpu *v, const struct vmexit *exit)
{
    unsigned length = insn_length(v, exit);

    if (likely(length)) {
        rip_advance(v, length);
    }
}
