/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intercepted control-register writes: which instruction it was, whether the
 * value is one this guest may load, and the consequences of loading it. CR4 is
 * always watched, because its bits enable processor features that CPUID hides;
 * CR0 and CR3 only while somebody listens to them; CR8 only while a latched
 * interrupt waits for it.
 * Ref: AMD APM Vol 2, 3.1 "System-Control Registers"; Intel SDM Vol 3A 2.5.
 */

#include "ravelin/cr.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/monitor.h"
#include "ravelin/vlapic.h"
#include "ravelin/vmexit.h"

#define CR0_PE (1UL << 0)
#define CR0_MP (1UL << 1)
#define CR0_EM (1UL << 2)
#define CR0_TS (1UL << 3)
#define CR0_ET (1UL << 4)
#define CR0_NW (1UL << 29)
#define CR0_CD (1UL << 30)
#define CR0_PG (1UL << 31)
#define CR0_DEFINED 0xe005003fUL
#define CR4_DE (1UL << 3)
#define CR4_PAE (1UL << 5)
#define CR4_PCIDE (1UL << 17)
#define CR4_OSXSAVE (1UL << 18)
#define EFER_LME (1UL << 8)
#define EFER_LMA (1UL << 10)
#define CR3_PCID 0xfffUL
#define DR7_ONES 0x400UL
#define DR7_ZEROES 0xd800UL

int cr4_write(struct vcpu *v, uint64_t value)
{
    uint64_t old = hv->creg_get(v, CREG_CR4);
    uint64_t efer = hv->creg_get(v, CREG_EFER);

    if (value & ~cpuid_policy_cr4_mask(v->domain)) {
        return -RV_EINVAL;
    }
    if ((efer & EFER_LMA) && !(value & CR4_PAE)) {
        return -RV_EINVAL;
    }
    if ((value & ~old & CR4_PCIDE) &&
        (!(efer & EFER_LMA) || (hv->creg_get(v, CREG_CR3) & CR3_PCID))) {
        return -RV_EINVAL;
    }
    hv->creg_set(v, CREG_CR4, value);
    return 0;
}

static int paging_enable(struct vcpu *v, uint64_t efer)
{
    struct vcpu_segment cs;

    if (!(efer & EFER_LME)) {
        return 0;
    }
    hv->segment_get(v, SEG_CS, &cs);
    if (!(hv->creg_get(v, CREG_CR4) & CR4_PAE) || (cs.attr & SEG_ATTR_L)) {
        return -RV_EINVAL;
    }
    hv->creg_set(v, CREG_EFER, efer | EFER_LMA);
    return 0;
}

static int paging_disable(struct vcpu *v, uint64_t efer)
{
    if (hv->code_bits_get(v) == 64 || (hv->creg_get(v, CREG_CR4) & CR4_PCIDE)) {
        return -RV_EINVAL;
    }
    hv->creg_set(v, CREG_EFER, efer & ~EFER_LMA);
    return 0;
}

int cr0_write(struct vcpu *v, uint64_t value)
{
    uint64_t old = hv->creg_get(v, CREG_CR0);
    uint64_t efer = hv->creg_get(v, CREG_EFER);
    int rc = 0;

    if ((value >> 32) || ((value & CR0_PG) && !(value & CR0_PE)) ||
        ((value & CR0_NW) && !(value & CR0_CD))) {
        return -RV_EINVAL;
    }
    value = (value & CR0_DEFINED) | CR0_ET;
    if ((value & ~old) & CR0_PG) {
        rc = paging_enable(v, efer);
    } else if ((old & ~value) & CR0_PG) {
        rc = paging_disable(v, efer);
    }
    if (rc == 0) {
        hv->creg_set(v, CREG_CR0, value);
        v->attention |= v->domain->emulates_real;
    }
    return rc;
}

/* Bit 63 asks to keep translations when PCIDs are on; keeping fewer is
 * allowed, so it is dropped. */
int cr3_write(struct vcpu *v, uint64_t value)
{
    uint64_t limit = 1UL << cpuid_policy_phys_bits(v->domain);

    if (hv->creg_get(v, CREG_CR4) & CR4_PCIDE) {
        value &= ~(1UL << 63);
    }
    if (value >= limit) {
        return -RV_EINVAL;
    }
    hv->creg_set(v, CREG_CR3, value);
    return 0;
}

static int cr8_write(struct vcpu *v, uint64_t value)
{
    if (value > 15) {
        return -RV_EINVAL;
    }
    vlapic_cr8_set(v, (unsigned)value);
    return 0;
}

int cr_write(struct vcpu *v, unsigned cr, uint64_t value)
{
    switch (cr) {
    case 0:
        return cr0_write(v, value);
    case 3:
        return cr3_write(v, value);
    case 4:
        return cr4_write(v, value);
    case 8:
        return cr8_write(v, value);
    default:
        return -RV_EINVAL;
    }
}

/* LMSW loads the low four bits and cannot clear PE. */
static int lmsw_value(struct vcpu *v, const struct emul_insn *insn,
                      uint64_t *value)
{
    const uint64_t low = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
    uint64_t old = hv->creg_get(v, CREG_CR0);
    uint16_t source = (uint16_t)v->regs.gpr[insn->rm];

    if (insn->flags & EMUL_F_MEM) {
        struct guest_fault fault;
        gva_t at = insn_memory_operand(v, insn);

        if (guest_linear_read(v, &source, at, sizeof(source), ACCESS_READ,
                              false, &fault)) {
            vcpu_pf_inject(v, fault.error, fault.gva);
            return -RV_EFAULT;
        }
    }
    *value = (old & ~low) | (source & low) | (old & CR0_PE);
    return 0;
}

static const uint64_t *cr_of(const struct vcpu *v, unsigned cr)
{
    return cr == 0 ? &v->paging.cr0 : cr == 3 ? &v->paging.cr3 : &v->paging.cr4;
}

/* A write that faults is no event; one that succeeds is reported with what the
 * register now holds. */
static void written(struct vcpu *v, unsigned cr, uint64_t value,
                    unsigned length)
{
    uint64_t old = *cr_of(v, cr);

    if (cr_write(v, cr, value)) {
        vcpu_gp_inject(v);
        return;
    }
    vcpu_rip_advance(v, length);
    if (unlikely(monitor_of(v->domain)) && cr != 8) {
        monitor_cr_written(v, cr, old, *cr_of(v, cr));
    }
}

void cr_write_back(struct vcpu *v, unsigned cr, uint64_t old)
{
    if (cr_write(v, cr, old) != 0) {
        domain_crash(v->domain, v, "a write of CR%u cannot be taken back", cr);
    }
}

/* Without decode assists the instruction itself must be looked at. */
static void write_decoded(struct vcpu *v, const struct vmexit *exit)
{
    const struct emul_insn *insn = vcpu_insn_fetch(v, exit);
    uint64_t value;

    if (!insn) {
        return;
    }
    switch (insn->id) {
    case EMUL_I_MOV_CR_R:
        value = v->regs.gpr[insn->rm];
        if (exit->code_bits != 64) {
            value = (uint32_t)value;
        }
        break;
    case EMUL_I_CLTS:
        value = hv->creg_get(v, CREG_CR0) & ~CR0_TS;
        break;
    case EMUL_I_LMSW:
        if (lmsw_value(v, insn, &value)) {
            return;
        }
        break;
    default:
        /* Another vCPU rewrote the code since the exit. */
        return;
    }
    written(v, exit->u.cr.cr, value, insn->len);
}

void cr_exit_handle(struct vcpu *v, const struct vmexit *exit)
{
    uint64_t value;

    if (!exit->u.cr.write) {
        domain_crash(v->domain, v, "unexpected read intercept of CR%u",
                     exit->u.cr.cr);
        return;
    }
    if (!exit->u.cr.decoded || !exit->insn_len) {
        write_decoded(v, exit);
        return;
    }
    value = v->regs.gpr[exit->u.cr.gpr];
    if (exit->code_bits != 64) {
        value = (uint32_t)value;
    }
    written(v, exit->u.cr.cr, value, exit->insn_len);
}

/* The upper half must be zero; bit 10 reads as one, bits 11, 12, 14 and 15 as
 * zero. Ref: AMD APM Vol 2, 13.1.1.4 "Debug-Control Register (DR7)". */
static bool dr7_set(struct vcpu *v, uint64_t value)
{
    if (value >> 32) {
        return false;
    }
    hv->creg_set(v, CREG_DR7, (value & ~DR7_ZEROES) | DR7_ONES);
    return true;
}

static bool dr_write(struct vcpu *v, unsigned dr, uint64_t value)
{
    if (hv->cpl_get(v) != 0) {
        return false;
    }
    if (dr < 4) {
        hv->creg_set(v, (enum vcpu_creg)(CREG_DR0 + dr), value);
        return true;
    }
    return dr7_set(v, value);
}

/* DR5 is another name of DR7 unless CR4.DE forbids it. */
void dr_exit_handle(struct vcpu *v, const struct vmexit *exit)
{
    const struct emul_insn *insn = vcpu_insn_fetch(v, exit);
    uint64_t value;

    if (!insn || insn->id != EMUL_I_MOV_DR_R) {
        return; /* faulted, or the code was rewritten since the exit */
    }
    if (exit->u.dr.dr == 5 && (hv->creg_get(v, CREG_CR4) & CR4_DE)) {
        vcpu_ud_inject(v);
        return;
    }
    value = v->regs.gpr[insn->rm];
    if (dr_write(v, exit->u.dr.dr,
                 exit->code_bits == 64 ? value : (uint32_t)value)) {
        vcpu_rip_advance(v, insn->len);
    } else {
        vcpu_gp_inject(v);
    }
}

void xsetbv_exit_handle(struct vcpu *v, const struct vmexit *exit)
{
    uint64_t value =
        (uint32_t)v->regs.gpr[REG_RAX] | (v->regs.gpr[REG_RDX] << 32);

    if (!(hv->creg_get(v, CREG_CR4) & CR4_OSXSAVE)) {
        vcpu_ud_inject(v);
    } else if (hv->cpl_get(v) != 0 || (uint32_t)v->regs.gpr[REG_RCX] != 0 ||
               !cpuid_policy_xcr0_is_valid(v->domain, value)) {
        vcpu_gp_inject(v);
    } else {
        hv->creg_set(v, CREG_XCR0, value);
        vcpu_insn_skip(v, exit);
    }
}
