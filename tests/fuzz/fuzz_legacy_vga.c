/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: VGA registers with the text screen behind them, in lines and for
 * a terminal, under any registers, text, time and pace of the console. What
 * comes out is UTF-8 without any control characters but those of the mode.
 *
 * Input: a byte that chooses the mode, then commands of eight bytes: operation,
 * size, port (2), value (2), two more for time and length.
 */
#include "fuzz.h"

#include "legacy_fixture.h"
#include "ravelin/legacy_screen.h"

static struct legacy_fixture fake;
static struct legacy_vga vga;
static struct legacy_screen screen;
static uint8_t *page[LEGACY_VGA_TEXT_PAGES];

static void port_write(uint16_t port, unsigned size, uint32_t value)
{
    if (legacy_vga_write(&vga, port, size, value)) {
        legacy_screen_moved(&screen, &vga);
    }
}

static void mode_3_set(void)
{
    static const uint16_t crtc[] = {0x0011, 0x4f01, 0x1f07, 0x4f09,
                                    0x0d0a, 0x8f12, 0x2813};

    port_write(0x3c2, 1, 0x67);
    port_write(0x3c4, 2, 0x0001);
    for (unsigned i = 0; i < ARRAY_SIZE(crtc); i++) {
        port_write(0x3d4, 2, crtc[i]);
    }
    port_write(0x3ce, 2, 0x0e06);
}

static void screen_create(uint8_t choice)
{
    const void *pages[LEGACY_VGA_TEXT_PAGES];

    for (unsigned i = 0; i < LEGACY_VGA_TEXT_PAGES; i++) {
        if (page[i] == NULL) {
            page[i] = malloc(PAGE_SIZE);
        }
        require(page[i] != NULL);
        memset(page[i], 0, PAGE_SIZE);
        pages[i] = page[i];
    }
    legacy_fixture_start(&fake);
    fake.now = 1;
    legacy_vga_reset(&vga);
    legacy_screen_init(
        &screen, &fake.host,
        (choice & 1u) != 0 ? LEGACY_SCREEN_ANSI : LEGACY_SCREEN_LINES, pages);
    if ((choice & 2u) != 0) {
        mode_3_set();
    }
}

static void text_write(const uint8_t c[8])
{
    unsigned at = c[2] | c[3] << 8;

    for (unsigned i = 0; i < c[7]; i++) {
        at &= LEGACY_VGA_TEXT_SIZE - 1;
        page[at >> PAGE_SHIFT][at & ~PAGE_MASK] =
            (uint8_t)(c[4] + i * (c[5] & 7u));
        at += 1 + (c[5] >> 7);
    }
}

static void command_run(const uint8_t c[8])
{
    unsigned size = 1u << c[1] % 3;
    uint32_t value = (uint32_t)(c[4] | c[5] << 8);
    uint16_t port =
        (uint16_t)((c[1] & 0x80u) != 0 ? LEGACY_VGA_DISPI_PORT + c[2] % 3
                                       : LEGACY_VGA_PORT + c[2] % 48);

    switch (c[0] % 8) {
    case 0:
        port_write(port, size, value);
        break;
    case 1:
        (void)legacy_vga_read(&vga, port, size);
        break;
    case 2:
        port_write(0x3d4, 2, value);
        break;
    case 3:
        text_write(c);
        break;
    case 4:
        fake.now += (uint64_t)value * 100000;
        legacy_screen_look(&screen, &vga);
        break;
    case 5:
        fake.write_max = c[4] == 0xff ? SIZE_MAX : c[4];
        break;
    case 6:
        mode_3_set();
        break;
    default:
        legacy_screen_redraw(&screen);
        break;
    }
}

/* ---- Output ---- */

static unsigned utf8_length(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
}

static void require_clean_output(void)
{
    bool escape = false;
    size_t at = 0;

    while (at < fake.out_length) {
        uint8_t byte = (uint8_t)fake.out[at];
        unsigned n = utf8_length(byte);

        if (at + n > fake.out_length) {
            break; /* the console took part of a character */
        }
        if (n == 1) {
            bool control = byte < 0x20 || byte == 0x7f;

            escape = escape || byte == 0x1b;
            require(!control || byte == '\r' || byte == '\n' || byte == '\b' ||
                    byte == 0x1b);
        }
        require((byte & 0xc0) != 0x80);
        for (unsigned i = 1; i < n; i++) {
            require(((uint8_t)fake.out[at + i] & 0xc0) == 0x80);
        }
        at += n;
    }
    require(!escape || screen.mode == LEGACY_SCREEN_ANSI);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    screen_create(data[0]);
    for (data++, size--; size >= 8; data += 8, size -= 8) {
        command_run(data);
        require(screen.out_at == 0 && screen.out_end <= LEGACY_SCREEN_OUT_SIZE);
        require(screen.open_length <= LEGACY_SCREEN_COLUMNS_MAX);
        require(legacy_screen_deadline(&screen) > screen.look_ns);
    }
    fake.write_max = SIZE_MAX;
    legacy_screen_finish(&screen, &vga);
    require_clean_output();
    return 0;
}
