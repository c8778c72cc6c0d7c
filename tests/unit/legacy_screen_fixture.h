/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text screen of 80 by 25 with its memory, and a guest that writes on it the
 * ways a BIOS or a full-screen program does.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "legacy_fixture.h"
#include "ravelin/guest_copy.h"
#include "ravelin/legacy_screen.h"

#define COLUMNS 80u
#define ROWS 25u
#define MS 1000000UL

static struct legacy_fixture fake;
static struct legacy_vga vga;
static struct legacy_screen screen;
static uint16_t memory[LEGACY_VGA_TEXT_SIZE / 2] rv_aligned(4096);
static unsigned row, column; /* of the guest's cursor */
static unsigned start;       /* cell at the upper left corner */

/* The screen needs nothing else of the core. */
void guest_page_read(void *dst, const void *page, size_t n)
{
    memcpy(dst, page, n);
}

static inline void crtc(uint8_t index, uint8_t value)
{
    if (legacy_vga_write(&vga, 0x3d4, 2, (uint32_t)value << 8 | index)) {
        legacy_screen_moved(&screen, &vga);
    }
}

static inline uint16_t *cell(unsigned r, unsigned c)
{
    return &memory[(start + r * COLUMNS + c) % ARRAY_SIZE(memory)];
}

static inline void cursor_set(unsigned r, unsigned c)
{
    unsigned at = start + r * COLUMNS + c;

    row = r;
    column = c;
    crtc(0x0e, (uint8_t)(at >> 8));
    crtc(0x0f, (uint8_t)at);
}

static inline void clear(void)
{
    for (unsigned r = 0; r < ROWS; r++) {
        for (unsigned c = 0; c < COLUMNS; c++) {
            *cell(r, c) = 0x0720;
        }
    }
}

static inline void mode_3_set(void)
{
    legacy_vga_write(&vga, 0x3c2, 1, 0x67);
    legacy_vga_write(&vga, 0x3c4, 2, 0x0001);
    crtc(0x11, 0x00);
    crtc(0x01, 0x4f);
    crtc(0x07, 0x1f);
    crtc(0x09, 0x4f);
    crtc(0x0a, 0x0d);
    crtc(0x12, 0x8f);
    crtc(0x13, 0x28);
    crtc(0x0c, 0);
    crtc(0x0d, 0);
    legacy_vga_write(&vga, 0x3ce, 2, 0x0e06);
    start = 0;
    clear();
    cursor_set(0, 0);
}

static inline void screen_start(enum legacy_screen_mode mode)
{
    const void *page[LEGACY_VGA_TEXT_PAGES];

    for (unsigned i = 0; i < LEGACY_VGA_TEXT_PAGES; i++) {
        page[i] = (const uint8_t *)memory + i * PAGE_SIZE;
    }
    legacy_fixture_start(&fake);
    fake.now = 1000 * MS;
    memset(memory, 0, sizeof(memory));
    legacy_vga_reset(&vga);
    legacy_screen_init(&screen, &fake.host, mode, page);
    mode_3_set();
}

/* The platform's timer. */
static inline void wait_ms(unsigned ms)
{
    uint64_t end = fake.now + ms * MS;

    while (legacy_screen_deadline(&screen) <= end) {
        uint64_t at = legacy_screen_deadline(&screen);

        fake.now = at > fake.now ? at : fake.now;
        legacy_screen_look(&screen, &vga);
    }
    fake.now = end;
}

/* Straight to memory, as programs that own the screen do. */
static inline void poke(unsigned r, unsigned c, const char *text)
{
    for (; *text != '\0'; text++, c++) {
        *cell(r, c) = (uint16_t)(0x0700 | (uint8_t)*text);
    }
}

static inline void scroll_up(void)
{
    for (unsigned r = 0; r + 1 < ROWS; r++) {
        memmove(cell(r, 0), cell(r + 1, 0), COLUMNS * 2);
    }
    for (unsigned c = 0; c < COLUMNS; c++) {
        *cell(ROWS - 1, c) = 0x0720;
    }
}

/* INT 10h, AH=0Eh: the cursor is set after each character. */
static inline void teletype(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned r = row;
        unsigned c = column;

        if (*text == '\n') {
            r++;
        } else if (*text == '\r') {
            c = 0;
        } else if (*text == '\b') {
            c -= c > 0;
        } else {
            *cell(r, c++) = (uint16_t)(0x0700 | (uint8_t)*text);
        }
        if (c == COLUMNS) {
            c = 0;
            r++;
        }
        if (r == ROWS) {
            scroll_up();
            r--;
        }
        cursor_set(r, c);
    }
}

static inline void expect_output(const char *expected)
{
    assert_string_equal(fake.out, expected);
    legacy_fixture_out_clear(&fake);
}
