/* SPDX-License-Identifier: MIT */
/*
 * A PC without 8259s and debug ports: their ports are empty, no interrupt comes
 * through LINT0, and every device that had one at the 8259s has it at the
 * IO-APIC. A reset brings nothing back.
 *
 * Environment: bios, with `without: [pic, debug-port]`.
 */
#include "rom.h"

static void ports_are_empty(void)
{
    static const uint16_t ports[] = {0x20,  0x21,  0xa0, 0xa1, 0x4d0,
                                     0x4d1, 0x402, 0xe9, 0x80, 0xed};

    for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        CHECK_EQ(inb(ports[i]), 0xffu);
        outb(ports[i], 0x5a);
        CHECK_EQ(inb(ports[i]), 0xffu);
    }
    outw(0x20, 0x1234);
    CHECK_EQ(inw(0x20), 0xffffu);
    outl(0x4d0, 0x12345678);
    CHECK_EQ(inl(0x4d0), 0xffffffffu);
    CHECK_EQ(inl(0x402), 0xffffffffu);
}

/* Everything that could ask for LINT0 to be used does so. */
static void nothing_comes_through_lint0(void)
{
    pit_program(0, 2, 11932);
    irq_on();
    clock_wait_ms(100);
    irq_off();
    for (unsigned vector = VECTOR_PIC; vector < VECTOR_COUNT; vector++) {
        CHECK_EQ(irq_count[vector], 0u);
    }
}

static void timer_interrupts(void)
{
    uint32_t begin = clock_ticks();

    ioapic_route(2, VECTOR_APIC);
    pit_program(0, 2, 11932);
    irq_wait(); /* perhaps the rise of the output by itself */
    irq_count[VECTOR_APIC] = 0;
    while (irq_count[VECTOR_APIC] < 10) {
        irq_wait();
    }
    CHECK_IN(clock_ticks() - begin, clock_ms(99), clock_ms(20000));
    ioapic_mask(2);
}

static void clock_handler(void)
{
    (void)cmos_get(0x0c);
}

static void clock_interrupts(void)
{
    irq_handler[VECTOR_APIC + 8] = clock_handler;
    irq_count[VECTOR_APIC + 8] = 0;
    ioapic_route(8, VECTOR_APIC + 8);
    cmos_put(0x0a, 0x2a); /* 64 Hz */
    cmos_put(0x0b, 0x42);
    (void)cmos_get(0x0c);
    while (irq_count[VECTOR_APIC + 8] < 4) {
        irq_wait();
    }
    cmos_put(0x0b, 0x02);
    ioapic_mask(8);
}

static void serial_port_interrupts(void)
{
    irq_count[VECTOR_APIC + 4] = 0;
    ioapic_route(4, VECTOR_APIC + 4);
    outb(0x3f9, 0x02); /* transmitter empty: at once */
    irq_wait();
    CHECK_EQ(inb(0x3fa) & 0x0fu, 0x02u);
    outb(0x3f9, 0x00);
    CHECK_EQ(irq_count[VECTOR_APIC + 4], 1u);
    ioapic_mask(4);
}

static volatile uint8_t key_byte;

static void keyboard_handler(void)
{
    key_byte = inb(0x60);
}

static void keyboard_interrupts(void)
{
    irq_handler[VECTOR_APIC + 1] = keyboard_handler;
    ioapic_route(1, VECTOR_APIC + 1);
    outb(0x64, 0x60);
    outb(0x60, 0x45);
    outb(0x60, 0xee); /* echo */
    irq_wait();
    CHECK_EQ(key_byte, 0xeeu);
    ioapic_mask(1);
}

void tests_run(unsigned boot, bool on_screen)
{
    CHECK(!on_screen);
    put_text(boot == 0 ? "legacy devices left out (bios)\n" : "once more\n");
    apic_init();
    ports_are_empty();
    nothing_comes_through_lint0();
    timer_interrupts();
    clock_interrupts();
    serial_port_interrupts();
    keyboard_interrupts();
    if (boot == 0) {
        counts_save();
        outb(0x64, 0xfe);
        clock_wait_ms(1000);
        CHECK(false && "no reset");
    }
    CHECK_EQ(boot, 1u);
}
