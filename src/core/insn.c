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

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/string.h"
#include "ravelin/vmexit.h"

#define FETCH_BYTES 16u
#define SLOT_COUNT 32u
#define EFER_LMA (1UL << 10)
#define DR6_BS (1UL << 14)
#define VECTOR_DB 1u

struct insn_slot {
    uint64_t address; /* linear */
    uint64_t bytes[2];
    uint8_t mode;
    bool valid;
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

enum emul_mode vcpu_code_mode(const struct vcpu *v, uint64_t *base)
{
    struct vcpu_segment cs;

    hv->segment_get(v, SEG_CS, &cs);
    *base = cs.base;
    if ((cs.attr & SEG_ATTR_L) && (hv->creg_get(v, CREG_EFER) & EFER_LMA)) {
        *base = 0;
        return EMUL_MODE_64_AMD;
    }
    return cs.attr & SEG_ATTR_DB ? EMUL_MODE_32 : EMUL_MODE_16;
}

/* Bytes up to the end of the page, then, if the decoder wants more, those of
 * the next one. Returns how many are in `out`, 0 on a fault (queued). */
static unsigned bytes_fetch(struct vcpu *v, uint64_t address, uint8_t *out,
                            unsigned have, unsigned want)
{
    struct guest_fault fault;
    bool user = hv->cpl_get(v) == 3;

    if (guest_linear_read(v, out + have, gva(address + have), want - have,
                          ACCESS_EXEC, user, &fault)) {
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

static int insn_decode(struct vcpu *v, struct insn_slot *slot,
                       unsigned have)
{
    uint8_t *bytes = (uint8_t *)slot->bytes;
    int rc = emul_decode(&slot->insn, bytes, have, slot->mode);

    if (rc == EMUL_DECODE_MORE && have < FETCH_BYTES) {
        if (!bytes_fetch(v, slot->address, bytes, have, FETCH_BYTES)) {
            return -RV_EFAULT;
        }
        rc = emul_decode(&slot->insn, bytes, FETCH_BYTES, slot->mode);
    }
    if (rc) {
        decode_failed(v, rc);
    }
    return rc;
}

const struct emul_insn *vcpu_insn_fetch(struct vcpu *v)
{
    uint64_t base;
    enum emul_mode mode = vcpu_code_mode(v, &base);
    uint64_t address = base + v->regs.rip;
    unsigned have = FETCH_BYTES;
    uint64_t bytes[2] = {0, 0};
    struct insn_slot *slot;

    if (mode != EMUL_MODE_64_AMD) {
        address = (uint32_t)address;
    }
    if ((address & ~PAGE_MASK) > PAGE_SIZE - FETCH_BYTES) {
        have = (unsigned)(PAGE_SIZE - (address & ~PAGE_MASK));
    }
    if (!bytes_fetch(v, address, (uint8_t *)bytes, 0, have)) {
        return NULL;
    }
    slot = &v->insn->slot[(address ^ (address >> 5)) % SLOT_COUNT];
    if (likely(slot->valid && slot->address == address &&
               slot->bytes[0] == bytes[0] && slot->bytes[1] == bytes[1] &&
               slot->mode == mode)) {
        return &slot->insn;
    }
    slot->valid = false;
    slot->address = address;
    slot->mode = (uint8_t)mode;
    slot->bytes[0] = bytes[0];
    slot->bytes[1] = bytes[1];
    if (insn_decode(v, slot, have)) {
        return NULL;
    }
    slot->valid = have == FETCH_BYTES;
    return &slot->insn;
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
    offset = registers[insn->base] +
             (registers[insn->index] << insn->scale) +
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

unsigned vcpu_insn_length(struct vcpu *v, const struct vmexit *exit)
{
    const struct emul_insn *insn;

    if (exit->insn_len) {
        return exit->insn_len;
    }
    insn = vcpu_insn_fetch(v);
    return insn ? insn->len : 0;
}

void vcpu_rip_advance(struct vcpu *v, unsigned length)
{
    uint64_t base;

    v->regs.rip += length;
    if (vcpu_code_mode(v, &base) != EMUL_MODE_64_AMD) {
        v->regs.rip = (uint32_t)v->regs.rip;
    }
    v->regs.rflags &= ~RFLAGS_RF;
    hv->shadow_clear(v);
    if (unlikely(v->regs.rflags & RFLAGS_TF)) {
        hv->creg_set(v, CREG_DR6, hv->creg_get(v, CREG_DR6) | DR6_BS);
        vcpu_exception_inject(v, VECTOR_DB, false, 0);
    }
}

void vcpu_insn_skip(struct vcpu *v, const struct vmexit *exit)
{
    unsigned length = vcpu_insn_length(v, exit);

    if (length) {
        vcpu_rip_advance(v, length);
    }
}
