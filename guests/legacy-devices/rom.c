/* SPDX-License-Identifier: MIT */
/*
 * Ground of the tests in a firmware image: see rom.h.
 */
#include "rom.h"

#define COM1 0x3f8u
/* Not touched by a reset. */
#define CMOS_BOOT 0x50u
#define CMOS_CHECKS 0x51u
#define CMOS_FAILURES 0x53u

void (*volatile irq_handler[VECTOR_COUNT])(void);
volatile uint32_t irq_count[VECTOR_COUNT];

/* ---- Text ---- */

#define SCREEN ((volatile uint16_t *)0xb8000)
#define COLUMNS 80u
#define ROWS 25u
#define CELL_BLANK 0x0720u

static bool on_screen;
static unsigned cursor; /* cell */

static void crtc_put(uint8_t index, unsigned value)
{
    outb(0x3d4, index);
    outb(0x3d5, (uint8_t)value);
}

static void cursor_show(void)
{
    crtc_put(0x0e, cursor >> 8);
    crtc_put(0x0f, cursor);
}

/* As much of video mode 3 as makes 80 columns and 25 rows at 0xb8000. */
static void screen_init(void)
{
    outb(0x3c2, 0x67);
    outb(0x3ce, 0x06);
    outb(0x3cf, 0x0e);
    crtc_put(0x11, 0x0e); /* registers 0 to 7 can be written */
    crtc_put(0x01, COLUMNS - 1);
    crtc_put(0x07, 0x1f);
    crtc_put(0x09, 0x4f);
    crtc_put(0x0a, 0x0d);
    crtc_put(0x12, ROWS * 16 - 1);
    crtc_put(0x13, COLUMNS / 2);
    for (unsigned i = 0; i < ROWS * COLUMNS; i++) {
        SCREEN[i] = CELL_BLANK;
    }
    cursor_show();
}

static void screen_put(char c)
{
    if (c == '\r') {
        cursor -= cursor % COLUMNS;
    } else if (c == '\n') {
        cursor += COLUMNS;
    } else {
        SCREEN[cursor++] = (uint16_t)(0x0700 | (uint8_t)c);
    }
    if (cursor >= ROWS * COLUMNS) {
        for (unsigned i = 0; i < (ROWS - 1) * COLUMNS; i++) {
            SCREEN[i] = SCREEN[i + COLUMNS];
        }
        for (unsigned i = (ROWS - 1) * COLUMNS; i < ROWS * COLUMNS; i++) {
            SCREEN[i] = CELL_BLANK;
        }
        cursor -= COLUMNS;
    }
    cursor_show();
}

static void serial_put(char c)
{
    while ((inb(COM1 + 5) & 0x20) == 0) {
    }
    outb(COM1, (uint8_t)c);
}

static void put_char(char c)
{
    if (on_screen) {
        screen_put(c);
    } else {
        serial_put(c);
    }
}

/* The platform names a serial console if there is one; else a person looks at
 * the screen. */
static void text_init(void)
{
    static const char wanted[] = "etc/sercon-port";
    static uint8_t entry[64];
    uint32_t count;

    on_screen = true;
    outw(0x510, 0x19);
    insb(0x511, &count, 4);
    for (count = __builtin_bswap32(count); count != 0; count--) {
        unsigned same = 0;

        insb(0x511, entry, sizeof(entry));
        while (same < sizeof(wanted) && entry[8 + same] == wanted[same]) {
            same++;
        }
        on_screen &= same != sizeof(wanted);
    }
    if (on_screen) {
        screen_init();
    }
    outb(COM1 + 4, 0x0b); /* DTR, RTS, OUT2 */
    outb(COM1 + 2, 0x07);
}

void put_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            put_char('\r');
        }
        put_char(*text);
    }
}

void put_number(uint32_t n)
{
    char text[12];
    unsigned at = sizeof(text) - 1;

    text[at] = '\0';
    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    put_text(text + at);
}

/* ---- Verdict ---- */

static uint32_t check_count;
static uint32_t failure_count;

void counts_save(void)
{
    cmos_put(CMOS_CHECKS, (uint8_t)check_count);
    cmos_put(CMOS_CHECKS + 1, (uint8_t)(check_count >> 8));
    cmos_put(CMOS_FAILURES, failure_count > 255 ? 255 : (uint8_t)failure_count);
}

static void counts_restore(void)
{
    check_count = cmos_get(CMOS_CHECKS) | (uint32_t)cmos_get(CMOS_CHECKS + 1)
                                              << 8;
    failure_count = cmos_get(CMOS_FAILURES);
}

void check(bool good, uint32_t got, const char *what, unsigned line)
{
    check_count++;
    if (good) {
        return;
    }
    failure_count++;
    put_text("FAILURE: line ");
    put_number(line);
    put_text(": ");
    put_text(what);
    put_text(", got ");
    put_number(got);
    put_text("\n");
}

void test_end(void)
{
    put_number(check_count);
    put_text(" checks, ");
    put_number(failure_count);
    put_text(" failures\n");
    put_text(failure_count == 0 ? "Test result: SUCCESS\n"
                                : "Test result: FAILURE\n");
    outw(PM_PORT + 4, 0x2000);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

/* ---- Interrupts ---- */

struct gate {
    uint16_t low;
    uint16_t selector;
    uint16_t type;
    uint16_t high;
};

static struct gate idt[VECTOR_COUNT];
extern const char rom_stubs[];

void rom_interrupt(uint32_t vector, uint32_t eip);
void rom_interrupt(uint32_t vector, uint32_t eip)
{
    if (vector < VECTOR_PIC) {
        put_text("ERROR: exception ");
        put_number(vector);
        put_text(" at ");
        put_number(eip);
        put_text("\n");
        failure_count++;
        test_end();
    }
    irq_count[vector]++;
    if (irq_handler[vector] != NULL) {
        irq_handler[vector]();
    }
    if (vector < VECTOR_PIC + 16) {
        pic_eoi(vector - VECTOR_PIC);
    } else if (vector < VECTOR_SPURIOUS) {
        APIC(0xb0) = 0;
    }
}

void interrupts_init(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint32_t)idt};

    for (uint32_t i = 0; i < VECTOR_COUNT; i++) {
        uint32_t stub = (uint32_t)rom_stubs + i * 16;

        idt[i] =
            (struct gate){(uint16_t)stub, 8, 0x8e00, (uint16_t)(stub >> 16)};
        irq_handler[i] = NULL;
        irq_count[i] = 0;
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void pic_init(void)
{
    outb(0x20, 0x11);
    outb(0x21, VECTOR_PIC);
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    outb(0xa0, 0x11);
    outb(0xa1, VECTOR_PIC + 8);
    outb(0xa1, 0x02);
    outb(0xa1, 0x01);
    pic_only(0);
}

void pic_only(uint16_t irqs)
{
    if ((irqs & 0xff00u) != 0) {
        irqs |= 1u << 2;
    }
    outb(0x21, (uint8_t)~irqs);
    outb(0xa1, (uint8_t) ~(irqs >> 8));
}

void pic_eoi(unsigned irq)
{
    if (irq >= 8) {
        outb(0xa0, 0x20);
    }
    outb(0x20, 0x20);
}

void apic_init(void)
{
    APIC(0xf0) = 0x100 | VECTOR_SPURIOUS;
    APIC(0x350) = 0x700;
    APIC(0x360) = 0x400;
}

static void ioapic_write(uint8_t reg, uint32_t value)
{
    IOAPIC(0) = reg;
    IOAPIC(0x10) = value;
}

void ioapic_route(unsigned pin, unsigned vector)
{
    ioapic_write((uint8_t)(0x11 + 2 * pin), 0);
    ioapic_write((uint8_t)(0x10 + 2 * pin), vector);
}

void ioapic_mask(unsigned pin)
{
    ioapic_write((uint8_t)(0x10 + 2 * pin), 1u << 16);
}

/* ---- Time ---- */

static uint32_t clock_last;
static uint32_t clock_sum;

/* Power management function of the bridge: base address, registers on. */
void clock_init(void)
{
    outl(0xcf8, 0x80000b40);
    outl(0xcfc, PM_PORT | 1);
    outl(0xcf8, 0x80000b80);
    outb(0xcfc, 1);
    clock_last = inl(PM_PORT + 8);
    clock_sum = 0;
}

uint32_t clock_ticks(void)
{
    uint32_t now = inl(PM_PORT + 8);

    clock_sum += (now - clock_last) & 0xffffffu;
    clock_last = now;
    return clock_sum;
}

void clock_wait_ms(uint32_t ms)
{
    uint32_t begin = clock_ticks();

    while (clock_ticks() - begin < clock_ms(ms)) {
    }
}

/* ---- Start ---- */

static unsigned boot_next(void)
{
    unsigned boot = cmos_get(CMOS_BOOT);

    counts_restore();
    cmos_put(CMOS_BOOT, (uint8_t)(boot + 1));
    return boot;
}

void rom_main(void);
void rom_main(void)
{
    text_init();
    interrupts_init();
    pic_init();
    clock_init();
    tests_run(boot_next(), on_screen);
    test_end();
}
