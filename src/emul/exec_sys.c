/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control and debug registers, MSRs, CPUID, time, caches, HLT and the x87
 * gate. What the values mean to the machine is the callbacks' business.
 * Threat surface: privileged values are checked here before anyone sees them.
 * Ref: AMD APM Vol 2, 3.1 "System-Control Registers".
 */
#include "exec.h"

#define REQUIRE_CPL0(e)          \
    do {                         \
        if ((e)->cpu.cpl) {      \
            return raise_gp0(e); \
        }                        \
    } while (0)

static int cr_notify(struct emul *e, unsigned cr, uint64_t v)
{
    return e->ops->cr_write ? e->ops->cr_write(e, cr, v) : EMUL_OK;
}

/* Long mode is entered and left with paging. */
static void efer_follow(struct emul *e)
{
    bool active = (e->cpu.efer & EFER_LME) && (e->cpu.cr0 & CR0_PG);

    e->cpu.efer &= ~(uint64_t)EFER_LMA;
    e->cpu.efer |= active ? EFER_LMA : 0;
}

static bool cr0_is_bad(const struct emul *e, uint64_t v)
{
    bool enables_pg = (v & CR0_PG) && !(e->cpu.cr0 & CR0_PG);

    return v >> 32 || ((v & CR0_PG) && !(v & CR0_PE)) ||
           ((v & CR0_NW) && !(v & CR0_CD)) ||
           (enables_pg && (e->cpu.efer & EFER_LME) &&
            (!(e->cpu.cr4 & CR4_PAE) ||
             (e->cpu.seg[EMUL_CS].attr & EMUL_ATTR_L)));
}

static int cr0_write(struct emul *e, uint64_t v)
{
    v |= CR0_ET;
    if (cr0_is_bad(e, v)) {
        return raise_gp0(e);
    }
    int rc = cr_notify(e, 0, v);
    if (rc) {
        return rc;
    }
    e->cpu.cr0 = v;
    efer_follow(e);
    emul_sync(e);
    return EMUL_OK;
}

static int cr4_write(struct emul *e, uint64_t v)
{
    if ((e->cpu.efer & EFER_LMA) && !(v & CR4_PAE)) {
        return raise_gp0(e);
    }
    int rc = cr_notify(e, 4, v);
    if (rc == EMUL_OK) {
        e->cpu.cr4 = v;
        emul_sync(e);
    }
    return rc;
}

static int cr_plain_write(struct emul *e, unsigned cr, uint64_t v)
{
    int rc = cr_notify(e, cr, v);

    if (rc == EMUL_OK && cr != 8) {
        *(cr == 2 ? &e->cpu.cr2 : &e->cpu.cr3) = v;
        emul_sync(e);
    }
    return rc;
}

static unsigned native_size(const struct emul *e)
{
    return is_long(e) ? 8 : 4;
}

static bool cr_exists(const struct emul *e, unsigned cr)
{
    return cr == 0 || (cr >= 2 && cr <= 4) || (cr == 8 && is_long(e));
}

int exec_mov_cr_r(struct emul *e, const struct emul_insn *i)
{
    uint64_t v = gpr_read(e, i->rm, native_size(e));

    if (!cr_exists(e, i->reg)) {
        return raise_ud(e);
    }
    REQUIRE_CPL0(e);
    if (i->reg == 0) {
        return cr0_write(e, v);
    }
    return i->reg == 4 ? cr4_write(e, v) : cr_plain_write(e, i->reg, v);
}

int exec_mov_r_cr(struct emul *e, const struct emul_insn *i)
{
    uint64_t v = 0;
    int rc = EMUL_OK;

    if (!cr_exists(e, i->reg)) {
        return raise_ud(e);
    }
    REQUIRE_CPL0(e);
    switch (i->reg) {
    case 0:
        v = e->cpu.cr0;
        break;
    case 2:
        v = e->cpu.cr2;
        break;
    case 3:
        v = e->cpu.cr3;
        break;
    case 4:
        v = e->cpu.cr4;
        break;
    default:
        rc = e->ops->cr8_read ? e->ops->cr8_read(e, &v) : EMUL_OK;
        break;
    }
    if (rc == EMUL_OK) {
        gpr_write(e, i->rm, native_size(e), v);
    }
    return rc;
}

int exec_clts(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    REQUIRE_CPL0(e);
    return cr0_write(e, e->cpu.cr0 & ~(uint64_t)CR0_TS);
}

/* LMSW can set PE but not clear it. */
int exec_lmsw(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;

    REQUIRE_CPL0(e);
    int rc = rm_read(e, i, 2, &v);
    if (rc) {
        return rc;
    }
    v = (v & 0xf) | (e->cpu.cr0 & CR0_PE);
    return cr0_write(e, (e->cpu.cr0 & ~0xfULL) | v);
}

int exec_smsw(struct emul *e, const struct emul_insn *i)
{
    if (e->cpu.cpl > 0 && (e->cpu.cr4 & CR4_UMIP)) {
        return raise_gp0(e);
    }
    return rm_write(e, i, i->flags & EMUL_F_MEM ? 2 : i->opsize, e->cpu.cr0);
}

#define DR6_FIXED 0xffff0ff0u
#define DR6_BD 0x2000u
#define DR7_FIXED 0x400u
#define DR7_GD 0x2000u

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE takes them away. */
static int dr_check(struct emul *e, const struct emul_insn *i, unsigned *dr)
{
    *dr = i->reg;
    if (*dr == 4 || *dr == 5) {
        if (e->cpu.cr4 & CR4_DE) {
            return raise_ud(e);
        }
        *dr += 2;
    } else if (*dr > 7) {
        return raise_ud(e);
    }
    REQUIRE_CPL0(e);
    if (e->cpu.dr[7] & DR7_GD) {
        e->cpu.dr[6] |= DR6_BD;
        e->cpu.dr[7] &= ~(uint64_t)DR7_GD;
        return emul_raise(e, VEC_DB, 0);
    }
    return EMUL_OK;
}

int exec_mov_r_dr(struct emul *e, const struct emul_insn *i)
{
    unsigned dr;
    int rc = dr_check(e, i, &dr);

    if (rc == EMUL_OK) {
        gpr_write(e, i->rm, native_size(e), e->cpu.dr[dr]);
    }
    return rc;
}

int exec_mov_dr_r(struct emul *e, const struct emul_insn *i)
{
    unsigned dr;
    uint64_t v = gpr_read(e, i->rm, native_size(e));
    int rc = dr_check(e, i, &dr);

    if (rc) {
        return rc;
    }
    if (dr >= 6) {
        if (v >> 32) {
            return raise_gp0(e);
        }
        v = dr == 6 ? (v & 0xe00f) | DR6_FIXED : (v & 0xffff2bff) | DR7_FIXED;
    }
    rc = e->ops->dr_write ? e->ops->dr_write(e, dr, v) : EMUL_OK;
    if (rc == EMUL_OK) {
        e->cpu.dr[dr] = v;
    }
    return rc;
}

static void edx_eax_write(struct emul *e, uint64_t v)
{
    gpr_write(e, EMUL_RAX, 4, v);
    gpr_write(e, EMUL_RDX, 4, v >> 32);
}

int exec_rdmsr(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;

    (void)i;
    if (e->cpu.cpl || !e->ops->msr_read) {
        return raise_gp0(e);
    }
    int rc = e->ops->msr_read(e, (uint32_t)e->cpu.reg[EMUL_RCX], &v);
    if (rc == EMUL_OK) {
        edx_eax_write(e, v);
    }
    return rc;
}

int exec_wrmsr(struct emul *e, const struct emul_insn *i)
{
    uint64_t v = (e->cpu.reg[EMUL_RDX] << 32) | (uint32_t)e->cpu.reg[0];

    (void)i;
    if (e->cpu.cpl || !e->ops->msr_write) {
        return raise_gp0(e);
    }
    int rc = e->ops->msr_write(e, (uint32_t)e->cpu.reg[EMUL_RCX], v);
    if (rc == EMUL_OK) {
        emul_sync(e);
    }
    return rc;
}

#define MSR_TSC 0x10u
#define MSR_TSC_AUX 0xc0000103u

static bool time_is_hidden(const struct emul *e)
{
    return (e->cpu.cr4 & CR4_TSD) && e->cpu.cpl;
}

int exec_rdtsc(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;

    (void)i;
    if (time_is_hidden(e) || !e->ops->msr_read) {
        return raise_gp0(e);
    }
    int rc = e->ops->msr_read(e, MSR_TSC, &v);
    if (rc == EMUL_OK) {
        edx_eax_write(e, v);
    }
    return rc;
}

int exec_rdtscp(struct emul *e, const struct emul_insn *i)
{
    uint64_t aux;

    if (time_is_hidden(e) || !e->ops->msr_read) {
        return raise_gp0(e);
    }
    int rc = e->ops->msr_read(e, MSR_TSC_AUX, &aux);
    if (rc == EMUL_OK) {
        rc = exec_rdtsc(e, i);
    }
    if (rc == EMUL_OK) {
        gpr_write(e, EMUL_RCX, 4, aux);
    }
    return rc;
}

#define CR4_PCE 0x100u

/* The counters themselves are the callback's: AMD's first is C0010004h. */
int exec_rdpmc(struct emul *e, const struct emul_insn *i)
{
    uint32_t index = (uint32_t)e->cpu.reg[EMUL_RCX];
    uint64_t v;

    (void)i;
    if ((e->cpu.cpl && !(e->cpu.cr4 & CR4_PCE)) || index > 3 ||
        !e->ops->msr_read) {
        return raise_gp0(e);
    }
    int rc = e->ops->msr_read(e, 0xc0010004u + index, &v);
    if (rc == EMUL_OK) {
        edx_eax_write(e, v);
    }
    return rc;
}

int exec_cpuid(struct emul *e, const struct emul_insn *i)
{
    static const uint8_t order[] = {EMUL_RAX, EMUL_RBX, EMUL_RCX, EMUL_RDX};
    uint32_t regs[4];

    (void)i;
    if (!e->ops->cpuid) {
        return EMUL_UNHANDLED;
    }
    for (unsigned n = 0; n < 4; n++) {
        regs[n] = (uint32_t)e->cpu.reg[order[n]];
    }
    int rc = e->ops->cpuid(e, regs);
    for (unsigned n = 0; rc == EMUL_OK && n < 4; n++) {
        gpr_write(e, order[n], 4, regs[n]);
    }
    return rc;
}

int exec_invlpg(struct emul *e, const struct emul_insn *i)
{
    uint64_t lin = ea_of(e, i);

    REQUIRE_CPL0(e);
    if (!is_long(e) || i->seg >= EMUL_FS) {
        lin += e->cpu.seg[i->seg].base;
    }
    if (!is_long(e)) {
        lin = (uint32_t)lin;
    }
    emul_code_forget(e);
    return e->ops->invlpg ? e->ops->invlpg(e, lin) : EMUL_OK;
}

/* Guest memory is always coherent: nothing to write back. */
int exec_invd(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    REQUIRE_CPL0(e);
    return EMUL_OK;
}

int exec_clflush(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;

    return mem_read(e, i->seg, ea_of(e, i), 1, &v);
}

int exec_hlt(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    REQUIRE_CPL0(e);
    return EMUL_HALT;
}

int exec_wait(struct emul *e, const struct emul_insn *i)
{
    if ((e->cpu.cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)) {
        return emul_raise(e, VEC_NM, 0);
    }
    return e->ops->fpu ? e->ops->fpu(e, i) : EMUL_OK;
}

int exec_esc(struct emul *e, const struct emul_insn *i)
{
    if (e->cpu.cr0 & (CR0_EM | CR0_TS)) {
        return emul_raise(e, VEC_NM, 0);
    }
    return e->ops->fpu ? e->ops->fpu(e, i) : EMUL_UNHANDLED;
}
