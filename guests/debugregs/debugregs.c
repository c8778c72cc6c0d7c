/* SPDX-License-Identifier: MIT */
/*
 * Debug registers: breakpoints on execution and data, single step, general
 * detect, and values that stay this domain's own while another with a
 * different `seed=` runs beside it for `run=` milliseconds.
 *
 * Environments: all. Two of them at once crash QEMU 7.2 itself under the
 * reference hypervisor: its list of breakpoints does not follow the DR7 that
 * the VMCB loads.
 */

#include "guest.h"

const char test_title[] = "debugregs: breakpoints, single step, isolation";

#define DR6_BS (1ul << 14)
#define DR6_BD (1ul << 13)
#define DR7_GD (1ul << 13)
#define DR7_FIXED 0x400ul

#ifdef __x86_64__
#define SET_TF "pushf; orl $0x100, (%%rsp); popf; "
#else
#define SET_TF "pushf; orl $0x100, (%%esp); popf; "
#endif

static volatile uint32_t traps;
static volatile unsigned long last_dr6, last_ip, steps_left;
static volatile uint32_t watched;

static void debug_trap(struct trap_frame *frame)
{
    traps++;
    last_dr6 = read_dr6();
    last_ip = frame->ip;
    write_dr6(0xffff0ff0);
    if (last_dr6 & 1) {
        /* A fault: step over it with the resume flag. */
        frame->flags |= 1ul << 16;
    }
    if (last_dr6 & DR6_BS) {
        if (--steps_left == 0) {
            frame->flags &= ~FLAGS_TF;
        }
    }
}

static void execution_breakpoint(void)
{
    unsigned long target;

    traps = 0;
    asm volatile("mov $1f, %0; mov %0, %%dr0; mov %1, %%dr7\n"
                 "1: nop\n"
                 : "=&r"(target)
                 : "r"(DR7_FIXED | 2)
                 : "memory");
    write_dr7(DR7_FIXED);
    CHECK_EQ(traps, 1);
    CHECK_EQ(last_dr6 & 0xf, 1);
    CHECK_EQ(last_ip, target);
}

static void data_breakpoint(void)
{
    traps = 0;
    write_dr1((unsigned long)(uintptr_t)&watched);
    /* Slot 1: write, 4 bytes. */
    write_dr7(DR7_FIXED | (2ul << 2) | (0xdul << 20));
    watched = 7;
    CHECK_EQ(traps, 1);
    CHECK_EQ(last_dr6 & 0xf, 2);
    (void)watched;
    CHECK_EQ(traps, 1);
    write_dr7(DR7_FIXED);
    watched = 8;
    CHECK_EQ(traps, 1);
}

static void single_step(void)
{
    traps = 0;
    steps_left = 3;
    asm volatile(SET_TF "nop; nop; nop; nop" ::: "memory", "cc");
    CHECK_EQ(traps, 3);
    CHECK(last_dr6 & DR6_BS);
    CHECK(!(read_flags() & FLAGS_TF));
}

/* A trapped instruction that the hypervisor handles is one step as well. */
static void single_step_over_exit(void)
{
    unsigned long eax = 0, ebx, ecx = 0, edx;

    traps = 0;
    steps_left = 3;
    asm volatile(SET_TF "cpuid; nop; nop; nop; nop"
                 : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx)
                 :
                 : "memory", "cc");
    CHECK_EQ(traps, 3);
}

static void isolation(unsigned long seed)
{
    uint64_t end = clock_ns() + cmdline_number("run", 100) * MS;
    unsigned long v = 0x100000 * seed;
    uint32_t rounds = 0;

    write_dr0(v);
    write_dr1(v + 8);
    write_dr2(v + 16);
    write_dr3(v + 24);
    /* Enabled (slot 0: writes), so that they have to be in the hardware. */
    write_dr7(DR7_FIXED | 2 | (0xdul << 16));
    while (clock_ns() < end) {
        if (read_dr0() != v || read_dr1() != v + 8 || read_dr2() != v + 16 ||
            read_dr3() != v + 24 || !(read_dr7() & 2)) {
            report_failure("debug registers of another domain");
            return;
        }
        if (++rounds % 64 == 0) {
            clock_sleep(MS / 2);
        }
    }
    write_dr7(DR7_FIXED);
    CHECK(rounds > 0);
    printf("%u rounds\n", rounds);
}

static void general_detect(void)
{
    unsigned long v;

    traps = 0;
    write_dr7(DR7_FIXED | DR7_GD);
    /* The handler's own reads must not trap: delivery clears GD. */
    asm volatile("mov %%dr0, %0" : "=r"(v)::"memory");
    if (!traps) {
        /* Emulated processors leave it out; the value was still read. */
        printf("no general detect on this processor\n");
        write_dr7(DR7_FIXED);
        return;
    }
    CHECK_EQ(traps, 1);
    CHECK(last_dr6 & DR6_BD);
    CHECK(!(read_dr7() & DR7_GD));
}

void test_main(void)
{
    trap_handler_set(TRAP_DB, debug_trap);
    CHECK_EQ(read_dr7() & ~DR7_FIXED, 0);
    write_dr6(0xffff0ff0);
    execution_breakpoint();
    data_breakpoint();
    single_step();
    single_step_over_exit();
    general_detect();
    isolation((unsigned long)cmdline_number("seed", 1) + 16);
}
