/* SPDX-License-Identifier: MIT */
/*
 * The devices of a PC as firmware sees them, with their interrupts delivered to
 * a processor: timers against each other, both interrupt controllers, clock,
 * serial port in both directions, keyboard controller, firmware configuration,
 * the ways to reset, power-off.
 *
 * Environment: bios (this image is the firmware, in place of a BIOS). Without a
 * serial console it writes to the screen and tests keys instead.
 * Time limits are one-sided where a slow emulator could break them: a timer may
 * be seen late, never early.
 */
#include "rom.h"

/* ---- Interval timer ---- */

static uint16_t pit_count(unsigned channel)
{
    uint8_t low;

    outb(0x43, (uint8_t)(channel << 6));
    low = inb((uint16_t)(0x40 + channel));
    return (uint16_t)(inb((uint16_t)(0x40 + channel)) << 8 | low);
}

/* 50 ms on channel 2, watched as operating systems do to calibrate. */
static void pit_channel_2_agrees_with_the_clock(void)
{
    uint32_t begin;

    outb(0x61, (inb(0x61) & 0xfcu) | 1);
    begin = clock_ticks();
    pit_program(2, 0, 59659);
    CHECK_EQ(inb(0x61) & 0x20u, 0u);
    while ((inb(0x61) & 0x20) == 0) {
    }
    CHECK_IN(clock_ticks() - begin, clock_ms(50) - 10, clock_ms(20000));
}

/* The clock runs three times as fast. Whatever pauses there are, the counter
 * is where it must be between the looks at the clock around it. */
static void pit_count_is_exact(void)
{
    for (unsigned i = 0; i < 20; i++) {
        uint32_t a = clock_ticks();
        uint16_t first = pit_count(2);
        uint32_t b = clock_ticks();

        clock_wait_ms(i);

        uint32_t c = clock_ticks();
        uint16_t second = pit_count(2);
        uint32_t d = clock_ticks();
        uint32_t least = (c - b) / 3 - 2;
        uint32_t most = (d - a) / 3 + 2;
        uint32_t moved = (65536u + first - second - least % 65536) % 65536;

        CHECK_IN(moved, 0u, most - least);
    }
}

static void pit_gate_holds_the_count(void)
{
    uint16_t first;

    outb(0x61, inb(0x61) & 0xfcu);
    first = pit_count(2);
    clock_wait_ms(5);
    CHECK_EQ(pit_count(2), first);
}

/* 100 Hz: never more ticks than time has passed. */
static void pit_interrupts_at_its_rate(void)
{
    uint32_t begin = clock_ticks();

    pit_program(0, 2, 11932);
    pic_only(1u << 0);
    irq_wait(); /* perhaps the rise of the output by itself */
    irq_count[VECTOR_PIC] = 0;
    while (irq_count[VECTOR_PIC] < 20) {
        irq_wait();
    }
    CHECK_IN(clock_ticks() - begin, clock_ms(199), clock_ms(20000));
}

/* After ten ticks without interrupts, what was lost comes at twice the rate. */
static void pit_makes_up_for_lost_ticks(void)
{
    uint32_t quick = 0;
    uint32_t last;

    clock_wait_ms(100);
    irq_wait();
    last = clock_ticks();
    for (unsigned i = 0; i < 16; i++) {
        uint32_t now;

        irq_wait();
        now = clock_ticks();
        quick += now - last < clock_ms(8);
        last = now;
    }
    CHECK_IN(quick, 3u, 16u);
    pic_only(0);
}

static void pit_one_shot_interrupts_once(void)
{
    irq_count[VECTOR_PIC] = 0;
    pit_program(0, 0, 11932);
    pic_only(1u << 0);
    irq_wait();
    irq_on();
    clock_wait_ms(50);
    irq_off();
    CHECK_EQ(irq_count[VECTOR_PIC], 1u);
    pic_only(0);
}

/* ---- Interrupt controllers ---- */

static void pic_poll_and_mask(void)
{
    pit_program(0, 0, 100);
    clock_wait_ms(20);
    outb(0x20, 0x0a);
    CHECK_EQ(inb(0x20) & 1u, 1u); /* requested, masked */
    CHECK_EQ(inb(0x21), 0xffu);
    outb(0x20, 0x0c);
    CHECK_EQ(inb(0x20) & 0x80u, 0u);
    outb(0x21, 0xfe);
    outb(0x20, 0x0c);
    CHECK_EQ(inb(0x20), 0x80u);
    outb(0x20, 0x0b);
    CHECK_EQ(inb(0x20) & 1u, 1u);
    pic_eoi(0);
    CHECK_EQ(inb(0x20) & 1u, 0u);
    pic_only(0);
}

static volatile uint32_t nested_seen;

/* Line 8 in service: line 0, more urgent, still comes through. */
static void clock_handler_nested(void)
{
    uint32_t ticks = irq_count[VECTOR_PIC];
    uint32_t clocks = irq_count[VECTOR_PIC + 8];
    uint32_t begin = clock_ticks();

    (void)cmos_get(0x0c);
    irq_on();
    while (irq_count[VECTOR_PIC] == ticks &&
           clock_ticks() - begin < clock_ms(1000)) {
    }
    irq_off();
    nested_seen += irq_count[VECTOR_PIC] != ticks;
    CHECK_EQ(irq_count[VECTOR_PIC + 8], clocks); /* not itself */
}

static void pic_nests_by_priority(void)
{
    irq_handler[VECTOR_PIC + 8] = clock_handler_nested;
    nested_seen = 0;
    pit_program(0, 2, 11932);
    cmos_put(0x0a, 0x2b); /* 32 Hz */
    cmos_put(0x0b, 0x42);
    (void)cmos_get(0x0c);
    pic_only(1u << 0 | 1u << 8);
    while (nested_seen < 3) {
        irq_wait();
    }
    pic_only(0);
    cmos_put(0x0b, 0x02);
    (void)cmos_get(0x0c);
    CHECK_IN(nested_seen, 3u, 100u);
}

/* ---- Real-time clock ---- */

static void clock_handler(void)
{
    (void)cmos_get(0x0c);
}

static void rtc_periodic_rate(void)
{
    uint32_t begin;

    irq_handler[VECTOR_PIC + 8] = clock_handler;
    cmos_put(0x0a, 0x2a); /* 64 Hz */
    cmos_put(0x0b, 0x42);
    (void)cmos_get(0x0c);
    pic_only(1u << 8);
    irq_wait();
    irq_count[VECTOR_PIC + 8] = 0;
    begin = clock_ticks();
    while (irq_count[VECTOR_PIC + 8] < 16) {
        irq_wait();
    }
    CHECK_IN(clock_ticks() - begin, clock_ms(200), clock_ms(20000));
    cmos_put(0x0b, 0x02);
}

static void rtc_update_ends_with_a_new_second(void)
{
    uint32_t begin = clock_ticks();
    uint8_t second;

    cmos_put(0x0b, 0x12);
    (void)cmos_get(0x0c);
    irq_wait();
    second = cmos_get(0x00);
    irq_wait();
    CHECK(cmos_get(0x00) != second);
    CHECK_IN(clock_ticks() - begin, clock_ms(999), clock_ms(20000));
    cmos_put(0x0b, 0x02);
    pic_only(0);
    CHECK_EQ(cmos_get(0x0d), 0x80u);
    CHECK_EQ(cmos_get(0x32) >> 4, 2u);
}

/* ---- Serial port ---- */

static char typed[32];
static volatile uint32_t typed_count;

static void serial_handler(void)
{
    while ((inb(0x3fa) & 1) == 0 && (inb(0x3fd) & 1) != 0) {
        char c = (char)inb(0x3f8);

        if (typed_count < sizeof(typed)) {
            typed[typed_count++] = c;
        }
    }
}

static void serial_receives_by_interrupt(void)
{
    static const char want[] = "ping!";
    uint32_t begin = clock_ticks();

    irq_handler[VECTOR_PIC + 4] = serial_handler;
    pic_only(1u << 4 | 1u << 0);
    pit_program(0, 2, 11932);
    outb(0x3f9, 0x01);
    put_text("Type ping!\n");
    while (typed_count < 5 && clock_ticks() - begin < clock_ms(20000)) {
        irq_wait();
    }
    outb(0x3f9, 0x00);
    pic_only(0);
    CHECK_EQ(typed_count, 5u);
    for (unsigned i = 0; i < 5 && typed_count == 5; i++) {
        CHECK_EQ(typed[i], want[i]);
    }
}

static void serial_loops_back_and_interrupts(void)
{
    outb(0x3fc, 0x1b);
    outb(0x3f8, 0x5a);
    CHECK_EQ(inb(0x3fd) & 1u, 1u);
    CHECK_EQ(inb(0x3f8), 0x5au);
    outb(0x3fc, 0x0b);
    irq_handler[VECTOR_PIC + 4] = NULL;
    irq_count[VECTOR_PIC + 4] = 0;
    pic_only(1u << 4);
    outb(0x3f9, 0x02); /* transmitter empty: at once */
    irq_wait();
    CHECK_EQ(inb(0x3fa) & 0x0fu, 0x02u);
    CHECK_EQ(inb(0x3fa) & 0x0fu, 0x01u); /* the look acknowledged it */
    outb(0x3f9, 0x00);
    pic_only(0);
    CHECK_EQ(irq_count[VECTOR_PIC + 4], 1u);
}

/* ---- Keyboard controller ---- */

static uint8_t kbc_data(void)
{
    uint32_t begin = clock_ticks();

    while ((inb(0x64) & 1) == 0 && clock_ticks() - begin < clock_ms(500)) {
    }
    return inb(0x60);
}

static volatile uint8_t key_byte;

static void keyboard_handler(void)
{
    key_byte = inb(0x60);
}

static void keyboard_answers(void)
{
    outb(0x64, 0xaa);
    CHECK_EQ(kbc_data(), 0x55u);
    outb(0x64, 0xab);
    CHECK_EQ(kbc_data(), 0x00u);
    outb(0x60, 0xff);
    CHECK_EQ(kbc_data(), 0xfau);
    CHECK_EQ(kbc_data(), 0xaau);
    irq_handler[VECTOR_PIC + 1] = keyboard_handler;
    outb(0x64, 0x60);
    outb(0x60, 0x45);
    pic_only(1u << 1);
    outb(0x60, 0xee);
    irq_wait();
    CHECK_EQ(key_byte, 0xeeu);
    pic_only(0);
    outb(0x64, 0xd1);
    outb(0x60, 0xdd);
    CHECK_EQ(inb(0x92) & 2u, 0u);
    outb(0x92, 0x02);
    CHECK_EQ(inb(0x92) & 2u, 2u);
}

static uint8_t key_bytes[16];
static volatile uint32_t key_count;

static void keys_handler(void)
{
    uint8_t byte = inb(0x60);

    if (key_count < sizeof(key_bytes)) {
        key_bytes[key_count++] = byte;
    }
}

/* "aB" and the cursor key up, as scan set 1. */
static void keys_arrive_as_they_are_typed(void)
{
    static const uint8_t want[] = {0x1e, 0x9e, 0x2a, 0x30, 0xb0,
                                   0xaa, 0xe0, 0x48, 0xe0, 0xc8};
    uint32_t begin = clock_ticks();

    outb(0x64, 0x60);
    outb(0x60, 0x45);
    outb(0x60, 0xf4);
    CHECK_EQ(kbc_data(), 0xfau);
    irq_handler[VECTOR_PIC + 1] = keys_handler;
    pic_only(1u << 1 | 1u << 0);
    pit_program(0, 2, 11932);
    put_text("Type keys!\n");
    while (key_count < sizeof(want) &&
           clock_ticks() - begin < clock_ms(20000)) {
        irq_wait();
    }
    pic_only(0);
    CHECK_EQ(key_count, sizeof(want));
    for (unsigned i = 0; i < sizeof(want); i++) {
        CHECK_EQ(key_bytes[i], want[i]);
    }
}

/* ---- Firmware configuration ---- */

static uint32_t swap32(uint32_t n)
{
    return n << 24 | (n & 0xff00u) << 8 | (n >> 8 & 0xff00u) | n >> 24;
}

static struct {
    volatile uint32_t control;
    uint32_t length;
    uint32_t high;
    uint32_t low;
} dma;

static void fw_cfg_dma(uint32_t control, void *to, uint32_t n)
{
    dma.control = swap32(control);
    dma.length = swap32(n);
    dma.high = 0;
    dma.low = swap32((uint32_t)to);
    outl(0x514, 0);
    outl(0x518, swap32((uint32_t)&dma));
}

static uint32_t file_count;
static uint8_t by_port[64];
static uint8_t by_dma[64];

static void fw_cfg_tells_the_same_twice(void)
{
    uint32_t same = 0;

    outw(0x510, 0x00);
    insb(0x511, by_port, 4);
    CHECK(by_port[0] == 'Q' && by_port[1] == 'E' && by_port[3] == 'U');
    outw(0x510, 0x19);
    insb(0x511, &file_count, 4);
    file_count = swap32(file_count);
    CHECK_IN(file_count, 1u, 48u);
    insb(0x511, by_port, 64);
    fw_cfg_dma(0x19u << 16 | 0x08u, NULL, 0);
    fw_cfg_dma(0x04u, NULL, 4);
    fw_cfg_dma(0x02u, by_dma, 64);
    CHECK_EQ(dma.control, 0u);
    for (unsigned i = 0; i < 64; i++) {
        same += by_port[i] == by_dma[i];
    }
    CHECK_EQ(same, 64u);
    CHECK(by_port[8] >= 'a' && by_port[8] <= 'z');
    fw_cfg_dma(0x02u, (void *)0xf0000000u, 64); /* no memory there */
    CHECK_EQ(swap32(dma.control), 1u);
}

static void cmos_tells_the_memory(void)
{
    uint64_t ram = 0;
    uint32_t above_16m = cmos_get(0x34) | (uint32_t)cmos_get(0x35) << 8;

    outw(0x510, 0x03);
    insb(0x511, &ram, 8);
    CHECK_EQ((16u << 20) + (above_16m << 16), (uint32_t)ram);
    CHECK_EQ(cmos_get(0x15) | cmos_get(0x16) << 8, 640);
}

/* ---- Debug ports ---- */

static void debug_port_identifies_itself(void)
{
    CHECK_EQ(inb(0x402), 0xe9u);
    for (const char *s = "legacy-devices\n"; *s != '\0'; s++) {
        outb(0x402, (uint8_t)*s);
    }
    outb(0x80, 0x42);
    CHECK_EQ(inb(0x80), 0x42u);
    outb(0xed, 0);
}

/* ---- APICs instead of the 8259s ---- */

static void ioapic_pin_2_is_the_timer(void)
{
    irq_count[VECTOR_APIC] = 0;
    ioapic_route(2, VECTOR_APIC);
    pit_program(0, 2, 11932);
    while (irq_count[VECTOR_APIC] < 5) {
        irq_wait();
    }
    ioapic_mask(2);
    CHECK_IN(irq_count[VECTOR_APIC], 5u, 100u);
}

static void lint0_masked_holds_the_8259s_back(void)
{
    irq_count[VECTOR_PIC] = 0;
    APIC(0x350) = 0x10700;
    pit_program(0, 2, 11932);
    pic_only(1u << 0);
    irq_on();
    clock_wait_ms(50);
    irq_off();
    CHECK_EQ(irq_count[VECTOR_PIC], 0u);
    APIC(0x350) = 0x700;
    irq_wait();
    CHECK_IN(irq_count[VECTOR_PIC], 1u, 20u);
    pic_only(0);
}

/* ---- All of it ---- */

static void devices_test(void)
{
    apic_init();
    debug_port_identifies_itself();
    pit_channel_2_agrees_with_the_clock();
    pit_program(2, 2, 0);
    clock_wait_ms(1);
    pit_count_is_exact();
    pit_gate_holds_the_count();
    pit_interrupts_at_its_rate();
    pit_makes_up_for_lost_ticks();
    pit_one_shot_interrupts_once();
    pic_poll_and_mask();
    pic_nests_by_priority();
    rtc_periodic_rate();
    rtc_update_ends_with_a_new_second();
    serial_loops_back_and_interrupts();
    serial_receives_by_interrupt();
    keyboard_answers();
    fw_cfg_tells_the_same_twice();
    cmos_tells_the_memory();
    ioapic_pin_2_is_the_timer();
    lint0_masked_holds_the_8259s_back();
}

/* Each boot after the first proves that the reset before it worked. */
void tests_run(unsigned boot, bool on_screen)
{
    if (on_screen) {
        put_text("legacy devices: keys and screen (bios)\n");
        apic_init();
        keys_arrive_as_they_are_typed();
        return;
    }
    switch (boot) {
    case 0:
        put_text("legacy devices: a PC as firmware sees it (bios)\n");
        devices_test();
        counts_save();
        outb(0x64, 0xfe);
        break;
    case 1:
        outb(0x92, 0x01);
        break;
    case 2:
        outb(0xcf9, 0x02);
        outb(0xcf9, 0x06);
        break;
    default:
        CHECK_EQ(boot, 3u);
        return;
    }
    clock_wait_ms(1000);
    CHECK(false && "no reset");
}
