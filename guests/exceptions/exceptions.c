/* SPDX-License-Identifier: MIT */
/*
 * Exceptions inside the guest: each vector with its error code and address,
 * every software interrupt, faults during delivery, the double fault. None of
 * them may be lost, changed or repeated by the hypervisor, also when it
 * intercepts some of them.
 *
 * Environments: all; #PF needs paging, #OF by INTO and #BR need 32-bit code.
 */

#include "guest.h"

const char test_title[] = "exceptions: every vector, error codes, #DF";

#ifdef __x86_64__
#define SP "rsp"
#else
#define SP "esp"
#endif

static volatile uint32_t seen_count;
static volatile unsigned int seen_vector;
static volatile unsigned long seen_error, seen_ip;

static void seen(struct trap_frame *frame)
{
    seen_count++;
    seen_vector = (unsigned int)frame->vector;
    seen_error = frame->error;
    seen_ip = frame->ip;
}

static void faults(void)
{
    unsigned long zero = 0, high = 1, low = 0;

    CHECK_EQ(TRAP_OF_INSN("div %2", "+a"(low), "+d"(high)
                          : "r"(zero)
                          : "memory"),
             TRAP_DE);
    CHECK_EQ(TRAP_OF_INSN("ud2", ::"memory"), TRAP_UD);
    CHECK_EQ(TRAP_OF_INSN(".byte 0x0f, 0xff, 0xc0", ::"memory"), TRAP_UD);
    /* A lock prefix where none is allowed, and 16 bytes of prefixes. */
    CHECK_EQ(TRAP_OF_INSN(".byte 0xf0, 0x90", ::"memory"), TRAP_UD);
    CHECK_EQ(TRAP_OF_INSN(".fill 15, 1, 0x66; nop", ::"memory"), TRAP_GP);
}

static void segment_faults(void)
{
    volatile struct trap_record *r = trap_last();

    CHECK_EQ(TRAP_OF_INSN("mov %0, %%es", : "r"(0xfff8) : "memory"), TRAP_GP);
    CHECK_EQ(r->error, 0xfff8);
    CHECK_EQ(TRAP_OF_INSN("mov %0, %%es",
                          : "r"(SEL_ABSENT)
                          : "memory"),
             TRAP_NP);
    CHECK_EQ(r->error, SEL_ABSENT);
    CHECK_EQ(TRAP_OF_INSN("mov %0, %%ss",
                          : "r"(SEL_ABSENT)
                          : "memory"),
             TRAP_SS);
    CHECK_EQ(r->error, SEL_ABSENT);
    CHECK_EQ(TRAP_OF_INSN("mov %0, %%ss",
                          : "r"(SEL_USER_DATA)
                          : "memory"),
             TRAP_GP);
    CHECK_EQ(TRAP_OF_INSN("ltr %w0", : "r"(SEL_DATA) : "memory"), TRAP_GP);
    CHECK_EQ(TRAP_OF_INSN("mov %0, %%cr4",
                          : "r"(1ul << 31)
                          : "memory"),
             TRAP_GP);
#ifdef __x86_64__
    CHECK_EQ(TRAP_OF_INSN("mov (%0), %%eax",
                          : "r"(0x8000000000000000ul)
                          : "memory", "eax"),
             TRAP_GP);
    CHECK_EQ(r->error, 0);
#endif
}

static void page_faults(void)
{
#if PAGING_LEVELS > 0
    volatile struct trap_record *r = trap_last();
    unsigned long va = UNMAPPED_VA + 0x123;

    CHECK_EQ(TRAP_OF_INSN("mov (%0), %%eax",
                          : "r"(va)
                          : "memory", "eax"),
             TRAP_PF);
    CHECK_EQ(r->cr2, va);
    CHECK_EQ(r->error, 0);
    CHECK_EQ(TRAP_OF_INSN("movl $1, (%0)", : "r"(va) : "memory"), TRAP_PF);
    CHECK_EQ(r->cr2, va);
    CHECK_EQ(r->error, 2);
    /* The second page of an access that crosses a boundary. */
    va = UNMAPPED_VA - 2;
    CHECK_EQ(TRAP_OF_INSN("mov (%0), %%eax",
                          : "r"(va)
                          : "memory", "eax"),
             TRAP_PF);
    CHECK_EQ(r->cr2, UNMAPPED_VA);
#endif
}

static void traps(void)
{
    unsigned long after;

    trap_handler_set(TRAP_BP, seen);
    asm volatile("mov $1f, %0; int3; 1:" : "=r"(after)::"memory");
    CHECK_EQ(seen_vector, TRAP_BP);
    CHECK_EQ(seen_ip, after);
    asm volatile("mov $1f, %0; .byte 0xcd, 3; 1:" : "=r"(after)::"memory");
    CHECK_EQ(seen_ip, after);
    trap_handler_set(TRAP_OF, seen);
    asm volatile("mov $1f, %0; int $4; 1:" : "=r"(after)::"memory");
    CHECK_EQ(seen_vector, TRAP_OF);
    CHECK_EQ(seen_ip, after);
#ifndef __x86_64__
    {
        static const int32_t bounds[2] = {1, 5};

        asm volatile("mov $1f, %0; movb $0x7f, %%al; addb $1, %%al; into; 1:"
                     : "=r"(after)::"memory", "eax", "cc");
        CHECK_EQ(seen_vector, TRAP_OF);
        CHECK_EQ(seen_ip, after);
        CHECK_EQ(TRAP_OF_INSN("bound %0, %1",
                              : "r"(9), "m"(bounds)
                              : "memory"),
                 TRAP_BR);
        CHECK_EQ(TRAP_OF_INSN("bound %0, %1",
                              : "r"(3), "m"(bounds)
                              : "memory"),
                 TRAP_NONE);
    }
#endif
    CHECK_EQ(seen_count, sizeof(long) == 8 ? 3 : 4);
}

/* INT n for each vector from 0x20: code that jumps into a table of them. */
static void software_interrupts(void)
{
    static uint8_t code[4] = {0xcd, 0, 0xc3, 0};
    unsigned int v;

    for (v = 0x20; v < 0x100; v++) {
        trap_handler_set(v, seen);
        seen_count = 0;
        code[1] = (uint8_t)v;
        asm volatile("call *%0" ::"r"(code) : "memory", "cc");
        CHECK_EQ(seen_count, 1);
        CHECK_EQ(seen_vector, v);
        CHECK_EQ(seen_ip, (uintptr_t)code + 2);
        trap_handler_set(v, NULL);
    }
}

static void x87_fault(void)
{
    static const uint16_t unmasked = 0x0372, masked = 0x037f;

    if (!(cpuid(1).d & 1)) {
        return;
    }
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
    asm volatile(
        "fninit; fldcw %0; fldz; fld1; fdiv %%st(1), %%st" ::"m"(unmasked));
    CHECK_EQ(TRAP_OF_INSN("fwait", ::"memory"), TRAP_MF);
    asm volatile("fnclex; fldcw %0; fninit" ::"m"(masked));
    write_cr0(read_cr0() | CR0_TS);
    CHECK_EQ(TRAP_OF_INSN("fnop", ::"memory"), TRAP_NM);
    asm volatile("clts");
}

static long user_misaligned(long addr)
{
    unsigned long v;
    long vector;

    /* Alignment is checked only at privilege level 3. */
    asm volatile("pushf; orl $0x40000, (%%" SP "); popf" ::: "memory", "cc");
    vector = TRAP_OF_INSN("movl (%1), %k0", "=&r"(v) : "r"(addr) : "memory");
    return vector;
}

static void alignment_check(void)
{
    static uint32_t words[2];
    unsigned long cr0 = read_cr0();
    long rc;

    write_cr0(cr0 | (1ul << 18));
    CHECK_EQ(user_call(user_misaligned, (long)(uintptr_t)words), TRAP_NONE);
    rc = user_call(user_misaligned, (long)(uintptr_t)words + 1);
    if (rc == TRAP_NONE) {
        printf("no alignment check on this processor\n");
    } else {
        CHECK_EQ(rc, TRAP_AC);
        CHECK_EQ(trap_last()->error, 0);
    }
    write_cr0(cr0);
    asm volatile("pushf; andl $~0x40000, (%%" SP "); popf" ::: "memory", "cc");
}

static long user_privileged(long which)
{
    switch (which) {
    case 0:
        return TRAP_OF_INSN("hlt", ::"memory");
    case 1:
        return TRAP_OF_INSN("cli", ::"memory");
    case 2:
        return TRAP_OF_INSN("mov %%cr0, %0", : "r"(0l) : "memory");
    case 3:
        return TRAP_OF_INSN("rdmsr", : "c"(MSR_EFER) : "memory", "eax", "edx");
    case 4:
        return TRAP_OF_INSN("outb %%al, $0x80", ::"memory");
    case 5:
        return TRAP_OF_INSN("wbinvd", ::"memory");
    default:
        return TRAP_OF_INSN("int $0x21", ::"memory");
    }
}

static void privilege(void)
{
    long i;

    for (i = 0; i < 7; i++) {
        CHECK_EQ(user_call(user_privileged, i), TRAP_GP);
    }
}

static volatile uint32_t resume;

static void double_fault(struct trap_frame *frame)
{
    seen(frame);
    trap_gate_present(TRAP_GP, true);
    /* #DF is an abort: here it is known to be safe to go on after it. */
    frame->ip = resume;
}

static void faults_in_delivery(void)
{
    unsigned int vector;

    /* A gate that is not there: #NP for an interrupt, #DF for a #GP. */
    trap_gate_present(0x60, false);
    vector = TRAP_OF_INSN("int $0x60", ::"memory");
    CHECK_EQ(vector, TRAP_NP);
    /* Emulated processors count 16-byte gates; hardware counts in eights. */
    CHECK(trap_last()->error == 0x60 * 8 + 2 ||
          trap_last()->error == 0x60 * 16 + 2);
    trap_gate_present(0x60, true);

    /* #GP whose gate is absent: the second fault makes it a #DF. */
    trap_handler_set(TRAP_DF, double_fault);
    trap_gate_present(TRAP_GP, false);
    seen_count = 0;
    asm volatile("movl $1f, %0; mov %1, %%es\n"
                 "1:"
                 : "=m"(resume)
                 : "r"(0xfff8)
                 : "memory");
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(seen_vector, TRAP_DF);
    CHECK_EQ(seen_error, 0);
    /* And it all works again. */
    CHECK_EQ(TRAP_OF_INSN("mov %0, %%es", : "r"(0xfff8) : "memory"), TRAP_GP);
}

void test_main(void)
{
    faults();
    segment_faults();
    page_faults();
    traps();
    software_interrupts();
    x87_fault();
    alignment_check();
    privilege();
    faults_in_delivery();
}
