/* SPDX-License-Identifier: MIT */
/*
 * The rows: instructions of every kind that a step must get over, on a page
 * that may not be executed, and accesses of every kind to pages that may not be
 * read or written. What a row leaves in access_result is compared between a run
 * with all rights and one without.
 */

#include "guest.h"

#include "mon_access.h"

#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define FLAGS_SEEN (FLAGS_TF | FLAGS_IF | 0x3000)
#define DR6_BS 0x4000ul
#define VECTOR_SOFT 0x81
#define WORD_IP 3
#define VECTOR_IPI 0x71
#ifdef __x86_64__
#define SP "rsp"
#define KEEP "rbx"
#define GATE_SIZE 16
#else
#define SP "esp"
#define KEEP "ebx"
#define GATE_SIZE 8
#endif

extern uint8_t stepped_page[];

/* Code on a page of its own; each is called as a function of two arguments. */
#define STEPPED(name) unsigned long name(unsigned long a, unsigned long b)
STEPPED(step_plain);
STEPPED(step_branch);
STEPPED(step_pushf);
STEPPED(step_popf);
STEPPED(step_trace);
STEPPED(step_iret);
STEPPED(step_mov_ss);
STEPPED(step_int);
STEPPED(step_int3);
STEPPED(step_syscall);
STEPPED(step_sysret);
STEPPED(step_rep);
STEPPED(step_sti);
STEPPED(step_exits);
STEPPED(step_ud);
STEPPED(step_pf);
STEPPED(step_cross);
STEPPED(step_into);

#ifdef __x86_64__
uint64_t sysret_stack;
void lstar_back(void);
void lstar_sysret(void);

asm(".pushsection .text.stepped, \"ax\", @progbits\n"
    ".balign 4096\n"
    "stepped_page:\n"
    "step_plain: mov $5, %eax; add $7, %eax; lea 3(%rax), %rax; ret\n"
    "step_branch: mov $3, %ecx\n"
    "1: dec %ecx; jnz 1b; call 2f; ret\n"
    "2: mov $9, %eax; ret\n"
    "step_pushf: pushf; pop %rax; ret\n"
    "step_popf: push %rdi; popf; pushf; pop %rax; ret\n"
    /* The guest steps itself: TF on, two instructions, TF off. */
    "step_trace: push %rdi; popf; nop; nop; push %rsi; popf; ret\n"
    "step_iret: mov %ss, %eax; mov %rsp, %rdx; push %rax; push %rdx; pushf\n"
    "  mov %cs, %eax; push %rax; lea 1f(%rip), %rax; push %rax; iretq\n"
    "1: pushf; pop %rax; ret\n"
    "step_mov_ss: mov %ss, %eax; mov %eax, %ss; nop; ret\n"
    "step_int: int $0x81; ret\n"
    "step_int3: int3; ret\n"
    "step_syscall: syscall; mov %r11, %rax; ret\n"
    "step_sysret: mov %rsp, sysret_stack; mov $0x202, %r11d\n"
    "  lea 1f(%rip), %rcx; sysretq\n"
    "1: nop; syscall\n"
    "  .globl step_sysret_end\n"
    "step_sysret_end: mov %r11, %rax; ret\n"
    "step_rep: mov $3, %ecx; rep movsb; mov %rcx, %rax; ret\n"
    "step_sti: sti; nop; nop; cli; ret\n"
    "step_exits: push %rbx; mov $0x40000000, %eax; cpuid\n"
    "  mov $0xc0000080, %ecx; rdmsr; mov %cr0, %rdx; mov %cr3, %rdx\n"
    "  mov %rdx, %cr3; mov %cr4, %rdx; mov %rdx, %cr4; in $0x61, %al\n"
    "  pop %rbx; ret\n"
    "step_ud: mov $1, %eax\n"
    "1: ud2\n"
    "2: ret\n" EX_TABLE(1b, 2b) "step_pf: mov $1, %eax\n"
                                "1: mov (%rdi), %rax\n"
                                "2: ret\n" EX_TABLE(1b, 2b)
    /* Ten bytes, five on either side. */
    ".org stepped_page + 4096 - 5\n"
    "step_cross: movabs $0x1122334455667788, %rax\n"
    "ret\n"
    ".balign 4096, 0x90\n"
    "lstar_back: mov $0x10, %eax; mov %eax, %ss; jmp *%rcx\n"
    "lstar_sysret: mov sysret_stack, %rsp; mov $0x10, %eax; mov %eax, %ss\n"
    "  jmp step_sysret_end\n"
    ".popsection\n");
#else
/* Arguments are on the stack. */
asm(".pushsection .text.stepped, \"ax\", @progbits\n"
    ".balign 4096\n"
    "stepped_page:\n"
    "step_plain: mov $5, %eax; add $7, %eax; lea 3(%eax), %eax; ret\n"
    "step_branch: mov $3, %ecx\n"
    "1: dec %ecx; jnz 1b; call 2f; ret\n"
    "2: mov $9, %eax; ret\n"
    "step_pushf: pushf; pop %eax; ret\n"
    "step_popf: mov 4(%esp), %eax; push %eax; popf; pushf; pop %eax; ret\n"
    "step_iret: pushf; push %cs; push $1f; iret\n"
    "1: pushf; pop %eax; ret\n"
    "step_mov_ss: mov %ss, %eax; mov %eax, %ss; nop; push %ss; pop %ss\n"
    "  nop; ret\n"
    "step_int: int $0x81; ret\n"
    "step_int3: int3; ret\n"
    "step_into: mov $0x7fffffff, %eax; add $1, %eax; into; ret\n"
    "step_sti: sti; nop; nop; cli; ret\n"
    "step_ud: mov $1, %eax\n"
    "1: ud2\n"
    "2: ret\n" EX_TABLE(1b, 2b) ".balign 4096, 0x90\n"
                                ".popsection\n");
#endif

static volatile uint64_t trap_count, trap_flags, trap_ip, trap_dr6;

static void soft_handler(struct trap_frame *f)
{
    trap_count++;
    trap_flags |= f->flags & FLAGS_SEEN;
    trap_ip = f->ip;
}

static void db_handler(struct trap_frame *f)
{
    soft_handler(f);
    trap_dr6 |= read_dr6() & 0x400f;
    write_dr6(0xffff0ff0);
}

static void ipi_handler(struct trap_frame *f)
{
    soft_handler(f);
    lapic_eoi();
}

void access_setup(void)
{
    trap_handler_set(VECTOR_SOFT, soft_handler);
    trap_handler_set(TRAP_BP, soft_handler);
    trap_handler_set(TRAP_DB, db_handler);
    trap_handler_set(VECTOR_IPI, ipi_handler);
    lapic_enable();
    trap_handler_set(TRAP_OF, soft_handler);
#ifdef __x86_64__
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (uint64_t)SEL_CODE64 << 32 | 0x20ull << 48);
    wrmsr(MSR_SFMASK, FLAGS_TF | FLAGS_IF);
#endif
}

uint64_t access_trap_flags(void)
{
    uint64_t flags = trap_flags & FLAGS_TF;

    trap_count = trap_flags = trap_ip = trap_dr6 = 0;
#ifdef __x86_64__
    wrmsr(MSR_LSTAR, (uintptr_t)lstar_back);
#endif
    return flags;
}

static void trap_words(void)
{
    access_result[1] = trap_count;
    access_result[2] = trap_flags;
    access_result[WORD_IP] = trap_ip;
    access_result[4] = trap_dr6;
    access_result[5] = read_dr6();
    trap_count = trap_flags = trap_ip = trap_dr6 = 0;
}

static void call2(unsigned long (*fn)(unsigned long, unsigned long),
                  unsigned long a, unsigned long b)
{
    access_result[0] = fn(a, b);
    trap_words();
    access_result[6] = read_flags() & FLAGS_SEEN;
}

#define RUN(name)                 \
    static void run_##name(void)  \
    {                             \
        call2(step_##name, 0, 0); \
    }
RUN(plain)
RUN(branch)
RUN(pushf)
RUN(iret)
RUN(mov_ss)
RUN(int)
RUN(int3)

static void run_popf(void)
{
    call2(step_popf, 0x08d7, 0);
}

#ifdef __x86_64__
RUN(cross)

static void run_trace(void)
{
    call2(step_trace, FLAGS_TF | 2, 2);
}

static void run_syscall(void)
{
    wrmsr(MSR_LSTAR, (uintptr_t)lstar_back);
    call2(step_syscall, 0, 0);
}

/* The callee-saved registers survive, the stack pointer is put back. */
static void run_sysret(void)
{
    wrmsr(MSR_LSTAR, (uintptr_t)lstar_sysret);
    call2(step_sysret, 0, 0);
}

static void run_rep(void)
{
    access_data[0][0] = 7;
    access_data[0][2] = 9;
    call2(step_rep, (uintptr_t)access_data[1], (uintptr_t)access_data[0]);
    access_result[7] = access_data[1][0] + access_data[1][2] * 256u;
}
#else
RUN(into)
#endif

static void run_sti(void)
{
    lapic_icr_send(0, ICR_SELF | ICR_FIXED | VECTOR_IPI);
    call2(step_sti, 0, 0);
}

#ifdef __x86_64__
static void run_exits(void)
{
    call2(step_exits, 0, 0);
}
#endif

static void run_ud(void)
{
    call2(step_ud, 0, 0);
    access_result[7] = trap_last()->vector;
}

#ifdef __x86_64__
static void run_pf(void)
{
    call2(step_pf, UNMAPPED_VA, 0);
    access_result[7] = trap_last()->cr2 + trap_last()->error;
}
#endif

/* A data breakpoint of the guest's own is hit by an instruction that is
 * stepped over. */
static void run_watchpoint(void)
{
    write_dr0((uintptr_t)&access_data[0][64]);
    write_dr7(0x700 | 1 | 0xd0000);
    *(volatile uint32_t *)&access_data[0][64] = 5;
    write_dr7(0x400);
    trap_words();
    access_result[0] = access_data[0][64];
    access_result[3] = 0;
}

/* ---- Accesses ------------------------------------------------------------ */

static void run_read(void)
{
    access_result[0] = *(volatile unsigned long *)access_data[0];
    access_result[1] = *(volatile uint8_t *)&access_data[0][4095];
}

static void run_write(void)
{
    *(volatile unsigned long *)access_data[0] = 0x1234;
    *(volatile uint8_t *)&access_data[0][4095] = 0x56;
    access_result[0] = *(volatile unsigned long *)access_data[0];
    access_result[1] = *(volatile uint8_t *)&access_data[0][4095];
}

static void run_modify(void)
{
    volatile uint32_t *word = (void *)&access_data[0][128];

    asm volatile("addl $3, %0" : "+m"(*word));
    asm volatile("lock; incl %0" : "+m"(*word));
    access_result[0] = *word;
}

static void run_data_cross(void)
{
    volatile unsigned long *word =
        (void *)&access_data[0][4096 - sizeof(long) / 2];

    *word = (unsigned long)0x1122334455667788;
    access_result[0] = access_data[0][4095];
    access_result[1] = access_data[1][0];
}

static void run_movs(void)
{
    void *to = &access_data[2][4093];
    const void *from = &access_data[0][4094];
    unsigned long n = 6;

    access_data[0][4095] = 3;
    access_data[1][1] = 4;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
    access_result[0] = (uintptr_t)to - (uintptr_t)access_data;
    access_result[1] = n;
    access_result[2] = access_data[2][4094] + access_data[3][0] * 256u;
}

/* Pushes, a flag image and the frame of an interrupt on a page that is
 * watched. */
static void run_stack(void)
{
    unsigned long flags, sum;

    asm volatile("mov %%" SP ", %%" KEEP "\n\t"
                 "mov %2, %%" SP "\n\t"
                 "push $17\n\t"
                 "pop %0\n\t"
                 "pushf\n\t"
                 "pop %1\n\t"
                 "int $0x81\n\t"
                 "mov %%" KEEP ", %%" SP
                 : "=&r"(sum), "=&r"(flags)
                 : "r"(&access_data[1][2048])
                 : KEEP, "memory", "cc");
    access_result[0] = sum;
    trap_words();
    access_result[3] = 0;
    access_result[7] = flags & FLAGS_SEEN;
}

/* The interrupt's frame goes to the watched page; so does a fault's. */
static void run_stack_interrupt(void)
{
    lapic_icr_send(0, ICR_SELF | ICR_FIXED | VECTOR_IPI);
    asm volatile("mov %%" SP ", %%" KEEP "\n\t"
                 "mov %0, %%" SP "\n\t"
                 "sti\n\t"
                 "nop\n\t"
                 "nop\n\t"
                 "cli\n\t"
                 "mov %%" KEEP ", %%" SP
                 :
                 : "r"(&access_data[1][2048])
                 : KEEP, "memory", "cc");
    trap_words();
    access_result[3] = 0;
}

static void run_idt(void)
{
    asm volatile("int $0x81" ::: "memory");
    trap_words();
    access_result[3] = 0;
}

static void *page_code(void)
{
    return stepped_page;
}

static void *page_data(void)
{
    return access_data;
}

/* The same image runs on both sides, so the place of the IDT is the same. */
static void *page_idt(void)
{
    struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) idt;

    asm volatile("sidt %0" : "=m"(idt));
    return (void *)((idt.base + VECTOR_SOFT * GATE_SIZE) & ~0xffful);
}

#define X RAVELIN_EVENT_EXEC
#define R RAVELIN_EVENT_READ
#define W RAVELIN_EVENT_WRITE
#define G RAVELIN_EVENT_GLA
#define H RAVELIN_EVENT_HYPERCALL
#define CODE(name, least, most)                                            \
    {                                                                      \
        "code-" #name, run_##name, page_code, 1, MONITOR_ACCESS_RW, least, \
            most, X | G                                                    \
    }

const struct access_row access_rows[] = {
    CODE(plain, 4, 4),
    CODE(branch, 11, 11),
    CODE(pushf, 3, 3),
#ifdef __x86_64__
    CODE(popf, 5, 5),
    CODE(trace, 7, 7),
    CODE(iret, 13, 13),
    CODE(mov_ss, 4, 4),
#else
    CODE(popf, 6, 6),
    CODE(iret, 7, 7),
    CODE(mov_ss, 7, 7),
    CODE(into, 4, 4),
#endif
    CODE(int, 2, 2),
    CODE(int3, 2, 2),
    CODE(sti, 5, 5),
    CODE(ud, 3, 3),
#ifdef __x86_64__
    CODE(syscall, 3, 3),
    CODE(sysret, 8, 8),
    CODE(rep, 6, 7),
    CODE(exits, 13, 13),
    CODE(pf, 3, 3),
    {"code-cross", run_cross, page_code, 2, MONITOR_ACCESS_RW, 3, 3, X | G},
#endif
    {"read", run_read, page_data, 1, MONITOR_ACCESS_N, 2, 2, R | G},
    {"read-x-only", run_read, page_data, 1, MONITOR_ACCESS_X, 2, 2, R | G},
    {"read-w-only", run_read, page_data, 1, MONITOR_ACCESS_W, 2, 2, R | G},
    {"write", run_write, page_data, 1, MONITOR_ACCESS_R, 2, 2, W | G},
    {"write-rx", run_write, page_data, 1, MONITOR_ACCESS_RX, 2, 2, W | G},
    {"write-w-only", run_write, page_data, 1, MONITOR_ACCESS_W, 2, 2, R | G},
    {"modify", run_modify, page_data, 1, MONITOR_ACCESS_R, 2, 2, W | G},
    {"modify-n", run_modify, page_data, 1, MONITOR_ACCESS_N, 3, 5, G},
    {"cross", run_data_cross, page_data, 2, MONITOR_ACCESS_R, 2, 3, W | G},
    {"movs", run_movs, page_data, 4, MONITOR_ACCESS_N, 16, 20, G},
    {"stack", run_stack, page_data, 3, MONITOR_ACCESS_R, 3, 60, W},
    {"stack-interrupt", run_stack_interrupt, page_data, 3, MONITOR_ACCESS_R, 1,
     60, W},
    {"idt", run_idt, page_idt, 1, MONITOR_ACCESS_N, 1, 200, 0},
    {"call-read", call_run_read, page_data, 1, MONITOR_ACCESS_N, 1, 1,
     R | G | H},
    {"call-write", call_run_write, page_data, 1, MONITOR_ACCESS_R, 1, 1,
     W | G | H},
    {"call-write-w-only", call_run_write_only, page_data, 1, MONITOR_ACCESS_W,
     1, 1, R | G},
    {"call-cross", call_run_cross, page_data, 2, MONITOR_ACCESS_R, 2, 2,
     W | G | H},
    {"call-port", call_run_port, page_data, 1, MONITOR_ACCESS_N, 4, 4, G},
    {"watchpoint", run_watchpoint, page_data, 1, MONITOR_ACCESS_R, 1, 1, W | G},
};
const unsigned int access_row_count = ARRAY_SIZE(access_rows);

/* QEMU's TCG loses the shadow of STI if an exit falls into it; a watched run
 * keeps it. */
void access_plain_settle(uint64_t row, uint64_t result[WATCH_WORDS])
{
    uint64_t after_sti = (uintptr_t)step_sti + 1;

    if (access_rows[row].run == run_sti && result[WORD_IP] == after_sti) {
        result[WORD_IP]++;
    }
}
