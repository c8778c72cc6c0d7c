/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU record of the save format, to and from a state value, by tables of
 * field offsets: the format is a flat list and so is its conversion.
 */
#include "ravelin/hvm_context.h"
#include "ravelin/string.h"

struct field {
    uint16_t offset; /* in struct hvm_hw_cpu */
    uint8_t index;   /* of the register in its array */
};

#define F(member, reg)                           \
    {                                            \
        offsetof(struct hvm_hw_cpu, member), reg \
    }

static const struct field gpr_fields[] = {
    F(rax, REG_RAX), F(rbx, REG_RBX), F(rcx, REG_RCX), F(rdx, REG_RDX),
    F(rbp, REG_RBP), F(rsi, REG_RSI), F(rdi, REG_RDI), F(rsp, REG_RSP),
    F(r8, REG_R8),   F(r9, REG_R9),   F(r10, REG_R10), F(r11, REG_R11),
    F(r12, REG_R12), F(r13, REG_R13), F(r14, REG_R14), F(r15, REG_R15),
};

static const struct field creg_fields[] = {
    F(cr0, CREG_CR0),
    F(cr2, CREG_CR2),
    F(cr3, CREG_CR3),
    F(cr4, CREG_CR4),
    F(dr0, CREG_DR0),
    F(dr1, CREG_DR1),
    F(dr2, CREG_DR2),
    F(dr3, CREG_DR3),
    F(dr6, CREG_DR6),
    F(dr7, CREG_DR7),
    F(sysenter_cs, CREG_SYSENTER_CS),
    F(sysenter_esp, CREG_SYSENTER_ESP),
    F(sysenter_eip, CREG_SYSENTER_EIP),
    F(shadow_gs, CREG_KERNEL_GS_BASE),
    F(msr_lstar, CREG_LSTAR),
    F(msr_star, CREG_STAR),
    F(msr_cstar, CREG_CSTAR),
    F(msr_syscall_mask, CREG_SFMASK),
    F(msr_efer, CREG_EFER),
    F(msr_tsc_aux, CREG_TSC_AUX),
};

struct segment_fields {
    uint16_t selector; /* offsets; 0: the record has no such field */
    uint16_t limit;
    uint16_t base;
    uint16_t attr;
    uint8_t index;
};

#define S(name, seg)                                         \
    {                                                        \
        offsetof(struct hvm_hw_cpu, name##_sel),             \
            offsetof(struct hvm_hw_cpu, name##_limit),       \
            offsetof(struct hvm_hw_cpu, name##_base),        \
            offsetof(struct hvm_hw_cpu, name##_arbytes), seg \
    }
#define T(name, seg)                                         \
    {                                                        \
        0, offsetof(struct hvm_hw_cpu, name##_limit),        \
            offsetof(struct hvm_hw_cpu, name##_base), 0, seg \
    }

static const struct segment_fields segment_table[] = {
    S(cs, SEG_CS),     S(ds, SEG_DS),     S(es, SEG_ES), S(fs, SEG_FS),
    S(gs, SEG_GS),     S(ss, SEG_SS),     S(tr, SEG_TR), S(ldtr, SEG_LDTR),
    T(gdtr, SEG_GDTR), T(idtr, SEG_IDTR),
};

static uint64_t get64(const struct hvm_hw_cpu *rec, uint16_t offset)
{
    uint64_t v;

    memcpy(&v, (const char *)rec + offset, sizeof(v));
    return v;
}

static uint32_t get32(const struct hvm_hw_cpu *rec, uint16_t offset)
{
    uint32_t v = 0;

    if (offset != 0) {
        memcpy(&v, (const char *)rec + offset, sizeof(v));
    }
    return v;
}

static void put64(struct hvm_hw_cpu *rec, uint16_t offset, uint64_t v)
{
    memcpy((char *)rec + offset, &v, sizeof(v));
}

static void put32(struct hvm_hw_cpu *rec, uint16_t offset, uint32_t v)
{
    if (offset != 0) {
        memcpy((char *)rec + offset, &v, sizeof(v));
    }
}

void vcpu_state_from_record(struct vcpu_state *s, const struct hvm_hw_cpu *rec)
{
    vcpu_state_init(s);
    for (size_t i = 0; i < ARRAY_SIZE(gpr_fields); i++) {
        s->gpr[gpr_fields[i].index] = get64(rec, gpr_fields[i].offset);
    }
    for (size_t i = 0; i < ARRAY_SIZE(creg_fields); i++) {
        s->creg[creg_fields[i].index] = get64(rec, creg_fields[i].offset);
    }
    for (size_t i = 0; i < ARRAY_SIZE(segment_table); i++) {
        const struct segment_fields *f = &segment_table[i];
        struct vcpu_segment *g = &s->seg[f->index];

        g->selector = (uint16_t)get32(rec, f->selector);
        g->limit = get32(rec, f->limit);
        g->base = get64(rec, f->base);
        g->attr = (uint16_t)get32(rec, f->attr);
    }
    s->rip = rec->rip;
    s->rflags = rec->rflags;
}

void vcpu_state_to_record(const struct vcpu_state *s, struct hvm_hw_cpu *rec)
{
    memset(rec, 0, sizeof(*rec));
    for (size_t i = 0; i < ARRAY_SIZE(gpr_fields); i++) {
        put64(rec, gpr_fields[i].offset, s->gpr[gpr_fields[i].index]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(creg_fields); i++) {
        put64(rec, creg_fields[i].offset, s->creg[creg_fields[i].index]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(segment_table); i++) {
        const struct segment_fields *f = &segment_table[i];
        const struct vcpu_segment *g = &s->seg[f->index];

        put32(rec, f->selector, g->selector);
        put32(rec, f->limit, g->limit);
        put64(rec, f->base, g->base);
        put32(rec, f->attr, g->attr);
    }
    rec->rip = s->rip;
    rec->rflags = s->rflags;
}
