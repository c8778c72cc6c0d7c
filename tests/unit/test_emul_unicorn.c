/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator against libunicorn: random single instructions in real mode,
 * with segment registers, far transfers and LOCK, and in 32-bit protected
 * mode. Registers, segments, defined flags and memory are compared. Cases that
 * fault in either are only required to fault in neither or both, since the
 * reference checks no segment limits.
 *
 * Usage: test_emul_unicorn [cases [seed [first]]]
 */
#include <stdlib.h>

#include <unicorn/unicorn.h>

#include "test_emul_flat.h"
#include "test_emul_gen.h"

/* The reference library leaks; the sanitizer is to watch our side only. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

#define MAPPED 0x30000u
#define CODE_AT 0x4000u
#define CODE_BYTES 0x1000u
#define FLAGS_RANDOM 0xcd5u
#define FLAGS_COMPARED 0x7fd5u

static const int uc_gpr[8] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX,
                              UC_X86_REG_EBX, UC_X86_REG_ESP, UC_X86_REG_EBP,
                              UC_X86_REG_ESI, UC_X86_REG_EDI};
static const int uc_sreg[6] = {UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS,
                               UC_X86_REG_DS, UC_X86_REG_FS, UC_X86_REG_GS};

struct undefined {
    uint16_t id;
    uint16_t flags;
};

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define OF 0x800u

/* Architecturally undefined flags. */
static const struct undefined undefined[] = {
    {EMUL_I_MUL, SF | ZF | AF | PF},
    {EMUL_I_IMUL, SF | ZF | AF | PF},
    {EMUL_I_IMUL_R_RM, SF | ZF | AF | PF},
    {EMUL_I_IMUL_R_RM_I, SF | ZF | AF | PF},
    {EMUL_I_DIV, CF | PF | AF | ZF | SF | OF},
    {EMUL_I_IDIV, CF | PF | AF | ZF | SF | OF},
    {EMUL_I_ROL, OF},
    {EMUL_I_ROR, OF},
    {EMUL_I_RCL, OF},
    {EMUL_I_RCR, OF},
    {EMUL_I_SHL, AF | OF | CF},
    {EMUL_I_SHR, AF | OF | CF},
    {EMUL_I_SAR, AF | OF},
    {EMUL_I_SHLD, AF | OF},
    {EMUL_I_SHRD, AF | OF},
    {EMUL_I_BT_R, PF | AF | SF | OF},
    {EMUL_I_BTS_R, PF | AF | SF | OF},
    {EMUL_I_BTR_R, PF | AF | SF | OF},
    {EMUL_I_BTC_R, PF | AF | SF | OF},
    {EMUL_I_BT_I, PF | AF | SF | OF},
    {EMUL_I_BTS_I, PF | AF | SF | OF},
    {EMUL_I_BTR_I, PF | AF | SF | OF},
    {EMUL_I_BTC_I, PF | AF | SF | OF},
    {EMUL_I_DAA, OF},
    {EMUL_I_DAS, OF},
    {EMUL_I_AAA, PF | ZF | SF | OF},
    {EMUL_I_AAS, PF | ZF | SF | OF},
    {EMUL_I_AAM, CF | AF | OF},
    {EMUL_I_AAD, CF | AF | OF},
};

static uint32_t defined_flags(unsigned id)
{
    for (size_t n = 0; n < sizeof(undefined) / sizeof(undefined[0]); n++) {
        if (undefined[n].id == id) {
            return FLAGS_COMPARED & ~(uint32_t)undefined[n].flags;
        }
    }
    return FLAGS_COMPARED;
}

struct reference {
    uc_engine *uc;
    uint8_t *mem;
    bool faulted;
    bool stays; /* leaves a finished REP only in the next step */
    uint64_t at;
};

static void on_interrupt(uc_engine *uc, uint32_t number, void *arg)
{
    struct reference *r = arg;

    (void)number;
    r->faulted = true;
    uc_emu_stop(uc);
}

static bool on_unmapped(uc_engine *uc, uc_mem_type type, uint64_t address,
                        int size, int64_t value, void *arg)
{
    struct reference *r = arg;

    (void)uc;
    (void)type;
    (void)address;
    (void)size;
    (void)value;
    r->faulted = true;
    return false;
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *arg)
{
    (void)uc;
    (void)port;
    (void)arg;
    return size == 1 ? 0x5a : size == 2 ? 0x1234 : 0x89abcdef;
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value,
                   void *arg)
{
    (void)uc;
    (void)port;
    (void)size;
    (void)value;
    (void)arg;
}

static bool reference_open(struct reference *r, uc_mode mode)
{
    uc_hook hook;

    r->mem = aligned_alloc(4096, MAPPED);
    return r->mem && uc_open(UC_ARCH_X86, mode, &r->uc) == UC_ERR_OK &&
           uc_mem_map_ptr(r->uc, 0, MAPPED, UC_PROT_ALL, r->mem) == 0 &&
           uc_hook_add(r->uc, &hook, UC_HOOK_INTR, (void *)on_interrupt, r, 1,
                       0) == 0 &&
           uc_hook_add(r->uc, &hook, UC_HOOK_MEM_UNMAPPED, (void *)on_unmapped,
                       r, 1, 0) == 0 &&
           uc_hook_add(r->uc, &hook, UC_HOOK_INSN, (void *)on_in, r, 1, 0,
                       UC_X86_INS_IN) == 0 &&
           uc_hook_add(r->uc, &hook, UC_HOOK_INSN, (void *)on_out, r, 1, 0,
                       UC_X86_INS_OUT) == 0;
}

/* Not comparable: modelled by callbacks, or known to differ in the model. */
static bool is_runnable(const struct emul_insn *i, bool protected)
{
    static const uint16_t banned[] = {
        EMUL_I_CPUID,       EMUL_I_RDTSC,    EMUL_I_RDTSCP,   EMUL_I_RDMSR,
        EMUL_I_WRMSR,       EMUL_I_RDPMC,    EMUL_I_HLT,      EMUL_I_ESC,
        EMUL_I_WAIT,        EMUL_I_MOV_CR_R, EMUL_I_MOV_R_CR, EMUL_I_MOV_DR_R,
        EMUL_I_MOV_R_DR,    EMUL_I_LMSW,     EMUL_I_SMSW,     EMUL_I_INT_N,
        EMUL_I_INT3,        EMUL_I_INT1,     EMUL_I_INTO,     EMUL_I_RSM,
        EMUL_I_UD,          EMUL_I_INVLPG,   EMUL_I_SGDT,     EMUL_I_SIDT,
        EMUL_I_LGDT,        EMUL_I_LIDT,     EMUL_I_INS,      EMUL_I_OUTS,
        EMUL_I_IN_I,        EMUL_I_IN_DX,    EMUL_I_OUT_I,    EMUL_I_OUT_DX,
        EMUL_I_FENCE,       EMUL_I_CLFLUSH,  EMUL_I_PREFETCH, EMUL_I_NOP_RM,
        EMUL_I_MOVNTI,      EMUL_I_POPF,     EMUL_I_POPCNT,   EMUL_I_MOVBE_LOAD,
        EMUL_I_MOVBE_STORE, EMUL_I_BSF,      EMUL_I_BSR,      EMUL_I_TZCNT,
        EMUL_I_LZCNT,
    };
    static const uint16_t real_only[] = {
        EMUL_I_MOV_SREG_RM, EMUL_I_POP_SREG,    EMUL_I_LOAD_FAR_PTR,
        EMUL_I_JMP_FAR,     EMUL_I_JMP_FAR_M,   EMUL_I_CALL_FAR,
        EMUL_I_CALL_FAR_M,  EMUL_I_RETF,        EMUL_I_IRET,
        EMUL_I_LAR,         EMUL_I_LSL,         EMUL_I_VERR,
        EMUL_I_VERW,        EMUL_I_LLDT,        EMUL_I_LTR,
        EMUL_I_PUSH_SREG,   EMUL_I_MOV_RM_SREG, EMUL_I_SLDT,
        EMUL_I_STR,
    };

    if (!emul_id_is_emulated(i->id)) {
        return false;
    }
    for (size_t n = 0; n < sizeof(banned) / sizeof(banned[0]); n++) {
        if (banned[n] == i->id) {
            return false;
        }
    }
    for (size_t n = 0; n < sizeof(real_only) / sizeof(real_only[0]); n++) {
        if (protected && real_only[n] == i->id) {
            return false;
        }
    }
    /* The reference lacks the second encoding of TEST, cuts EBP, takes the
     * immediate of RET as signed, and has wrong flags after LOCK NEG. All of
     * these agree with the processor. */
    if ((i->id == EMUL_I_RET && i->imm > 0x7fff) ||
        (i->id == EMUL_I_RETF && i->imm > 0x7fff) ||
        (i->id == EMUL_I_TEST_RM_I && (i->opcode & 0xfe) == 0xf6 &&
         (i->reg & 7) == 1) ||
        (i->id == EMUL_I_NEG && (i->prefix & EMUL_P_LOCK)) ||
        (i->id == EMUL_I_ENTER && i->opsize == 4)) {
        return false;
    }
    /* Undefined results, where the reference is its own processor. */
    return !((i->id == EMUL_I_SHLD || i->id == EMUL_I_SHRD ||
              i->id == EMUL_I_BSWAP) &&
             i->opsize == 2);
}

static void state_random(struct gen *g, struct flat *f, struct reference *r,
                         bool protected)
{
    struct emul_cpu *c = &f->e.cpu;

    for (unsigned n = 0; n < 8; n++) {
        c->reg[n] = gen_value(g);
        uc_reg_write(r->uc, uc_gpr[n], &c->reg[n]);
    }
    for (unsigned n = 0; n < 6; n++) {
        struct emul_seg *s = &c->seg[n];
        if (protected) {
            s->base = 0;
            s->limit = 0xffffffff;
            s->attr = n == EMUL_CS ? 0xc9b : 0xc93;
        } else {
            s->limit = 0xffff;
            s->attr = 0x93;
            s->sel = (uint16_t)(n == EMUL_CS ? 0 : gen_below(g, 0x1000));
            s->base = (uint64_t)s->sel << 4;
            uc_reg_write(r->uc, uc_sreg[n], &s->sel);
        }
    }
    if (!protected) { /* the reference does not wrap SP inside a transfer */
        c->reg[EMUL_RSP] = 0x100 + gen_below(g, 0xfe00);
        uc_reg_write(r->uc, uc_gpr[EMUL_RSP], &c->reg[EMUL_RSP]);
    }
    c->cr0 = protected ? 0x11 : 0x10;
    c->rip = CODE_AT + gen_below(g, 64);
    c->rflags = 0x2 | (gen_u64(g) & FLAGS_RANDOM);
    c->shadow = 0;
    uc_reg_write(r->uc, UC_X86_REG_EFLAGS, &c->rflags);
}

static bool state_is_equal(const struct flat *f, struct reference *r,
                           unsigned id, bool protected, bool show)
{
    bool same = true;
    uint64_t v = 0;

    for (unsigned n = 0; n < 8; n++) {
        uc_reg_read(r->uc, uc_gpr[n], &v);
        same = same && (uint32_t)v == (uint32_t)f->e.cpu.reg[n];
        if (show) {
            printf(" %08x/%08x", (uint32_t)f->e.cpu.reg[n], (uint32_t)v);
        }
    }
    for (unsigned n = 0; n < 6 && !protected; n++) {
        v = 0;
        uc_reg_read(r->uc, uc_sreg[n], &v);
        same = same && (uint16_t)v == f->e.cpu.seg[n].sel;
        if (show) {
            printf(" %04x/%04x", f->e.cpu.seg[n].sel, (uint16_t)v);
        }
    }
    v = 0;
    /* After a far transfer in real mode the reference tells CS:IP as one. */
    uc_reg_read(r->uc, UC_X86_REG_EIP, &v);
    uint64_t rip = f->e.cpu.rip + (protected ? 0 : f->e.cpu.seg[1].base);
    if (!r->stays || v != r->at) {
        same = same && (uint32_t)v == (uint32_t)rip;
    }
    if (show) {
        printf(" ip %x/%x", (uint32_t)rip, (uint32_t)v);
    }
    uc_reg_read(r->uc, UC_X86_REG_EFLAGS, &v);
    uint64_t diff = (v ^ f->e.cpu.rflags) & defined_flags(id);
    if (show) {
        printf(" fl %x/%x\n", (uint32_t)f->e.cpu.rflags, (uint32_t)v);
    }
    return same && diff == 0 && memcmp(r->mem, f->mem, MAPPED) == 0;
}

/* Segment limits are seen by the emulator only, unmapped memory by the
 * reference only; an exception of the reference may show as no progress. */
static bool fault_is_consistent(const struct flat *f, struct reference *r,
                                enum emul_result rc, uc_err err, uint64_t at)
{
    uint64_t ip = 0;

    if (rc == EMUL_OK) {
        return err != UC_ERR_OK;
    }
    uc_reg_read(r->uc, UC_X86_REG_EIP, &ip);
    return f->e.event.vector == 12 || f->e.event.vector == 13 || err ||
           r->faulted || (uint32_t)ip == (uint32_t)at;
}

/*
 * The reference translates ahead, and aborts the process on FF /3 and FF /5
 * with a register. Memory and the tail of the code are one-byte instructions.
 */
static uint8_t tame_byte(struct gen *g)
{
    static const uint8_t tame[] = {0x40, 0x47, 0x4b, 0x4f, 0x50, 0x55, 0x58,
                                   0x5f, 0x90, 0x93, 0x97, 0x98, 0x99, 0x9f,
                                   0xf5, 0xf8, 0xf9, 0xfc, 0xfd};

    return tame[gen_below(g, sizeof(tame))];
}

struct tally {
    unsigned long compared[EMUL_ID_COUNT];
    unsigned long total, faults, stuck, bad;
};

/* It makes no progress where an instruction rewrites its own page with the
 * same bytes. */
static bool reference_is_stuck(struct reference *r, uint64_t rip)
{
    uint64_t ip = 0;

    uc_reg_read(r->uc, UC_X86_REG_EIP, &ip);
    return !r->stays && (uint32_t)ip == (uint32_t)r->at && rip != r->at;
}

static void case_run(struct flat *f, struct reference *r, bool protected,
                     uint64_t number, uint64_t seed, struct tally *t)
{
    struct gen g = {.s = seed + number * 0x632be59bd9b4e019ULL};
    uint8_t code[GEN_CODE_MAX];
    struct emul_insn insn;

    gen_code(&g, code, false);
    if (emul_decode(&insn, code, 15, protected ? EMUL_MODE_32 : EMUL_MODE_16) ||
        !is_runnable(&insn, protected)) {
        return;
    }
    state_random(&g, f, r, protected);
    memset(f->mem + CODE_AT, 0x90, CODE_BYTES);
    memcpy(f->mem + f->e.cpu.rip, code, insn.len);
    memcpy(r->mem, f->mem, MAPPED);
    emul_cache_flush(&f->cache);
    emul_sync(&f->e);
    uint64_t at = f->e.cpu.rip;
    enum emul_result rc = emul_step(&f->e);
    if (memcmp(f->mem + CODE_AT, r->mem + CODE_AT, CODE_BYTES) != 0) {
        memcpy(f->mem, r->mem, MAPPED); /* the reference would run it twice */
        return;
    }
    r->faulted = false;
    r->stays = insn.prefix & (EMUL_P_REP | EMUL_P_REPNE);
    r->at = at;
    uc_ctl_remove_cache(r->uc, CODE_AT, CODE_AT + CODE_BYTES);
    uc_err err = uc_emu_start(r->uc, at, 0, 0, 1);
    if (err || r->faulted || rc != EMUL_OK) {
        if (!fault_is_consistent(f, r, rc, err, at) && t->bad++ < 20) {
            printf("case %llu %s: rc %d vec %u, reference err %d\n",
                   (unsigned long long)number, emul_id_name(insn.id), (int)rc,
                   f->e.event.vector, (int)err);
        }
        t->faults++;
    } else if (reference_is_stuck(r, f->e.cpu.rip)) {
        t->stuck++;
    } else {
        t->compared[insn.id]++;
        t->total++;
        if (!state_is_equal(f, r, insn.id, protected, false) && t->bad++ < 20) {
            printf("case %llu %s %s:", (unsigned long long)number,
                   protected ? "32" : "16", emul_id_name(insn.id));
            for (unsigned n = 0; n < insn.len; n++) {
                printf(" %02x", code[n]);
            }
            state_is_equal(f, r, insn.id, protected, true);
        }
    }
    memcpy(f->mem, r->mem, MAPPED);
}

static void coverage_write(const struct tally *t)
{
    const char *path = getenv("EMUL_COVERAGE");
    FILE *out = path ? fopen(path, "a") : NULL;

    for (unsigned n = 0; out && n < EMUL_ID_COUNT; n++) {
        if (t->compared[n]) {
            fprintf(out, "unicorn %s %lu\n", emul_id_name(n), t->compared[n]);
        }
    }
    if (out) {
        fclose(out);
    }
}

/* One engine at a time: two in one process disturb each other. */
static bool mode_run(struct flat *f, bool protected, unsigned long cases,
                     uint64_t seed, unsigned long first, struct tally *t)
{
    struct reference r = {0};
    unsigned long goal = t->total + cases;

    if (!reference_open(&r, protected ? UC_MODE_32 : UC_MODE_16)) {
        return false;
    }
    for (unsigned long n = first; t->total < goal; n++) {
        case_run(f, &r, protected, n, seed, t);
    }
    uc_close(r.uc);
    free(r.mem);
    return true;
}

int main(int argc, char **argv)
{
    unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    unsigned long first = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;
    static struct flat machine;
    static struct tally tally;
    struct flat *f = &machine;
    struct tally *t = &tally;
    struct gen g = {.s = seed};

    flat_init(f);
    f->e.rep_limit = 1;
    f->e.family = EMUL_FAMILY_INTEL;
    for (unsigned n = 0; n < MAPPED; n++) {
        f->mem[n] = tame_byte(&g);
    }
    if (!mode_run(f, false, cases / 2, seed, first, t) ||
        !mode_run(f, true, cases / 2, seed, first, t)) {
        printf("cannot set up libunicorn\n");
        return 1;
    }
    printf("%lu cases compared with libunicorn, %lu faulted, %lu differ\n",
           t->total, t->faults, t->bad);
    coverage_write(t);
    int rc = t->bad || t->stuck * 1000 > t->total ? 1 : 0;
    return rc;
}
