/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA registers: what a VGA BIOS and text drivers rely on.
 * Ref: IBM "Personal System/2 Hardware Interface Technical Reference, Video
 *      Subsystem".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ravelin/legacy_vga.h"

static struct legacy_vga vga;

static uint8_t in8(uint16_t port)
{
    return (uint8_t)legacy_vga_read(&vga, port, 1);
}
static bool out8(uint16_t port, uint8_t value)
{
    return legacy_vga_write(&vga, port, 1, value);
}
static bool out16(uint16_t port, uint16_t value)
{
    return legacy_vga_write(&vga, port, 2, value);
}

/* Mode 3: 80 columns, 25 rows of 16 lines, text at 0xb8000. */
static void mode_3_set(void)
{
    out8(0x3c2, 0x67);
    out16(0x3c4, 0x0001);
    out16(0x3d4, 0x0011);
    out16(0x3d4, 0x4f01);
    out16(0x3d4, 0x1f07);
    out16(0x3d4, 0x4f09);
    out16(0x3d4, 0x0d0a);
    out16(0x3d4, 0x8f12);
    out16(0x3d4, 0x2813);
    out16(0x3d4, 0x8e11);
    out16(0x3ce, 0x0e06);
}

static int case_start(void **state)
{
    (void)state;
    memset(&vga, 0xa5, sizeof(vga));
    legacy_vga_reset(&vga);
    return 0;
}

static void index_and_data_pairs_store(void **state)
{
    static const struct {
        uint16_t port;
        uint8_t count;
    } pairs[] = {{0x3c4, 5}, {0x3ce, 9}, {0x3d4, 25}};

    (void)state;
    out8(0x3c2, 0x01);
    for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
        for (uint8_t index = 0; index < pairs[i].count; index++) {
            out16(pairs[i].port, (uint16_t)((0x20 + index) << 8 | index));
        }
        for (uint8_t index = 0; index < pairs[i].count; index++) {
            out8(pairs[i].port, index);
            assert_int_equal(in8(pairs[i].port), index);
            assert_int_equal(in8((uint16_t)(pairs[i].port + 1)), 0x20 + index);
            assert_int_equal(legacy_vga_read(&vga, pairs[i].port, 2),
                             (0x20 + index) << 8 | index);
        }
    }
}

static void indexes_beyond_the_registers_store_nothing(void **state)
{
    static const uint16_t ports[] = {0x3c4, 0x3ce, 0x3d4};

    (void)state;
    out8(0x3c2, 0x01);
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        out8(ports[i], 0xff);
        out8((uint16_t)(ports[i] + 1), 0x77);
        assert_int_equal(in8((uint16_t)(ports[i] + 1)), 0);
    }
}

static void crtc_is_at_one_of_two_places(void **state)
{
    (void)state;
    out8(0x3c2, 0x00);
    out16(0x3b4, 0x120f);
    assert_int_equal(in8(0x3b5), 0x12);
    assert_int_equal(in8(0x3d4), 0xff);
    assert_int_equal(in8(0x3da), 0xff);
    assert_int_not_equal(in8(0x3ba), 0xff);
    out8(0x3c2, 0x01);
    assert_int_equal(in8(0x3d5), 0x12);
    assert_int_equal(in8(0x3b5), 0xff);
    assert_int_equal(in8(0x3ba), 0xff);
    assert_int_equal(in8(0x3cc), 0x01);
}

static void crtc_protection_spares_the_line_compare_bit(void **state)
{
    (void)state;
    out8(0x3c2, 0x01);
    out16(0x3d4, 0x4f01);
    out16(0x3d4, 0x0007);
    out16(0x3d4, 0x8011);
    out16(0x3d4, 0x1101);
    out16(0x3d4, 0xff07);
    out16(0x3d4, 0x2208);
    out8(0x3d4, 1);
    assert_int_equal(in8(0x3d5), 0x4f);
    out8(0x3d4, 7);
    assert_int_equal(in8(0x3d5), 0x10);
    out8(0x3d4, 8);
    assert_int_equal(in8(0x3d5), 0x22);
}

static void attributes_alternate_between_index_and_data(void **state)
{
    (void)state;
    out8(0x3c2, 0x01);
    in8(0x3da);
    for (uint8_t index = 0; index < 0x15; index++) {
        out8(0x3c0, index);
        out8(0x3c0, (uint8_t)(0x30 + index));
    }
    for (uint8_t index = 0; index < 0x15; index++) {
        in8(0x3da);
        out8(0x3c0, index);
        assert_int_equal(in8(0x3c1), 0x30 + index);
        assert_int_equal(in8(0x3c0), index);
        out8(0x3c0, (uint8_t)(0x30 + index));
    }
    /* The palette cannot be written while it is in use. */
    out8(0x3c0, 0x20 | 3);
    out8(0x3c0, 0x11);
    out8(0x3c0, 0x20 | 0x10);
    out8(0x3c0, 0x0c);
    in8(0x3da);
    out8(0x3c0, 3);
    assert_int_equal(in8(0x3c1), 0x33);
    in8(0x3da);
    out8(0x3c0, 0x10);
    assert_int_equal(in8(0x3c1), 0x0c);
    in8(0x3da);
    out8(0x3c0, 0x3f);
    out8(0x3c0, 0xff);
    in8(0x3da);
    out8(0x3c0, 0x1f);
    assert_int_equal(in8(0x3c1), 0);
}

static void colours_go_three_by_three(void **state)
{
    (void)state;
    assert_int_equal(in8(0x3c6), 0xff);
    out8(0x3c8, 254);
    for (uint8_t i = 0; i < 9; i++) {
        out8(0x3c9, (uint8_t)(0xc0 | i)); /* six bits count; wraps to 0 */
    }
    assert_int_equal(in8(0x3c8), 1);
    assert_int_equal(in8(0x3c7), 0);
    out8(0x3c7, 254);
    assert_int_equal(in8(0x3c7), 3);
    for (uint8_t i = 0; i < 9; i++) {
        assert_int_equal(in8(0x3c9), i);
    }
    /* A new index starts with red again. */
    out8(0x3c8, 10);
    out8(0x3c9, 1);
    out8(0x3c8, 10);
    out8(0x3c9, 2);
    out8(0x3c7, 10);
    assert_int_equal(in8(0x3c9), 2);
}

static void retrace_comes_and_goes(void **state)
{
    unsigned changes = 0;
    unsigned seen = 0;
    uint8_t last = 0;

    (void)state;
    out8(0x3c2, 0x01);
    for (unsigned i = 0; i < 64; i++) {
        uint8_t now = in8(0x3da) & 0x09;

        changes += ((now ^ last) & 0x08) != 0;
        last = now;
        seen |= 1u << now;
    }
    assert_in_range(changes, 6, 10);
    /* Shown, blank, retrace; never retrace while shown. */
    assert_int_equal(seen, 1u << 0 | 1u << 1 | 1u << 9);
}

static void display_interface_is_there_without_modes(void **state)
{
    (void)state;
    for (uint16_t id = 0xb0c0; id <= 0xb0c5; id++) {
        out16(0x1ce, 0);
        out16(0x1cf, id);
        assert_int_equal(legacy_vga_read(&vga, 0x1cf, 2), id);
        assert_int_equal(legacy_vga_read(&vga, 0x1d0, 2), id);
    }
    out16(0x1cf, 0xb0c6);
    assert_int_equal(legacy_vga_read(&vga, 0x1cf, 2), 0xb0c5);
    out16(0x1ce, 4);
    out16(0x1cf, 0x0003);
    assert_int_equal(legacy_vga_read(&vga, 0x1cf, 2), 0x0002);
    for (uint16_t index = 1; index < 16; index++) {
        out16(0x1ce, index);
        assert_int_equal(legacy_vga_read(&vga, 0x1ce, 2), index);
        if (index != 4) {
            assert_int_equal(legacy_vga_read(&vga, 0x1cf, 2), 0);
        }
    }
}

static void nothing_is_text_before_a_mode_is_set(void **state)
{
    struct legacy_vga_text t;

    (void)state;
    legacy_vga_text_get(&vga, &t);
    assert_false(t.is_text);
    assert_false(t.is_graphics);
}

static void text_mode_3_is_80_by_25(void **state)
{
    struct legacy_vga_text t;

    (void)state;
    mode_3_set();
    out16(0x3d4, 0x010c);
    assert_true(out16(0x3d4, 0x900d));
    out16(0x3d4, 0x020e);
    assert_true(out16(0x3d4, 0x340f));
    legacy_vga_text_get(&vga, &t);
    assert_true(t.is_text);
    assert_int_equal(t.columns, 80);
    assert_int_equal(t.rows, 25);
    assert_int_equal(t.pitch, 80);
    assert_int_equal(t.start, 0x0190);
    assert_int_equal(t.cursor, 0x0234);
    assert_true(t.cursor_on);
    out16(0x3d4, 0x2d0a);
    legacy_vga_text_get(&vga, &t);
    assert_false(t.cursor_on);
    /* A font of eight lines makes fifty rows. */
    out16(0x3d4, 0x4709);
    legacy_vga_text_get(&vga, &t);
    assert_int_equal(t.rows, 50);
}

static void other_modes_are_no_text(void **state)
{
    struct legacy_vga_text t;

    (void)state;
    mode_3_set();
    out16(0x3ce, 0x0506); /* graphics at 0xa0000 */
    legacy_vga_text_get(&vga, &t);
    assert_false(t.is_text);
    assert_true(t.is_graphics);
    out16(0x3ce, 0x0a06); /* monochrome at 0xb0000 */
    legacy_vga_text_get(&vga, &t);
    assert_false(t.is_text);
    assert_false(t.is_graphics);
    out16(0x3ce, 0x0e06);
    out16(0x3c4, 0x2001); /* screen off */
    legacy_vga_text_get(&vga, &t);
    assert_false(t.is_text);
}

static void only_lower_halves_ask_for_a_look(void **state)
{
    (void)state;
    out8(0x3c2, 0x01);
    for (uint8_t index = 0; index < 25; index++) {
        bool expected = index == 0x0d || index == 0x0f;

        assert_false(out8(0x3d4, index));
        assert_int_equal(out8(0x3d5, 1), expected);
    }
    assert_false(out16(0x3c4, 0x0f0f));
    assert_false(out16(0x3ce, 0x0f0f));
    assert_false(out16(0x3b4, 0x010f)); /* not where the controller is */
}

static void unknown_ports_read_as_ones(void **state)
{
    static const uint16_t ports[] = {0x3b0, 0x3b8, 0x3bf, 0x3cb,
                                     0x3cd, 0x3d0, 0x3d8, 0x3df};

    (void)state;
    out8(0x3c2, 0x01);
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        out8(ports[i], 0x12);
        assert_int_equal(in8(ports[i]), 0xff);
    }
    assert_int_equal(in8(0x1ce), 0xff);
    assert_int_equal(legacy_vga_read(&vga, 0x1ce, 4), 0xffffffff);
}

#define CASE(f) cmocka_unit_test_setup(f, case_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(index_and_data_pairs_store),
        CASE(indexes_beyond_the_registers_store_nothing),
        CASE(crtc_is_at_one_of_two_places),
        CASE(crtc_protection_spares_the_line_compare_bit),
        CASE(attributes_alternate_between_index_and_data),
        CASE(colours_go_three_by_three),
        CASE(retrace_comes_and_goes),
        CASE(display_interface_is_there_without_modes),
        CASE(nothing_is_text_before_a_mode_is_set),
        CASE(text_mode_3_is_80_by_25),
        CASE(other_modes_are_no_text),
        CASE(only_lower_halves_ask_for_a_look),
        CASE(unknown_ports_read_as_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
