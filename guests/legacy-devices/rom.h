/* SPDX-License-Identifier: MIT */
/*
 * What the tests of this image stand on: ports, text on COM1, checks,
 * interrupts, and a clock that is none of the devices under test but one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline uint8_t inb(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline uint16_t inw(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline uint32_t inl(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline void insb(uint16_t port, void *to, uint32_t n)
{
    __asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}
static inline void irq_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}
static inline void irq_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}
/* Waits for an interrupt; they are off before and after. */
static inline void irq_wait(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* ---- Text and verdict ---- */

void put_text(const char *text);
void put_number(uint32_t n);
void check(bool good, uint32_t got, const char *what, unsigned line);
static inline void check_equal(uint32_t a, uint32_t b, const char *what,
                               unsigned line)
{
    check(a == b, a, what, line);
}
static inline void check_range(uint32_t a, uint32_t low, uint32_t high,
                               const char *what, unsigned line)
{
    check(a >= low && a <= high, a, what, line);
}
/** Keeps the counts over a reset. */
void counts_save(void);
/** Prints the verdict and switches the machine off. */
void test_end(void) __attribute__((noreturn));

#define CHECK(c) check((c), 0, #c, __LINE__)
/* Arguments are evaluated once: reading a register may change it. */
#define CHECK_EQ(a, b) \
    check_equal((uint32_t)(a), (uint32_t)(b), #a " == " #b, __LINE__)
#define CHECK_IN(a, low, high)                                           \
    check_range((uint32_t)(a), (low), (high), #a " in " #low ".." #high, \
                __LINE__)

/* ---- Interrupts: the 8259 pair at 0x20, vectors above for others ---- */

#define VECTOR_PIC 0x20u
#define VECTOR_APIC 0x30u
#define VECTOR_SPURIOUS 0x3fu
#define VECTOR_COUNT 0x40u

extern void (*volatile irq_handler[VECTOR_COUNT])(void);
extern volatile uint32_t irq_count[VECTOR_COUNT];

void interrupts_init(void);
void pic_init(void);
/** Masks all inputs but those of `irqs`. */
void pic_only(uint16_t irqs);
/** Ends service at the chips concerned. */
void pic_eoi(unsigned irq);

#define APIC(reg) (*(volatile uint32_t *)(0xfee00000u + (reg)))
#define IOAPIC(reg) (*(volatile uint32_t *)(0xfec00000u + (reg)))

/** Virtual wire: the 8259s through LINT0. */
void apic_init(void);
/** Edges of `pin` become `vector`, VECTOR_APIC or above, at this processor. */
void ioapic_route(unsigned pin, unsigned vector);
void ioapic_mask(unsigned pin);

/* ---- Registers behind an index ---- */

static inline uint8_t cmos_get(uint8_t index)
{
    outb(0x70, index);
    return inb(0x71);
}
static inline void cmos_put(uint8_t index, uint8_t value)
{
    outb(0x70, index);
    outb(0x71, value);
}
static inline void pit_program(unsigned channel, unsigned mode, uint16_t count)
{
    outb(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    outb((uint16_t)(0x40 + channel), (uint8_t)count);
    outb((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

/* ---- Time: the power management timer, 3.579545 MHz ---- */

#define PM_PORT 0x600u
#define PM_HZ 3579545u

void clock_init(void);
/** Ticks since clock_init(), to be read at least every two seconds. */
uint32_t clock_ticks(void);
static inline uint32_t clock_ms(uint32_t ms)
{
    return PM_HZ / 1000 * ms;
}
void clock_wait_ms(uint32_t ms);

/** The tests; `boot` counts resets since power-on. `on_screen`: there is no
 * serial console. */
void tests_run(unsigned boot, bool on_screen);
