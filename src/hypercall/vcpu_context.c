/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state format of VCPUOP_initialise: a 32-bit form with five segments, and
 * a 64-bit form that starts in long mode with flat ones.
 *
 * Threat surface: a snapshot of guest memory; the result is checked by
 * vcpu_state_check() before anybody uses it.
 */
#include "ravelin/errno.h"
#include "ravelin/hvm_context.h"

#define FLAT_LIMIT 0xffffffffu
#define ATTR_CODE_64 0xa9b /* G, L, P, S, code, accessed */
#define ATTR_DATA 0xc93    /* G, D/B, P, S, writable, accessed */
#define ATTR_TSS 0x08b     /* P, busy */

static struct vcpu_segment segment(uint32_t base, uint32_t limit, uint16_t attr)
{
    return (struct vcpu_segment){.attr = attr, .limit = limit, .base = base};
}

static int from_32bit(struct vcpu_state *s, const struct vcpu_hvm_x86_32 *r)
{
    if (r->pad1 != 0 || (r->pad2[0] | r->pad2[1] | r->pad2[2]) != 0) {
        return -RV_EINVAL;
    }
    s->gpr[REG_RAX] = r->eax;
    s->gpr[REG_RCX] = r->ecx;
    s->gpr[REG_RDX] = r->edx;
    s->gpr[REG_RBX] = r->ebx;
    s->gpr[REG_RSP] = r->esp;
    s->gpr[REG_RBP] = r->ebp;
    s->gpr[REG_RSI] = r->esi;
    s->gpr[REG_RDI] = r->edi;
    s->rip = r->eip;
    s->rflags = r->eflags;
    s->creg[CREG_CR0] = r->cr0;
    s->creg[CREG_CR3] = r->cr3;
    s->creg[CREG_CR4] = r->cr4;
    s->creg[CREG_EFER] = r->efer;
    s->seg[SEG_CS] = segment(r->cs_base, r->cs_limit, r->cs_ar);
    s->seg[SEG_DS] = segment(r->ds_base, r->ds_limit, r->ds_ar);
    s->seg[SEG_ES] = segment(r->es_base, r->es_limit, r->es_ar);
    s->seg[SEG_SS] = segment(r->ss_base, r->ss_limit, r->ss_ar);
    s->seg[SEG_TR] = segment(r->tr_base, r->tr_limit, r->tr_ar);
    return 0;
}

static int from_64bit(struct vcpu_state *s, const struct vcpu_hvm_x86_64 *r)
{
    s->gpr[REG_RAX] = r->rax;
    s->gpr[REG_RCX] = r->rcx;
    s->gpr[REG_RDX] = r->rdx;
    s->gpr[REG_RBX] = r->rbx;
    s->gpr[REG_RSP] = r->rsp;
    s->gpr[REG_RBP] = r->rbp;
    s->gpr[REG_RSI] = r->rsi;
    s->gpr[REG_RDI] = r->rdi;
    s->rip = r->rip;
    s->rflags = r->rflags;
    s->creg[CREG_CR0] = r->cr0;
    s->creg[CREG_CR3] = r->cr3;
    s->creg[CREG_CR4] = r->cr4;
    s->creg[CREG_EFER] = r->efer;
    s->seg[SEG_CS] = segment(0, FLAT_LIMIT, ATTR_CODE_64);
    s->seg[SEG_DS] = segment(0, FLAT_LIMIT, ATTR_DATA);
    s->seg[SEG_ES] = s->seg[SEG_DS];
    s->seg[SEG_SS] = s->seg[SEG_DS];
    s->seg[SEG_TR] = segment(0, 0x67, ATTR_TSS);
    return (r->efer & (1u << 10) /* LMA */) != 0 ? 0 : -RV_EINVAL;
}

int vcpu_state_from_context(struct vcpu_state *s,
                            const struct vcpu_hvm_context *ctx)
{
    if (ctx->pad != 0) {
        return -RV_EINVAL;
    }
    vcpu_state_init(s);
    switch (ctx->mode) {
    case VCPU_HVM_MODE_32B:
        return from_32bit(s, &ctx->cpu_regs.x86_32);
    case VCPU_HVM_MODE_64B:
        return from_64bit(s, &ctx->cpu_regs.x86_64);
    default:
        return -RV_EINVAL;
    }
}
