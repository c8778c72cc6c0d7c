/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator against the processor the test runs on: random user-mode
 * instructions are single-stepped in 16- and 32-bit code segments set up with
 * modify_ldt, and in 64-bit mode; registers, all flags, memory, exception
 * vector and error code are compared with one emul_step() from the same state.
 *
 * Usage: test_emul_native [cases [seed [first]]]; appends counts for the
 * coverage table to the file that EMUL_COVERAGE names. With EMUL_GOLDEN=NAME,
 * records what the processor did with the first cases of each identity into
 * NAME.in and NAME.out.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "test_emul_arena.h"
#include "test_emul_gen.h"

#define CODE_AT 0x4000u

#define FLAG_TF 0x100u
#define FLAG_RF 0x10000u
#define FLAG_ID 0x200000u   /* a signal return does not restore it */
#define FLAGS_RANDOM 0xcd5u /* the arithmetic ones and DF */
#define FLAGS_SKIP 0x44000u /* NT and AC confuse the signal frames */

enum { SEL_CODE16 = 7, SEL_DATA16 = 15, SEL_CODE32 = 23, SEL_DATA32 = 31 };
enum { SEL_CODE64 = 0x33, SEL_DATA64 = 0x2b }; /* Linux */

struct outcome {
    uint64_t reg[16];
    uint64_t rip;
    uint32_t eflags;
    int vector;
    uint32_t error;
};

static uint8_t *arena;
static struct outcome observed;
static struct outcome wanted; /* registers to enter with */
static unsigned enter_cs, enter_ss;
static volatile bool inside;

static const int greg_of[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static gregset_t host_gregs;

/* SIGUSR1: leaves the handler straight into the test segment. */
static void on_enter(int sig, siginfo_t *info, void *arg)
{
    ucontext_t *uc = arg;

    (void)sig;
    (void)info;
    memcpy(host_gregs, uc->uc_mcontext.gregs, sizeof(host_gregs));
    for (unsigned n = 0; n < 16; n++) {
        uc->uc_mcontext.gregs[greg_of[n]] = (greg_t)wanted.reg[n];
    }
    inside = true;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)wanted.rip;
    uc->uc_mcontext.gregs[REG_EFL] = wanted.eflags;
    uint64_t sel = (uint64_t)uc->uc_mcontext.gregs[REG_CSGSFS];
    sel &= 0x0000ffffffff0000ULL;
    sel |= enter_cs | (uint64_t)enter_ss << 48;
    uc->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)sel;
}

/* Any exception: notes the state and returns to where SIGUSR1 was raised. */
static void on_trap(int sig, siginfo_t *info, void *arg)
{
    ucontext_t *uc = arg;
    greg_t *g = uc->uc_mcontext.gregs;

    (void)sig;
    (void)info;
    if (!inside) {
        _exit(70); /* a fault of the test itself */
    }
    inside = false;
    /* Returning to a 16-bit stack leaks bits above 31 of RSP. */
    uint64_t mask = enter_cs == SEL_CODE64 ? ~0ULL : 0xffffffff;
    for (unsigned n = 0; n < 16; n++) {
        observed.reg[n] = (uint64_t)g[greg_of[n]] & mask;
    }
    observed.rip = (uint64_t)g[REG_RIP];
    observed.eflags = (uint32_t)g[REG_EFL];
    observed.vector = (int)g[REG_TRAPNO];
    observed.error = (uint32_t)g[REG_ERR];
    memcpy(g, host_gregs, sizeof(host_gregs));
}

static int ldt_set(unsigned index, unsigned contents, unsigned wide)
{
    struct user_desc d = {.entry_number = index,
                          .base_addr = (unsigned)(uintptr_t)arena,
                          .limit = ARENA_BYTES - 1,
                          .seg_32bit = wide,
                          .contents = contents,
                          .useable = 1};

    return (int)syscall(SYS_modify_ldt, 1, &d, sizeof(d));
}

static bool native_init(void)
{
    static uint8_t stack[64 * 1024];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    static const int traps[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};

    arena = mmap((void *)ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (arena != (void *)ARENA || ldt_set(0, 2, 0) || ldt_set(1, 0, 0) ||
        ldt_set(2, 2, 1) || ldt_set(3, 0, 1)) {
        return false;
    }
    sigaltstack(&ss, NULL);
    sa.sa_sigaction = on_enter;
    sigaction(SIGUSR1, &sa, NULL);
    sa.sa_sigaction = on_trap;
    for (unsigned n = 0; n < 5; n++) {
        sigaction(traps[n], &sa, NULL);
    }
    return true;
}

static void native_step(unsigned data_sel)
{
    unsigned short old_ds, old_es;

    __asm__ volatile("mov %%ds, %0; mov %%es, %1" : "=r"(old_ds), "=r"(old_es));
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(data_sel));
    syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
    __asm__ volatile("mov %0, %%ds; mov %1, %%es" : : "r"(old_ds), "r"(old_es));
}

/* What a user process can run without touching the world around it. */
static bool is_runnable(const struct emul_insn *i)
{
    static const uint16_t banned[] = {
        EMUL_I_MOV_SREG_RM, EMUL_I_POP_SREG,  EMUL_I_LOAD_FAR_PTR,
        EMUL_I_JMP_FAR,     EMUL_I_JMP_FAR_M, EMUL_I_CALL_FAR,
        EMUL_I_CALL_FAR_M,  EMUL_I_RETF,      EMUL_I_IRET,
        EMUL_I_INT_N,       EMUL_I_INT1,      EMUL_I_INT3,
        EMUL_I_INTO,        EMUL_I_CPUID,     EMUL_I_RDTSC,
        EMUL_I_RDTSCP,      EMUL_I_RDPMC,     EMUL_I_LAR,
        EMUL_I_LSL,         EMUL_I_VERR,      EMUL_I_VERW,
        EMUL_I_SLDT,        EMUL_I_STR,       EMUL_I_SGDT,
        EMUL_I_SIDT,        EMUL_I_SMSW,      EMUL_I_SYSCALL,
        EMUL_I_SYSENTER,    EMUL_I_ESC,       EMUL_I_WAIT,
        EMUL_I_CLFLUSH,     EMUL_I_RSM,
    };

    if (!emul_id_is_emulated(i->id) || i->seg >= EMUL_FS) {
        return i->id == EMUL_I_UD;
    }
    for (unsigned n = 0; n < sizeof(banned) / sizeof(banned[0]); n++) {
        if (banned[n] == i->id) {
            return false;
        }
    }
    return true;
}

static void machine_set(struct flat *f, enum emul_mode mode)
{
    struct emul_cpu *c = &f->e.cpu;
    uint16_t db = mode == EMUL_MODE_32 ? EMUL_ATTR_DB : 0;

    for (unsigned n = 0; n < EMUL_SEG_COUNT; n++) {
        c->seg[n] = (struct emul_seg){0, 0, 0, 0};
    }
    for (unsigned n = EMUL_ES; n <= EMUL_DS; n++) {
        c->seg[n] = (struct emul_seg){.sel = (uint16_t)enter_ss,
                                      .attr = 0xf3 | db,
                                      .limit = ARENA_BYTES - 1,
                                      .base = ARENA};
    }
    c->seg[EMUL_CS].attr = 0xfb | db;
    c->seg[EMUL_CS].sel = (uint16_t)enter_cs;
    c->efer = 0;
    if (mode == EMUL_MODE_64) {
        c->seg[EMUL_CS].attr |= EMUL_ATTR_L;
        c->seg[EMUL_CS].base = 0;
        c->efer = 0x500; /* LME, LMA */
    }
    c->cr0 = 0x80000011;
    c->cpl = 3;
    c->shadow = 0;
}

static uint64_t value64(struct gen *g)
{
    if (gen_one_in(g, 8)) {
        return gen_u64(g);
    }
    return gen_one_in(g, 3) ? gen_value(g) : ARENA + gen_below(g, ARENA_BYTES);
}

static void state_random(struct gen *g, struct flat *f, enum emul_mode mode)
{
    struct emul_cpu *c = &f->e.cpu;
    uint64_t base = mode == EMUL_MODE_64 ? ARENA : 0;

    for (unsigned n = 0; n < 16; n++) {
        bool wide = mode == EMUL_MODE_64;
        c->reg[n] = wide ? value64(g) : n < 8 ? gen_value(g) : 0;
    }
    if (!gen_one_in(g, 8)) {
        c->reg[EMUL_RSP] = base + gen_below(g, ARENA_BYTES);
    }
    c->rip = base + CODE_AT + gen_below(g, 64);
    c->rflags = 0x202 | FLAG_TF | (gen_u64(g) & FLAGS_RANDOM) |
                (observed.eflags & FLAG_ID);
    memcpy(wanted.reg, c->reg, sizeof(wanted.reg));
    wanted.rip = c->rip;
    wanted.eflags = (uint32_t)c->rflags;
}

static void outcome_of(const struct flat *f, enum emul_result rc,
                       struct outcome *o)
{
    memcpy(o->reg, f->e.cpu.reg, sizeof(o->reg));
    o->rip = f->e.cpu.rip;
    o->eflags = (uint32_t)f->e.cpu.rflags;
    o->vector = rc == EMUL_FAULT ? f->e.event.vector : -1;
    o->error = rc == EMUL_FAULT ? f->e.event.error : 0;
}

/* Which of two bad operands of CMPS faults first depends on the prefix. */
static bool fault_is_equal(const struct outcome *a, const struct outcome *b,
                           enum emul_id id)
{
    bool no_error = a->vector == 1 || a->vector == 14;

    if (id == EMUL_I_CMPS && a->vector >= 12 && b->vector >= 12) {
        return true;
    }
    return a->vector == b->vector && (no_error || a->error == b->error);
}

/* A POPA that faults half-way leaves registers as it likes. */
static bool outcome_is_equal(const struct outcome *a, const struct outcome *b,
                             enum emul_id id)
{
    bool any_reg = id == EMUL_I_POPA && b->vector != 1;

    return (any_reg || memcmp(a->reg, b->reg, sizeof(a->reg)) == 0) &&
           a->rip == b->rip &&
           ((a->eflags ^ b->eflags) & ~(FLAG_RF | FLAG_ID)) == 0 &&
           fault_is_equal(a, b, id);
}

static void outcome_print(const char *what, const struct outcome *o)
{
    printf("  %-8s", what);
    for (unsigned n = 0; n < 16; n++) {
        printf(" %llx", (unsigned long long)o->reg[n]);
    }
    printf(" rip %llx efl %05x vec %d err %x\n", (unsigned long long)o->rip,
           o->eflags, o->vector, o->error);
}

static void mismatch_print(uint64_t number, const struct emul_insn *i,
                           const uint8_t *code, enum emul_mode mode,
                           const struct outcome *ours)
{
    printf("case %llu, %u-bit, %s:", (unsigned long long)number, 16u << mode,
           emul_id_name(i->id));
    for (unsigned n = 0; n < i->len; n++) {
        printf(" %02x", code[n]);
    }
    printf("\n");
    outcome_print("before", &wanted);
    outcome_print("cpu", &observed);
    outcome_print("ours", ours);
}

/*
 * An access outside the arena is repeated natively only where nothing can be
 * mapped: below 64 KiB and in the upper half. Elsewhere may be the process.
 */
static bool touches_process(const struct flat *f, enum emul_result rc)
{
    uint64_t at = f->e.event.cr2;

    return rc == EMUL_FAULT && f->e.event.vector == 14 && at >= 0xfff0 &&
           at < 1ULL << 63;
}

struct tally {
    unsigned long compared[EMUL_ID_COUNT];
    unsigned long total;
    unsigned long bad;
    FILE *golden_in, *golden_out;
};

#define GOLDEN_PER_ID 3

static void numbers_write(FILE *out, const uint64_t reg[16], uint64_t rip,
                          uint32_t eflags)
{
    for (unsigned n = 0; n < 16; n++) {
        fprintf(out, " %llx", (unsigned long long)reg[n]);
    }
    fprintf(out, " %llx %x", (unsigned long long)rip, eflags);
}

static void golden_write(const struct tally *t, const struct emul_insn *i,
                         const uint8_t *code, enum emul_mode mode)
{
    fprintf(t->golden_in, "%u", 16u << mode);
    numbers_write(t->golden_in, wanted.reg, wanted.rip, wanted.eflags);
    for (unsigned n = 0; n < i->len; n++) {
        fprintf(t->golden_in, " %02x", code[n]);
    }
    fprintf(t->golden_in, " # %s\n", emul_id_name(i->id));
    fprintf(t->golden_out, "%d", observed.vector);
    numbers_write(t->golden_out, observed.reg, observed.rip,
                  observed.eflags & ~(FLAG_RF | FLAG_ID));
    fprintf(t->golden_out, " %016llx\n",
            (unsigned long long)gen_hash(arena, ARENA_BYTES));
}

/* One random case; false if it could not be run. */
static bool case_run(struct flat *f, uint64_t number, uint64_t seed,
                     struct tally *t)
{
    struct gen g = {.s = seed + number * 0x632be59bd9b4e019ULL};
    enum emul_mode mode = (enum emul_mode)gen_below(&g, 3);
    uint8_t code[GEN_CODE_MAX];
    struct emul_insn insn;
    struct outcome ours;

    enter_cs = mode == EMUL_MODE_64   ? SEL_CODE64
               : mode == EMUL_MODE_32 ? SEL_CODE32
                                      : SEL_CODE16;
    enter_ss = mode == EMUL_MODE_64   ? SEL_DATA64
               : mode == EMUL_MODE_32 ? SEL_DATA32
                                      : SEL_DATA16;
    gen_code(&g, code, mode == EMUL_MODE_64);
    if (emul_decode(&insn, code, 15,
                    mode == EMUL_MODE_64 && f->e.family == EMUL_FAMILY_AMD
                        ? EMUL_MODE_64_AMD
                        : mode) ||
        !is_runnable(&insn)) {
        return false;
    }
    machine_set(f, mode);
    state_random(&g, f, mode);
    if (t->golden_in) {
        gen_pattern(f->mem + ARENA_AT, ARENA_BYTES);
        memcpy(f->mem + ARENA_AT + (f->e.cpu.rip & 0xffff), code, insn.len);
    } else {
        memcpy(f->mem + ARENA_AT + (f->e.cpu.rip & 0xffff), code, sizeof(code));
    }
    memcpy(arena, f->mem + ARENA_AT, ARENA_BYTES);
    emul_cache_flush(&f->cache);
    emul_sync(&f->e);
    enum emul_result rc = emul_step(&f->e);
    outcome_of(f, rc, &ours);
    if (rc == EMUL_UNHANDLED || (ours.eflags & FLAGS_SKIP) ||
        touches_process(f, rc)) {
        memcpy(f->mem + ARENA_AT, arena, ARENA_BYTES);
        return false;
    }
    native_step(enter_ss);
    bool same = outcome_is_equal(&ours, &observed, insn.id) &&
                memcmp(f->mem + ARENA_AT, arena, ARENA_BYTES) == 0;
    t->compared[insn.id]++;
    t->total++;
    if (t->golden_in && same && t->compared[insn.id] <= GOLDEN_PER_ID) {
        golden_write(t, &insn, code, mode);
    }
    if (!same && t->bad++ < 20) {
        mismatch_print(number, &insn, code, mode, &ours);
    }
    memcpy(f->mem + ARENA_AT, arena, ARENA_BYTES);
    return true;
}

static void coverage_write(const struct tally *t)
{
    const char *path = getenv("EMUL_COVERAGE");
    FILE *out = path ? fopen(path, "a") : NULL;

    if (!out) {
        return;
    }
    for (unsigned n = 0; n < EMUL_ID_COUNT; n++) {
        if (t->compared[n]) {
            fprintf(out, "native %s %lu\n", emul_id_name(n), t->compared[n]);
        }
    }
    fclose(out);
}

static bool golden_open(struct tally *t)
{
    const char *name = getenv("EMUL_GOLDEN");
    char path[512];

    if (!name) {
        return true;
    }
    snprintf(path, sizeof(path), "%s.in", name);
    t->golden_in = fopen(path, "w");
    snprintf(path, sizeof(path), "%s.out", name);
    t->golden_out = fopen(path, "w");
    return t->golden_in && t->golden_out;
}

static bool cpu_is_amd(void)
{
    uint32_t a = 0, b, c, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return b == 0x68747541; /* "Auth" */
}

int main(int argc, char **argv)
{
    unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    static struct flat machine;
    static struct tally tally;
    struct flat *f = &machine;
    struct tally *t = &tally;
    struct gen g = {.s = seed};

    if (!golden_open(t)) {
        return 1;
    }
    if (!native_init()) {
        printf("SKIP: no 16-bit segments here (modify_ldt: errno %d)\n", errno);
        return 77;
    }
    arena_init(f);
    f->e.family = cpu_is_amd() ? EMUL_FAMILY_AMD : EMUL_FAMILY_INTEL;
    for (unsigned n = 0; n < ARENA_BYTES; n++) {
        f->mem[ARENA_AT + n] = (uint8_t)gen_u64(&g);
    }
    unsigned long first = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;
    for (unsigned long n = first; t->total < cases; n++) {
        case_run(f, n, seed, t);
    }
    printf("%lu cases compared with the processor, %lu differ\n", t->total,
           t->bad);
    coverage_write(t);
    int rc = t->bad ? 1 : 0;
    if (t->golden_in) {
        fclose(t->golden_in);
        fclose(t->golden_out);
    }
    return rc;
}
