/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules a vCPU's first or restored state must obey, one small function
 * each, and the transfer to and from the backend.
 *
 * Threat surface: all of it; a state that slipped through would show as a
 * failed entry, which ends the domain it belongs to.
 */
#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"
#include "ravelin/hvm_context.h"
#include "ravelin/monitor.h"
#include "ravelin/string.h"

#define CR0_PE (1u << 0)
#define CR0_ET (1u << 4)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)
#define CR0_ALLOWED 0xe005003fULL
#define CR4_PAE (1u << 5)
#define CR4_PCIDE (1u << 17)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define RFLAGS_FIXED (1u << 1)
#define RFLAGS_VM (1u << 17)
#define RFLAGS_ALLOWED 0x3f7fd7ULL

#define SEG_TYPE_WRITE 0x2u
#define SEG_TYPE_CODE 0x8u
#define SEG_TYPE_LDT 0x2u
#define SEG_TYPE_TSS_BUSY_16 0x3u
#define SEG_TYPE_TSS_BUSY 0xbu

#define PAT_RESET 0x0007040600070406ULL
#define DR6_RESET 0xffff0ff0ULL
#define DR7_RESET 0x400ULL

void vcpu_state_init(struct vcpu_state *s)
{
    memset(s, 0, sizeof(*s));
    s->rflags = RFLAGS_FIXED;
    s->creg[CREG_CR0] = CR0_ET;
    s->creg[CREG_PAT] = PAT_RESET;
    s->creg[CREG_DR6] = DR6_RESET;
    s->creg[CREG_DR7] = DR7_RESET;
    s->creg[CREG_XCR0] = 1;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        s->seg[i].limit = 0xffff;
        s->seg[i].attr = i == SEG_CS ? 0x9b : 0x93;
    }
    s->seg[SEG_TR].limit = 0xffff;
    s->seg[SEG_TR].attr = 0x8b;
    s->seg[SEG_LDTR].limit = 0xffff;
    s->seg[SEG_LDTR].attr = 0x82;
    s->seg[SEG_GDTR].limit = 0xffff;
    s->seg[SEG_IDTR].limit = 0xffff;
}

static bool is_canonical(uint64_t a)
{
    return (uint64_t)((int64_t)(a << 16) >> 16) == a;
}

static bool long_mode(const struct vcpu_state *s)
{
    return (s->creg[CREG_EFER] & EFER_LMA) != 0;
}

static bool code_is_64bit(const struct vcpu_state *s)
{
    return long_mode(s) && (s->seg[SEG_CS].attr & SEG_ATTR_L) != 0;
}

static bool control_is_valid(const struct domain *d, const struct vcpu_state *s)
{
    uint64_t cr0 = s->creg[CREG_CR0];
    uint64_t cr4 = s->creg[CREG_CR4];

    if ((cr0 & ~CR0_ALLOWED) != 0 || (cr4 & ~cpuid_policy_cr4_mask(d)) != 0) {
        return false;
    }
    if ((cr0 & CR0_PG) != 0 && (cr0 & CR0_PE) == 0) {
        return false;
    }
    if ((cr0 & CR0_NW) != 0 && (cr0 & CR0_CD) == 0) {
        return false;
    }
    if ((cr4 & CR4_PCIDE) != 0 && !long_mode(s)) {
        return false;
    }
    return s->creg[CREG_CR3] >> cpuid_policy_phys_bits(d) == 0;
}

/* LMA follows from LME and paging, and long mode has only PAE paging. */
static bool efer_is_valid(const struct domain *d, const struct vcpu_state *s)
{
    uint64_t efer = s->creg[CREG_EFER];
    bool active = (efer & EFER_LME) != 0 && (s->creg[CREG_CR0] & CR0_PG) != 0;

    if ((efer & ~(cpuid_policy_efer_mask(d) | EFER_LMA)) != 0) {
        return false;
    }
    if (active != long_mode(s)) {
        return false;
    }
    return !active || (s->creg[CREG_CR4] & CR4_PAE) != 0;
}

/* Limits are byte-granular here; with G they end on a page. */
static bool segment_limit_is_valid(const struct vcpu_segment *g)
{
    if ((g->attr & SEG_ATTR_G) != 0) {
        return (g->limit & 0xfff) == 0xfff;
    }
    return g->limit <= 0xfffff;
}

static bool segment_is_valid(const struct vcpu_segment *g)
{
    if ((g->attr & 0xf000) != 0) {
        return false;
    }
    return (g->attr & SEG_ATTR_P) == 0 || segment_limit_is_valid(g);
}

static bool code_is_valid(const struct vcpu_state *s)
{
    const struct vcpu_segment *cs = &s->seg[SEG_CS];
    uint16_t both = SEG_ATTR_L | SEG_ATTR_DB;

    if ((s->creg[CREG_CR0] & CR0_PE) == 0) {
        return true;
    }
    if ((cs->attr & SEG_ATTR_P) == 0 || (cs->attr & SEG_ATTR_S) == 0 ||
        (cs->attr & SEG_TYPE_CODE) == 0) {
        return false;
    }
    return !long_mode(s) || (cs->attr & both) != both;
}

/* The stack's privilege is the vCPU's. 64-bit code needs no stack segment. */
static bool stack_is_valid(const struct vcpu_state *s)
{
    const struct vcpu_segment *ss = &s->seg[SEG_SS];
    uint16_t wanted = SEG_ATTR_S | SEG_TYPE_WRITE;

    if ((s->creg[CREG_CR0] & CR0_PE) == 0) {
        return true;
    }
    if ((ss->attr & SEG_ATTR_P) == 0) {
        return code_is_64bit(s);
    }
    return (ss->attr & wanted) == wanted && (ss->attr & SEG_TYPE_CODE) == 0 &&
           (ss->attr & SEG_ATTR_DPL) == (s->seg[SEG_CS].attr & SEG_ATTR_DPL);
}

static bool system_segments_are_valid(const struct vcpu_state *s)
{
    uint16_t tr = s->seg[SEG_TR].attr;
    uint16_t ldtr = s->seg[SEG_LDTR].attr;
    uint16_t type = tr & SEG_ATTR_TYPE;

    if ((tr & SEG_ATTR_P) == 0 || (tr & SEG_ATTR_S) != 0) {
        return false;
    }
    if (type != SEG_TYPE_TSS_BUSY &&
        (type != SEG_TYPE_TSS_BUSY_16 || long_mode(s))) {
        return false;
    }
    return (ldtr & SEG_ATTR_P) == 0 ||
           ((ldtr & SEG_ATTR_S) == 0 && (ldtr & SEG_ATTR_TYPE) == SEG_TYPE_LDT);
}

static bool segments_are_valid(const struct vcpu_state *s)
{
    for (unsigned i = SEG_ES; i <= SEG_TR; i++) {
        if (!segment_is_valid(&s->seg[i]) || !is_canonical(s->seg[i].base)) {
            return false;
        }
    }
    return is_canonical(s->seg[SEG_GDTR].base) &&
           is_canonical(s->seg[SEG_IDTR].base) &&
           s->seg[SEG_GDTR].limit <= 0xffff &&
           s->seg[SEG_IDTR].limit <= 0xffff && code_is_valid(s) &&
           stack_is_valid(s) && system_segments_are_valid(s);
}

static bool flow_is_valid(const struct vcpu_state *s)
{
    if ((s->rflags & ~RFLAGS_ALLOWED) != 0 || (s->rflags & RFLAGS_VM) != 0) {
        return false;
    }
    return code_is_64bit(s) ? is_canonical(s->rip) : s->rip >> 32 == 0;
}

static bool msrs_are_valid(const struct domain *d, const struct vcpu_state *s)
{
    return is_canonical(s->creg[CREG_LSTAR]) &&
           is_canonical(s->creg[CREG_CSTAR]) &&
           is_canonical(s->creg[CREG_KERNEL_GS_BASE]) &&
           is_canonical(s->creg[CREG_SYSENTER_ESP]) &&
           is_canonical(s->creg[CREG_SYSENTER_EIP]) &&
           s->creg[CREG_SFMASK] >> 32 == 0 &&
           s->creg[CREG_TSC_AUX] >> 32 == 0 && s->creg[CREG_DR6] >> 32 == 0 &&
           s->creg[CREG_DR7] >> 32 == 0 &&
           (s->creg[CREG_XCR0] == 1 ||
            cpuid_policy_xcr0_is_valid(d, s->creg[CREG_XCR0]));
}

int vcpu_state_check(const struct domain *d, const struct vcpu_state *s)
{
    if (!control_is_valid(d, s) || !efer_is_valid(d, s) ||
        !segments_are_valid(s) || !flow_is_valid(s) || !msrs_are_valid(d, s)) {
        return -RV_EINVAL;
    }
    return 0;
}

void vcpu_state_load(struct vcpu *v, const struct vcpu_state *s)
{
    hv->vcpu_reset(v);
    vcpu_intercepts_reset(v);
    memcpy(v->regs.gpr, s->gpr, sizeof(v->regs.gpr));
    v->regs.rip = s->rip;
    v->regs.rflags = s->rflags | RFLAGS_FIXED;
    for (unsigned i = 0; i < CREG_COUNT; i++) {
        hv->creg_set(v, (enum vcpu_creg)i, s->creg[i]);
    }
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        hv->segment_set(v, (enum seg_index)i, &s->seg[i]);
    }
}

void vcpu_state_read(const struct vcpu *v, struct vcpu_state *s)
{
    memcpy(s->gpr, v->regs.gpr, sizeof(s->gpr));
    s->rip = v->regs.rip;
    s->rflags = v->regs.rflags;
    for (unsigned i = 0; i < CREG_COUNT; i++) {
        s->creg[i] = hv->creg_get(v, (enum vcpu_creg)i);
    }
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        hv->segment_get(v, (enum seg_index)i, &s->seg[i]);
    }
}
