/* SPDX-License-Identifier: MIT */
/*
 * Attack: accesses to the APIC page of every odd kind, from widths that have
 * no meaning there to string, locked, stack and vector instructions and code
 * run from it. Each must fault, do nothing, or end this domain alone; the
 * verdict after them is SUCCESS. `kind=` picks one that may end the domain.
 *
 * Environments: all.
 */

#include "guest.h"

const char test_title[] = "attack-mmio: meaningless accesses to the APIC page";

#define A LAPIC_ADDR

static volatile unsigned int last_vector;

#define TRY(insn, ...)                                                         \
    do {                                                                       \
        last_vector = TRAP_OF_INSN(insn, __VA_ARGS__);                         \
        printf("%s: %s\n", insn, last_vector == TRAP_NONE ? "done" : "fault"); \
    } while (0)

static void widths(void)
{
    unsigned long a = A + LAPIC_TPR, x = 0;

    TRY("movb (%1), %b0", "+q"(x) : "r"(a) : "memory");
    TRY("movw (%1), %w0", "+r"(x) : "r"(a) : "memory");
    TRY("movb %b0, (%1)", : "q"(x), "r"(a) : "memory");
    TRY("movw %w0, (%1)", : "r"(x), "r"(a) : "memory");
    TRY("mov 1(%1), %k0", "+r"(x) : "r"(a) : "memory");
    TRY("mov 0xf7e(%1), %k0", "+r"(x) : "r"(a) : "memory");
#ifdef __x86_64__
    TRY("movq (%1), %0", "+r"(x) : "r"(a) : "memory");
    TRY("movq %0, (%1)", : "r"(x), "r"(a) : "memory");
#endif
}

static void modifying(void)
{
    unsigned long a = A + LAPIC_TPR, x = 0;

    TRY("addl $0, (%0)", : "r"(a) : "memory", "cc");
    TRY("orl $0, (%0)", : "r"(a) : "memory", "cc");
    TRY("testl $1, (%0)", : "r"(a) : "memory", "cc");
    TRY("cmpl $1, (%0)", : "r"(a) : "memory", "cc");
    TRY("xchgl %k0, (%1)", "+r"(x) : "r"(a) : "memory");
    TRY("lock; addl $0, (%0)", : "r"(a) : "memory", "cc");
    TRY("lock; cmpxchgl %k0, (%1)", : "r"(x), "r"(a), "a"(0l) : "memory", "cc");
    TRY("btsl $0, (%0)", : "r"(a) : "memory", "cc");
}

static void strings(void)
{
    static uint32_t buf[4];
    unsigned long s = A + LAPIC_VERSION, d = (unsigned long)(uintptr_t)buf;
    unsigned long n = 2;

    TRY("movsl", "+S"(s), "+D"(d) : : "memory");
    d = A + LAPIC_TPR;
    s = (unsigned long)(uintptr_t)buf;
    TRY("movsl", "+S"(s), "+D"(d) : : "memory");
    d = A + LAPIC_TPR;
    TRY("rep stosl", "+D"(d), "+c"(n) : "a"(0l) : "memory");
    s = A + LAPIC_TPR;
    TRY("lodsl", "+S"(s) : : "memory", "eax");
}

static void may_end_the_domain(const char *kind)
{
    unsigned long a = A + LAPIC_TPR;

    printf("Expect crash: access to the APIC page\n");
    console_drain();
    if (!strncmp(kind, "code", 4)) {
        asm volatile("jmp *%0" ::"r"(a));
    } else if (!strncmp(kind, "stack", 5)) {
#ifdef __x86_64__
        asm volatile("mov %0, %%rsp; push $0; pop %%rax" ::"r"(a) : "rax");
#else
        asm volatile("mov %0, %%esp; push $0; pop %%eax" ::"r"(a) : "eax");
#endif
    } else if (!strncmp(kind, "vector", 6)) {
        write_cr4(read_cr4() | CR4_OSFXSR);
        asm volatile("movups (%0), %%xmm0; movups %%xmm0, (%0)" ::"r"(a)
                     : "memory");
    } else if (!strncmp(kind, "table", 5)) {
        write_cr3(A);
    }
    printf("survived\n");
}

void test_main(void)
{
    const char *kind = cmdline_value("kind");

    lapic_enable();
    if (kind) {
        may_end_the_domain(kind);
        return;
    }
    widths();
    modifying();
    strings();
    lapic_write(LAPIC_TPR, 0x30);
    CHECK_EQ(lapic_read(LAPIC_TPR), 0x30);
}
