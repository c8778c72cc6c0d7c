/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text screen as a log: nothing lost, nothing twice, no flood.
 */
#include <stdio.h>

#include "legacy_screen_fixture.h"

static int lines_start(void **state)
{
    (void)state;
    screen_start(LEGACY_SCREEN_LINES);
    return 0;
}

/* ---- Teletype ---- */

static void lines_come_when_the_cursor_leaves_them(void **state)
{
    (void)state;
    teletype("SeaBIOS (version 1)\r\n");
    expect_output("SeaBIOS (version 1)\r\n");
    teletype("\r\n\r\nBooting from Hard Disk...\r\n");
    expect_output("Booting from Hard Disk...\r\n");
    wait_ms(2000);
    expect_output("");
}

static void every_line_of_a_long_output_comes_once(void **state)
{
    char expected[4096] = "";

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        char line[32];

        snprintf(line, sizeof(line), "line %u\r\n", i);
        teletype(line);
        strcat(expected, line);
    }
    wait_ms(1000);
    expect_output(expected);
}

static void a_line_as_wide_as_the_screen_is_one_line(void **state)
{
    char wide[COLUMNS + 1];
    char expected[COLUMNS + 16];

    (void)state;
    memset(wide, 'x', COLUMNS);
    wide[COLUMNS] = '\0';
    teletype(wide);
    snprintf(expected, sizeof(expected), "%s\r\n", wide);
    expect_output(expected);
    teletype("next\r\n");
    expect_output("next\r\n");
}

static void the_last_line_comes_after_a_moment_and_stays_open(void **state)
{
    (void)state;
    teletype("grub> ");
    expect_output("");
    wait_ms(400);
    expect_output("grub> ");
    teletype("ls");
    wait_ms(60);
    expect_output("ls");
    teletype("\b \b");
    wait_ms(60);
    expect_output("");
    wait_ms(300);
    expect_output("\b \b");
    teletype("inux\r\n");
    expect_output("inux\r\n");
    teletype("error\r\n");
    expect_output("error\r\n");
}

static void an_open_line_that_changes_starts_anew(void **state)
{
    (void)state;
    teletype("Loading 10%");
    wait_ms(400);
    expect_output("Loading 10%");
    teletype("\rLoading 20%");
    wait_ms(400);
    expect_output("\r\nLoading 20%");
    teletype("\r\n");
    expect_output("\r\n");
}

/* A question that is taken back, as iPXE does. */
static void an_open_line_that_is_erased_is_left_alone(void **state)
{
    (void)state;
    teletype("Press Ctrl-B for the command line...");
    wait_ms(400);
    expect_output("Press Ctrl-B for the command line...");
    for (unsigned i = 0; i < 36; i++) {
        teletype("\b \b");
        wait_ms(20);
    }
    wait_ms(400);
    expect_output("\r\n");
    teletype("next\r\n");
    expect_output("next\r\n");
}

static void an_open_line_scrolls_away_with_its_rest(void **state)
{
    (void)state;
    cursor_set(24, 0);
    teletype("ab");
    wait_ms(400);
    expect_output("ab");
    teletype("cd\r\nef\r\n");
    expect_output("cd\r\nef\r\n");
}

/* Nothing on the screen tells one from the next but the cursor's way. */
static void equal_lines_all_come(void **state)
{
    char expected[4096] = "";

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        teletype("same\r\n");
        strcat(expected, "same\r\n");
    }
    wait_ms(1000);
    expect_output(expected);
}

static void text_before_a_cleared_screen_is_not_lost(void **state)
{
    (void)state;
    teletype("one\r\ntwo");
    wait_ms(60); /* seen, but not settled */
    clear();
    cursor_set(0, 0);
    expect_output("one\r\ntwo\r\n");
    teletype("three\r\n");
    expect_output("three\r\n");
}

/* Hardware scrolling, as the console of Linux does. */
static void moving_the_start_address_is_scrolling(void **state)
{
    (void)state;
    for (unsigned r = 0; r < ROWS; r++) {
        char line[8];

        snprintf(line, sizeof(line), "l%02u", r);
        poke(r, 0, line);
    }
    cursor_set(24, 3);
    wait_ms(400);
    assert_int_equal(screen.out_end, 0);
    expect_output("l00\r\nl01\r\nl02\r\nl03\r\nl04\r\nl05\r\nl06\r\nl07\r\n"
                  "l08\r\nl09\r\nl10\r\nl11\r\nl12\r\nl13\r\nl14\r\nl15\r\n"
                  "l16\r\nl17\r\nl18\r\nl19\r\nl20\r\nl21\r\nl22\r\nl23\r\n"
                  "l24");
    for (unsigned i = 0; i < 300; i++) {
        start += COLUMNS;
        for (unsigned c = 0; c < COLUMNS; c++) {
            *cell(ROWS - 1, c) = 0x0720;
        }
        poke(ROWS - 1, 0, i < 299 ? "more" : "last");
        crtc(0x0c, (uint8_t)(start >> 8));
        crtc(0x0d, (uint8_t)start);
        cursor_set(24, 4);
    }
    wait_ms(400);
    fake.out[fake.out_length] = '\0';
    assert_memory_equal(fake.out, "\r\nmore\r\n", 8);
    assert_int_equal(fake.out_length, 2 + 299 * 6 + 4);
    assert_string_equal(fake.out + fake.out_length - 10, "more\r\nlast");
}

/* ---- Full-screen programs ---- */

static void a_menu_comes_as_lines_in_utf8(void **state)
{
    (void)state;
    poke(1, 2, "GNU GRUB");
    poke(3, 0, "\xda\xc4\xc4\xbf");
    poke(4, 0, "\xb3*A\xb3");
    poke(5, 0, "\xc0\xc4\xc4\xd9");
    cursor_set(4, 79);
    expect_output("");
    wait_ms(400);
    teletype("\n"); /* the cursor row ends */
    expect_output("  GNU GRUB\r\n\u250c\u2500\u2500\u2510\r\n"
                  "\u2502*A\u2502"
                  "                                                        "
                  "                   \r\n"
                  "\u2514\u2500\u2500\u2518\r\n");
}

/* A frame first, then help below it line by line, then what belongs into it. */
static void a_screen_being_painted_comes_in_order(void **state)
{
    (void)state;
    poke(1, 0, "\xb3      \xb3");
    poke(2, 0, "\xb3      \xb3");
    cursor_set(10, 4);
    wait_ms(20);
    teletype("Use the keys\r\nto select\r\n");
    wait_ms(20);
    poke(1, 1, "*first");
    poke(2, 1, " other");
    expect_output("");
    wait_ms(600);
    expect_output("\u2502*first\u2502\r\n\u2502 other\u2502\r\n"
                  "    Use the keys\r\nto select\r\n");
}

static void a_countdown_is_repeated_ever_more_rarely(void **state)
{
    unsigned lines = 0;

    (void)state;
    cursor_set(0, 0);
    for (unsigned i = 0; i < 120; i++) {
        char text[16];

        snprintf(text, sizeof(text), "in %03us", 120 - i);
        poke(10, 0, text);
        wait_ms(1000);
    }
    for (const char *p = fake.out; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    assert_in_range(lines, 5, 12);
    assert_memory_equal(fake.out, "in 120s\r\nin 119s\r\n", 18);
}

static void a_row_that_never_rests_is_shown_now_and_then(void **state)
{
    unsigned lines = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        char text[16];

        snprintf(text, sizeof(text), "pass %u", i);
        poke(3, 0, text);
        wait_ms(60);
    }
    for (const char *p = fake.out; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    assert_in_range(lines, 3, 12);
}

static void colours_alone_say_nothing(void **state)
{
    (void)state;
    poke(2, 0, "entry");
    wait_ms(600);
    expect_output("entry\r\n");
    for (unsigned c = 0; c < 5; c++) {
        *cell(2, c) |= 0x7000;
    }
    wait_ms(1000);
    expect_output("");
}

static void blank_codes_are_blank(void **state)
{
    (void)state;
    for (unsigned c = 0; c < COLUMNS; c++) {
        *cell(1, c) = 0x0000;
        *cell(2, c) = 0x07ff;
    }
    wait_ms(1000);
    expect_output("");
}

static void codes_below_32_are_pictures(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 5; c++) {
        static const uint8_t codes[] = {'a', 0x1b, 0x07, 0x0a, 0x7f};

        *cell(1, c) = (uint16_t)(0x0700 | codes[c]);
    }
    wait_ms(600);
    expect_output("a\u2190\u2022\u25d9\u2302\r\n");
}

/* ---- The console's pace ---- */

static void a_slow_console_loses_nothing_that_stays_visible(void **state)
{
    (void)state;
    fake.write_max = 0;
    for (unsigned r = 0; r < ROWS; r++) {
        char text[COLUMNS + 1];

        memset(text, 'a' + (int)r, COLUMNS);
        text[COLUMNS] = '\0';
        poke(r, 0, text);
    }
    wait_ms(1000);
    assert_int_equal(fake.out_length, 0);
    fake.write_max = 100;
    wait_ms(5000);
    assert_int_equal(fake.out_length, 25 * 82);
    for (unsigned r = 0; r < ROWS; r++) {
        assert_int_equal(fake.out[r * 82 + 79], 'a' + (int)r);
    }
}

/* ---- Beginning and end ---- */

static void the_end_brings_what_was_seen(void **state)
{
    (void)state;
    teletype("panic: no init");
    wait_ms(60);
    expect_output("");
    legacy_screen_finish(&screen, &vga);
    expect_output("panic: no init\r\n");
    legacy_screen_finish(&screen, &vga);
    expect_output("");
}

static void an_open_line_is_closed_at_the_end(void **state)
{
    (void)state;
    teletype("boot: ");
    wait_ms(400);
    expect_output("boot: ");
    legacy_screen_finish(&screen, &vga);
    expect_output("\r\n");
}

static void graphics_are_mentioned_once_if_they_last(void **state)
{
    (void)state;
    teletype("text\r\n");
    legacy_vga_write(&vga, 0x3ce, 2, 0x0506);
    wait_ms(500);
    legacy_vga_write(&vga, 0x3ce, 2, 0x0e06);
    wait_ms(500);
    expect_output("text\r\n");
    legacy_vga_write(&vga, 0x3ce, 2, 0x0506);
    wait_ms(10000);
    expect_output("[graphics mode: the screen is not shown here]\r\n");
    mode_3_set();
    teletype("back\r\n");
    expect_output("back\r\n");
}

static void another_number_of_rows_starts_afresh(void **state)
{
    (void)state;
    teletype("old\r\nopen");
    wait_ms(400);
    expect_output("old\r\nopen");
    crtc(0x09, 0x47); /* fifty rows */
    clear();
    for (unsigned r = 25; r < 50; r++) {
        for (unsigned c = 0; c < COLUMNS; c++) {
            *cell(r, c) = 0x0720;
        }
    }
    poke(40, 0, "low");
    cursor_set(0, 0);
    wait_ms(400);
    expect_output("\r\nlow\r\n");
    assert_int_equal(screen.text.rows, 50);
}

static void absurd_geometries_are_cut(void **state)
{
    (void)state;
    crtc(0x01, 0xff);
    crtc(0x13, 0xff);
    crtc(0x09, 0x00);
    wait_ms(400);
    assert_int_equal(screen.text.rows, LEGACY_SCREEN_ROWS_MAX);
    assert_int_equal(screen.text.columns, LEGACY_SCREEN_COLUMNS_MAX);
    crtc(0x13, 0x00);
    wait_ms(400); /* all rows are the same: no text screen */
    assert_int_equal(screen.text.pitch, 510);
}

static void an_idle_screen_is_looked_at_four_times_a_second(void **state)
{
    (void)state;
    teletype("x\r\n");
    assert_int_equal(legacy_screen_deadline(&screen) - fake.now, 50 * MS);
    wait_ms(3000);
    assert_int_equal(legacy_screen_deadline(&screen) - screen.look_ns,
                     250 * MS);
}

/* ---- For a terminal ---- */

static int ansi_start(void **state)
{
    (void)state;
    screen_start(LEGACY_SCREEN_ANSI);
    wait_ms(100);
    return 0;
}

static void terminal_gets_changed_cells_only(void **state)
{
    (void)state;
    expect_output("\033[0m\033[2J\033[1;1H");
    poke(2, 4, "Hi");
    *cell(5, 0) = 0x1f41; /* white on blue */
    cursor_set(5, 1);
    wait_ms(60);
    expect_output("\033[3;5HHi\033[6;1H\033[97;44mA");
    wait_ms(1000);
    expect_output("");
    *cell(2, 5) = 0x0765;
    wait_ms(250);
    expect_output("\033[3;6H\033[37;40me\033[6;2H");
}

static void terminal_colours_are_translated(void **state)
{
    (void)state;
    expect_output("\033[0m\033[2J\033[1;1H");
    *cell(0, 0) = 0x4161; /* blue on red */
    *cell(0, 1) = 0x2e62; /* yellow on green */
    wait_ms(250);
    expect_output("\033[34;41ma\033[93;42mb\033[1;1H");
}

static void terminal_cursor_can_be_hidden(void **state)
{
    (void)state;
    expect_output("\033[0m\033[2J\033[1;1H");
    crtc(0x0a, 0x20);
    wait_ms(250);
    expect_output("\033[?25l");
    crtc(0x0a, 0x0d);
    wait_ms(250);
    expect_output("\033[?25h");
}

static void terminal_is_redrawn_on_request(void **state)
{
    (void)state;
    poke(0, 0, "abc");
    wait_ms(100);
    legacy_fixture_out_clear(&fake);
    legacy_screen_redraw(&screen);
    wait_ms(250);
    expect_output("\033[0m\033[2J\033[1;1Habc\033[1;1H");
}

static void terminal_gets_a_full_screen_in_pieces(void **state)
{
    (void)state;
    fake.write_max = 300;
    for (unsigned r = 0; r < ROWS; r++) {
        for (unsigned c = 0; c < COLUMNS; c++) {
            *cell(r, c) = (uint16_t)(0x0700 | 0xb0);
        }
    }
    wait_ms(3000);
    assert_true(fake.out_length > 3 * COLUMNS * ROWS);
    for (unsigned r = 0; r < ROWS; r++) {
        assert_memory_equal(screen.cell[r], cell(r, 0), COLUMNS * 2);
    }
}

static void terminal_is_left_in_order(void **state)
{
    (void)state;
    *cell(0, 0) = 0x4161;
    wait_ms(250);
    fake.out_length = 0;
    legacy_screen_finish(&screen, &vga);
    expect_output("\033[25;80H\033[0m\033[?25h\r\n");
}

#define LINES_CASE(f) cmocka_unit_test_setup(f, lines_start)
#define ANSI_CASE(f) cmocka_unit_test_setup(f, ansi_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINES_CASE(lines_come_when_the_cursor_leaves_them),
        LINES_CASE(every_line_of_a_long_output_comes_once),
        LINES_CASE(a_line_as_wide_as_the_screen_is_one_line),
        LINES_CASE(the_last_line_comes_after_a_moment_and_stays_open),
        LINES_CASE(an_open_line_that_changes_starts_anew),
        LINES_CASE(an_open_line_that_is_erased_is_left_alone),
        LINES_CASE(an_open_line_scrolls_away_with_its_rest),
        LINES_CASE(equal_lines_all_come),
        LINES_CASE(text_before_a_cleared_screen_is_not_lost),
        LINES_CASE(moving_the_start_address_is_scrolling),
        LINES_CASE(a_menu_comes_as_lines_in_utf8),
        LINES_CASE(a_screen_being_painted_comes_in_order),
        LINES_CASE(a_countdown_is_repeated_ever_more_rarely),
        LINES_CASE(a_row_that_never_rests_is_shown_now_and_then),
        LINES_CASE(colours_alone_say_nothing),
        LINES_CASE(blank_codes_are_blank),
        LINES_CASE(codes_below_32_are_pictures),
        LINES_CASE(a_slow_console_loses_nothing_that_stays_visible),
        LINES_CASE(the_end_brings_what_was_seen),
        LINES_CASE(an_open_line_is_closed_at_the_end),
        LINES_CASE(graphics_are_mentioned_once_if_they_last),
        LINES_CASE(another_number_of_rows_starts_afresh),
        LINES_CASE(absurd_geometries_are_cut),
        LINES_CASE(an_idle_screen_is_looked_at_four_times_a_second),
        ANSI_CASE(terminal_gets_changed_cells_only),
        ANSI_CASE(terminal_colours_are_translated),
        ANSI_CASE(terminal_cursor_can_be_hidden),
        ANSI_CASE(terminal_is_redrawn_on_request),
        ANSI_CASE(terminal_gets_a_full_screen_in_pieces),
        ANSI_CASE(terminal_is_left_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
