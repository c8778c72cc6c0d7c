/* SPDX-License-Identifier: MIT */
/*
 * One-instruction wrappers: CPUID, MSRs, control and debug registers, ports,
 * time stamp, atomic operations. The `_safe` forms return the vector of the
 * exception the instruction raised, or TRAP_NONE (see trap.h for how).
 */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_TSC 0x10
#define MSR_APIC_BASE 0x1b
#define MSR_PAT 0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS 0xc0000102
#define MSR_VM_CR 0xc0010114

#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)
#define EFER_SVME (1u << 12)

#define CR0_PE (1ul << 0)
#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_ET (1ul << 4)
#define CR0_NE (1ul << 5)
#define CR0_PG (1ul << 31)
#define CR4_PSE (1ul << 4)
#define CR4_PAE (1ul << 5)
#define CR4_PGE (1ul << 7)
#define CR4_OSFXSR (1ul << 9)
#define CR4_OSXSAVE (1ul << 18)

#define FLAGS_IF (1ul << 9)
#define FLAGS_TF (1ul << 8)

struct cpuid_regs {
    uint32_t a, b, c, d;
};

static inline struct cpuid_regs cpuid_sub(uint32_t leaf, uint32_t sub)
{
    struct cpuid_regs r;

    asm volatile("cpuid"
                 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                 : "a"(leaf), "c"(sub)
                 : "memory");
    return r;
}

static inline struct cpuid_regs cpuid(uint32_t leaf)
{
    return cpuid_sub(leaf, 0);
}

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    asm volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return ((uint64_t)hi << 32) | lo;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
    return ((uint64_t)hi << 32) | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
                 "d"((uint32_t)(value >> 32))
                 : "memory");
}

#define CPU_REG_ACCESS(name)                                     \
    static inline unsigned long read_##name(void)                \
    {                                                            \
        unsigned long v;                                         \
        asm volatile("mov %%" #name ", %0" : "=r"(v)::"memory"); \
        return v;                                                \
    }                                                            \
    static inline void write_##name(unsigned long v)             \
    {                                                            \
        asm volatile("mov %0, %%" #name ::"r"(v) : "memory");    \
    }

CPU_REG_ACCESS(cr0)
CPU_REG_ACCESS(cr2)
CPU_REG_ACCESS(cr3)
CPU_REG_ACCESS(cr4)
CPU_REG_ACCESS(dr0)
CPU_REG_ACCESS(dr1)
CPU_REG_ACCESS(dr2)
CPU_REG_ACCESS(dr3)
CPU_REG_ACCESS(dr6)
CPU_REG_ACCESS(dr7)

static inline unsigned long read_flags(void)
{
    unsigned long v;

    asm volatile("pushf; pop %0" : "=r"(v)::"memory");
    return v;
}

static inline void irq_enable(void)
{
    asm volatile("sti" ::: "memory");
}

static inline void irq_disable(void)
{
    asm volatile("cli" ::: "memory");
}

/* STI's shadow makes the pair atomic: no interrupt is lost in between. */
static inline void irq_enable_halt(void)
{
    asm volatile("sti; hlt" ::: "memory");
}

static inline void cpu_relax(void)
{
    asm volatile("pause" ::: "memory");
}

static inline void outb(uint16_t port, uint8_t v)
{
    asm volatile("outb %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t v)
{
    asm volatile("outw %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t v)
{
    asm volatile("outl %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;

    asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;

    asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;

    asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint32_t mmio_read(uintptr_t addr)
{
    uint32_t v;

    asm volatile("movl (%1), %0" : "=r"(v) : "r"(addr) : "memory");
    return v;
}

static inline void mmio_write(uintptr_t addr, uint32_t v)
{
    asm volatile("movl %0, (%1)" ::"r"(v), "r"(addr) : "memory");
}

#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

static inline void bit_set(volatile unsigned long *map, unsigned int bit)
{
    asm volatile("lock; bts %1, %0"
                 : "+m"(map[bit / (8 * sizeof(long))])
                 : "r"((unsigned long)bit % (8 * sizeof(long)))
                 : "memory", "cc");
}

static inline void bit_clear(volatile unsigned long *map, unsigned int bit)
{
    asm volatile("lock; btr %1, %0"
                 : "+m"(map[bit / (8 * sizeof(long))])
                 : "r"((unsigned long)bit % (8 * sizeof(long)))
                 : "memory", "cc");
}

static inline bool bit_test(const volatile unsigned long *map, unsigned int bit)
{
    return (map[bit / (8 * sizeof(long))] >> (bit % (8 * sizeof(long)))) & 1;
}

static inline void atomic_inc(volatile uint32_t *v)
{
    asm volatile("lock; incl %0" : "+m"(*v)::"memory", "cc");
}

/** Vector of the exception, or TRAP_NONE. Defined in trap.c. */
unsigned int rdmsr_safe(uint32_t msr, uint64_t *value);
unsigned int wrmsr_safe(uint32_t msr, uint64_t value);

#endif
