/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's registers for its monitor, and back. What may be set are values that
 * the guest's own kernel could set with one instruction each; whatever selects
 * modes or privileges is for reading.
 */

#include "ravelin/errno.h"
#include "ravelin/monitor_control.h"
#include "ravelin/string.h"

#define FLAGS_ONE (1UL << 1)
#define DR6_ONES 0xffff0ff0UL
#define DR6_ZEROES 0x1000UL
#define DR7_ONES 0x400UL
#define DR7_ZEROES 0xd800UL
/* Status, TF, IF, DF, OF, NT, RF, AC, ID: not IOPL, VM, VIF, VIP. */
#define FLAGS_SETTABLE 0x254fd5UL

static const uint8_t seg_order[10] = {
    SEG_ES, SEG_CS,   SEG_SS, SEG_DS,   SEG_FS,
    SEG_GS, SEG_LDTR, SEG_TR, SEG_GDTR, SEG_IDTR,
};

void monitor_registers_read(const struct vcpu *v, struct ravelin_registers *out)
{
    memcpy(out->gpr, v->regs.gpr, sizeof(out->gpr));
    out->rip = v->regs.rip;
    out->rflags = v->regs.rflags;
    out->cr0 = v->paging.cr0;
    out->cr2 = hv->creg_get(v, CREG_CR2);
    out->cr3 = v->paging.cr3;
    out->cr4 = v->paging.cr4;
    out->efer = v->paging.efer;
    out->dr6 = hv->creg_get(v, CREG_DR6);
    out->dr7 = hv->creg_get(v, CREG_DR7);
    out->star = hv->creg_get(v, CREG_STAR);
    out->lstar = hv->creg_get(v, CREG_LSTAR);
    out->cstar = hv->creg_get(v, CREG_CSTAR);
    out->sfmask = hv->creg_get(v, CREG_SFMASK);
    out->kernel_gs_base = hv->creg_get(v, CREG_KERNEL_GS_BASE);
    out->sysenter_cs = hv->creg_get(v, CREG_SYSENTER_CS);
    out->sysenter_esp = hv->creg_get(v, CREG_SYSENTER_ESP);
    out->sysenter_eip = hv->creg_get(v, CREG_SYSENTER_EIP);
    for (unsigned i = 0; i < ARRAY_SIZE(seg_order); i++) {
        struct vcpu_segment s;

        hv->segment_get(v, (enum seg_index)seg_order[i], &s);
        out->seg[i] =
            (struct ravelin_segment){s.selector, s.attr, s.limit, s.base};
    }
}

static bool rip_is_valid(const struct vcpu *v, uint64_t rip)
{
    if (hv->code_bits_get(v) == 64) {
        return (uint64_t)((int64_t)(rip << 16) >> 16) == rip;
    }
    return rip >> 32 == 0;
}

int monitor_registers_write(struct vcpu *v, const struct ravelin_registers *in)
{
    uint64_t flags = (v->regs.rflags & ~FLAGS_SETTABLE) |
                     (in->rflags & FLAGS_SETTABLE) | FLAGS_ONE;

    if (!rip_is_valid(v, in->rip) || in->dr6 >> 32 || in->dr7 >> 32) {
        return -RV_EINVAL;
    }
    memcpy(v->regs.gpr, in->gpr, sizeof(in->gpr));
    v->regs.rip = in->rip;
    v->regs.rflags = flags;
    hv->creg_set(v, CREG_CR2, in->cr2);
    hv->creg_set(v, CREG_DR6, (in->dr6 & ~DR6_ZEROES) | DR6_ONES);
    hv->creg_set(v, CREG_DR7, (in->dr7 & ~DR7_ZEROES) | DR7_ONES);
    return 0;
}
