/* SPDX-License-Identifier: MIT */
/*
 * The watched side: one small function for each thing the watcher asks for. It
 * checks that it sees nothing of being watched, and reports what it saw.
 */

#include "watched.h"

static volatile unsigned int traps;
static volatile unsigned long trap_ip;
static uint16_t msw_in_memory;

static void on_trap(struct trap_frame *frame)
{
    traps++;
    trap_ip = frame->ip;
}

static unsigned int fault_of_cr0(unsigned long value)
{
    return TRAP_OF_INSN("mov %0, %%cr0", : "r"(value) : "memory");
}
static unsigned int fault_of_cr3(unsigned long value)
{
    return TRAP_OF_INSN("mov %0, %%cr3", : "r"(value) : "memory");
}
static unsigned int fault_of_cr4(unsigned long value)
{
    return TRAP_OF_INSN("mov %0, %%cr4", : "r"(value) : "memory");
}

/* Nothing of its supervision can be read or changed by the domain itself. */
static void self(void)
{
    static const uint32_t params[] = {20, 21, 22, 23, 25, 28, 30};
    struct ravelin_monitor_listen listen = {
        .domid = (uint16_t)own_domid(),
        .reason = RAVELIN_REASON_CR3,
    };
    uint64_t value;
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(params); i++) {
        CHECK_EQ(hvm_param_get(params[i], &value), -XEN_EPERM);
        CHECK_EQ(hvm_param_set(params[i], 0), -XEN_EPERM);
    }
    CHECK_EQ(hypercall2(__HYPERVISOR_ravelin_monitor_op, RAVELIN_MONITOR_listen,
                        &listen),
             -XEN_EPERM);
    CHECK_EQ(hypercall2(__HYPERVISOR_ravelin_monitor_op,
                        RAVELIN_MONITOR_version, NULL),
             -XEN_EPERM);
}

static void all_of_cr0(void)
{
    unsigned long cr0 = read_cr0();
    unsigned long msw = cr0 & 0xffff;

    write_cr0(cr0 | CR0_TS);
    asm volatile("clts" ::: "memory");
    asm volatile("lmsw %0" ::"r"((uint16_t)(msw | CR0_TS)) : "memory");
    msw_in_memory = (uint16_t)(msw & ~CR0_TS);
    asm volatile("lmsw %0" ::"m"(msw_in_memory) : "memory");
    /* PE cannot be cleared that way. */
    asm volatile("lmsw %0" ::"r"((uint16_t)(msw & ~CR0_PE)) : "memory");
    CHECK_EQ(read_cr0(), cr0);
}

static void faults(void)
{
    unsigned long cr0 = read_cr0();
    unsigned long cr3 = read_cr3();
    unsigned long cr4 = read_cr4();

    CHECK_EQ(fault_of_cr0(cr0 & ~CR0_PE), TRAP_GP);
    CHECK_EQ(fault_of_cr0(cr0 | 1ul << 32), TRAP_GP);
    CHECK_EQ(fault_of_cr3(cr3 | 1ul << 62), TRAP_GP);
    CHECK_EQ(fault_of_cr4(cr4 | 1ul << 31), TRAP_GP);
    CHECK_EQ(fault_of_cr4(cr4 & ~CR4_PAE), TRAP_GP);
    CHECK_EQ(read_cr0(), cr0);
    CHECK_EQ(read_cr3(), cr3);
    CHECK_EQ(read_cr4(), cr4);
}

static void same(void)
{
    unsigned long cr3 = read_cr3();
    unsigned long cr4 = read_cr4();

    write_cr3(cr3);
    write_cr4(cr4);
    write_cr3(cr3 | 1ul << 3); /* PWT: another value, the same tables */
    write_cr3(cr3);
    write_cr4(cr4 ^ CR4_PGE);
    write_cr4(cr4);
}

static void cr3_writes(unsigned int n)
{
    unsigned long cr3 = read_cr3();

    while (n--) {
        write_cr3(cr3);
    }
}

/* Until the watcher says stop: arg[0] is polled, result[0] counts. Bochs takes
 * the CPU from no guest whose interrupts are off. */
static void run(void)
{
    unsigned long cr3 = read_cr3();
    unsigned int i;

    irq_enable();
    WRITE_ONCE(watch_mailbox.result[0], 0);
    while (READ_ONCE(watch_mailbox.arg[0]) == 0) {
        write_cr3(cr3);
        watch_mailbox.result[0]++;
        /* Emulators take their time for a new address space. */
        for (i = 0; i < 500; i++) {
            asm volatile("" ::: "memory");
        }
    }
    irq_disable();
}

static void denied(void)
{
    unsigned long cr4 = read_cr4();

    write_cr4(cr4 ^ CR4_PGE);
    CHECK_EQ(read_cr4(), cr4);
    write_cr3(read_cr3() | 1ul << 3);
    CHECK_EQ(read_cr3() & 1ul << 3, 0);
}

/* One INT3; how often its handler ran, and whether behind the instruction. */
static void breakpoint(void)
{
    unsigned long after;

    traps = 0;
    asm volatile("lea 1f(%%rip), %0\n\t"
                 "int3\n\t"
                 "1:"
                 : "=&r"(after)::"memory");
    WRITE_ONCE(watch_mailbox.result[0], traps);
    WRITE_ONCE(watch_mailbox.result[1], traps && trap_ip == after);
}

/* The byte is made a NOP by the watcher before it lets us go on. */
static void patched(void)
{
    traps = 0;
    asm volatile("int3" ::: "memory");
    WRITE_ONCE(watch_mailbox.result[0], traps);
}

static void soft_int(void)
{
    unsigned long after;

    traps = 0;
    asm volatile("lea 1f(%%rip), %0\n\t"
                 "int $0x90\n\t"
                 "1:"
                 : "=&r"(after)::"memory");
    WRITE_ONCE(watch_mailbox.result[0], traps);
    WRITE_ONCE(watch_mailbox.result[1], traps && trap_ip == after);
    /* The two-byte form of INT 3 is no breakpoint instruction. */
    traps = 0;
    asm volatile(".byte 0xcd, 0x03" ::: "memory");
    WRITE_ONCE(watch_mailbox.result[2], traps);
}

static void msrs(void)
{
    uint64_t lstar = rdmsr(MSR_LSTAR);
    uint64_t star = rdmsr(MSR_STAR);

    wrmsr(MSR_LSTAR, 0xffff800000001000);
    CHECK_EQ(rdmsr(MSR_LSTAR), 0xffff800000001000);
    wrmsr(MSR_LSTAR, lstar);
    wrmsr(MSR_STAR, star);
}

static void filtered(void)
{
    unsigned long cr3 = read_cr3();
    unsigned long cr4 = read_cr4();

    write_cr3(cr3);
    write_cr4(cr4 ^ CR4_PGE);
    write_cr4(cr4 ^ CR4_PGE ^ CR4_OSFXSR);
    write_cr4(cr4);
}

/* The watcher changes RBX while this waits. */
static void registers(void)
{
    unsigned long cr3 = read_cr3();
    unsigned long bx = MARK;

    asm volatile("mov %1, %%cr3" : "+b"(bx) : "r"(cr3) : "memory");
    WRITE_ONCE(watch_mailbox.result[0], bx);
}

static void act(uint32_t action)
{
    switch (action) {
    case PHASE_SELF:
        self();
        break;
    case PHASE_CR0:
        all_of_cr0();
        break;
    case PHASE_FAULTS:
        faults();
        break;
    case PHASE_SAME:
        same();
        break;
    case PHASE_FLOOD:
        cr3_writes(FLOOD);
        break;
    case PHASE_RUN:
        run();
        break;
    case PHASE_ONE:
        cr3_writes(1);
        break;
    case PHASE_DENY:
        denied();
        break;
    case PHASE_BP_OWN:
    case PHASE_BP_ASYNC:
    case PHASE_BP_INJECT:
    case PHASE_BP_SKIP:
        breakpoint();
        break;
    case PHASE_BP_AGAIN:
        patched();
        break;
    case PHASE_SOFT_INT:
        soft_int();
        break;
    case PHASE_MSR:
        msrs();
        break;
    case PHASE_FILTER:
        filtered();
        break;
    case PHASE_REGISTERS:
        registers();
        break;
    default:
        report_error("no action %u", action);
        break;
    }
}

void watched(void)
{
    uint32_t phase = PHASE_NONE;

    trap_handler_set(TRAP_BP, on_trap);
    trap_handler_set(0x90, on_trap);
    trap_gate_set(0x90, trap_stub_table[0x90], 3, 0);
    while ((phase = watch_await(phase)) != WATCH_END) {
        act(phase & 0xff);
        watch_done(phase);
    }
}
