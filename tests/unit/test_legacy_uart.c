/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550A: both directions, FIFOs and their triggers, interrupt causes by
 * priority, loop-back, a console that does not take everything.
 * Sections named below are those of the National PC16550D datasheet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"

#include "ravelin/legacy_uart.h"

#define DATA 0u
#define IER 1u
#define IIR 2u
#define FCR 2u
#define LCR 3u
#define MCR 4u
#define LSR 5u
#define MSR 6u
#define SCR 7u

#define OPEN 0x0bu /* DTR, RTS, OUT2 */

static struct legacy_fixture f;
static struct legacy_uart uart;

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    legacy_uart_init(&uart, &f.host, 4);
    return 0;
}

static uint8_t get(unsigned reg)
{
    return legacy_uart_read(&uart, reg);
}

static void put(unsigned reg, uint8_t value)
{
    legacy_uart_write(&uart, reg, value);
}

static void type(const char *text)
{
    f.in = text;
    legacy_uart_pull(&uart);
}

/* "Master Reset" */
static void reset_state_is_the_datasheets(void **state)
{
    (void)state;
    assert_int_equal(get(IER), 0);
    assert_int_equal(get(IIR), 0x01);
    assert_int_equal(get(LCR), 0);
    assert_int_equal(get(MCR), 0);
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(MSR), 0xb0);
    assert_int_equal(legacy_uart_deadline(&uart), LEGACY_NEVER);
    assert_false(legacy_uart_is_open(&uart));
}

static void written_bytes_reach_the_console_at_once(void **state)
{
    (void)state;
    for (const char *s = "Hello\r\n"; *s != '\0'; s++) {
        assert_int_equal(get(LSR) & 0x60, 0x60);
        put(DATA, (uint8_t)*s);
    }
    assert_string_equal(f.out, "Hello\r\n");
}

/* "Programmable Baud Generator" */
static void divisor_latch_hides_data_and_enables(void **state)
{
    (void)state;
    put(IER, 0x05);
    put(LCR, 0x83);
    put(DATA, 0x0c);
    put(IER, 0x01);
    assert_int_equal(get(DATA), 0x0c);
    assert_int_equal(get(IER), 0x01);
    put(LCR, 0x03);
    assert_int_equal(get(IER), 0x05);
    assert_int_equal(f.out_length, 0);
}

static void scratch_and_masks_hold_their_bits(void **state)
{
    (void)state;
    put(SCR, 0xa5);
    put(IER, 0xff);
    put(MCR, 0xff);
    put(LSR, 0x00);
    put(MSR, 0x00);
    assert_int_equal(get(SCR), 0xa5);
    assert_int_equal(get(IER), 0x0f);
    assert_int_equal(get(MCR), 0x1f);
    assert_int_equal(get(LSR) & 0x60, 0x60);
}

/* ---- Receiver --------------------------------------------------------- */

static void input_waits_until_the_port_is_open(void **state)
{
    (void)state;
    type("abc");
    assert_int_equal(get(LSR) & 1, 0);
    assert_string_equal(f.in, "abc");
    put(MCR, OPEN);
    assert_int_equal(get(LSR) & 1, 1);
    assert_int_equal(get(DATA), 'a');
    assert_int_equal(get(DATA), 'b');
    assert_int_equal(get(DATA), 'c');
    assert_int_equal(get(LSR) & 1, 0);
    assert_int_equal(get(DATA), 0);
}

static void without_fifo_one_byte_is_held(void **state)
{
    (void)state;
    put(MCR, OPEN);
    type("xyz");
    assert_string_equal(f.in, "yz");
    assert_int_equal(get(DATA), 'x');
    assert_string_equal(f.in, "z");
}

static void fifo_takes_sixteen_and_refills_when_empty(void **state)
{
    (void)state;
    put(FCR, 0x01);
    put(MCR, OPEN);
    type("0123456789abcdefGHIJ");
    assert_string_equal(f.in, "GHIJ");
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(get(DATA), "0123456789abcdef"[i]);
    }
    assert_string_equal(f.in, "");
    assert_int_equal(get(LSR) & 1, 1);
    assert_int_equal(get(DATA), 'G');
}

static void fcr_clears_what_it_names(void **state)
{
    (void)state;
    put(FCR, 0x01);
    put(MCR, OPEN);
    type("abc");
    put(FCR, 0x03);
    assert_int_equal(get(LSR) & 1, 0);
    type("def");
    put(FCR, 0x00); /* switching the FIFOs empties them */
    assert_int_equal(get(LSR) & 1, 0);
    assert_int_equal(get(IIR) & 0xc0, 0);
}

/* ---- "Interrupt Identification Register" ------------------------------ */

static void received_data_interrupts_at_the_trigger(void **state)
{
    static const uint8_t triggers[4] = {1, 4, 8, 14};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        (void)start(NULL);
        put(FCR, (uint8_t)(0x01 | i << 6));
        put(MCR, OPEN);
        put(IER, 0x01);
        for (unsigned n = 1; n <= 16; n++) {
            type("q");
            assert_int_equal(get(IIR), n >= triggers[i] ? 0xc4 : 0xcc);
            assert_true(f.line[4]);
        }
        for (unsigned n = 0; n < 16; n++) {
            assert_true(f.line[4]);
            (void)get(DATA);
        }
        assert_false(f.line[4]);
        assert_int_equal(get(IIR), 0xc1);
    }
}

static void transmitter_empty_interrupts_when_enabled(void **state)
{
    (void)state;
    put(MCR, OPEN);
    put(IER, 0x02);
    assert_true(f.line[4]);
    assert_int_equal(get(IIR), 0x02);
    assert_false(f.line[4]); /* reading it was the acknowledgement */
    assert_int_equal(get(IIR), 0x01);
    put(DATA, 'x');
    assert_true(f.line[4]);
    put(IER, 0x00);
    assert_false(f.line[4]);
    put(IER, 0x02);
    assert_true(f.line[4]);
}

static void causes_come_by_priority(void **state)
{
    (void)state;
    put(MCR, 0x10);
    put(DATA, 'a');
    put(DATA, 'b'); /* overrun */
    put(MCR, 0x12); /* CTS changes */
    put(IER, 0x0f);
    assert_int_equal(get(IIR), 0x06);
    assert_int_equal(get(LSR) & 0x03, 0x03);
    assert_int_equal(get(IIR), 0x04);
    assert_int_equal(get(DATA), 'a');
    assert_int_equal(get(IIR), 0x02);
    assert_int_equal(get(IIR), 0x00);
    assert_int_equal(get(MSR) & 0x0f, 0x0b); /* CTS; DSR, DCD since loop */
    assert_int_equal(get(IIR), 0x01);
    assert_int_equal(get(LSR) & 0x02, 0);
}

static void interrupt_needs_out2_and_no_loop(void **state)
{
    (void)state;
    put(IER, 0x02);
    assert_false(f.line[4]);
    put(MCR, 0x08);
    assert_true(f.line[4]);
    put(MCR, 0x18);
    assert_false(f.line[4]);
}

/* ---- "Modem Control Register": loop-back ------------------------------ */

static void loop_back_returns_bytes_and_lines(void **state)
{
    (void)state;
    put(FCR, 0x01);
    put(MCR, 0x1a);
    assert_int_equal(get(MSR) & 0xf0, 0x90); /* DCD from OUT2, CTS from RTS */
    put(DATA, 'l');
    put(DATA, 'b');
    assert_int_equal(get(LSR) & 1, 1);
    assert_int_equal(get(DATA), 'l');
    assert_int_equal(get(DATA), 'b');
    assert_int_equal(f.out_length, 0);
    type("no");
    assert_string_equal(f.in, "no");
}

static void ring_indicator_counts_its_end_only(void **state)
{
    (void)state;
    put(MCR, 0x10);
    (void)get(MSR);
    put(MCR, 0x14);
    assert_int_equal(get(MSR), 0x40);
    put(MCR, 0x10);
    assert_int_equal(get(MSR), 0x04);
}

static void overrun_keeps_what_was_there(void **state)
{
    (void)state;
    put(FCR, 0x01);
    put(MCR, 0x10);
    for (unsigned i = 0; i < 20; i++) {
        put(DATA, (uint8_t)i);
    }
    assert_int_equal(get(LSR) & 2, 2);
    assert_int_equal(get(LSR) & 2, 0);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(get(DATA), i);
    }
    assert_int_equal(get(LSR) & 1, 0);
}

/* Without FIFOs there is no trigger, whatever FCR once said. */
static void without_fifo_one_byte_is_received_data(void **state)
{
    (void)state;
    put(FCR, 0xc1);
    put(FCR, 0xc0);
    put(MCR, OPEN);
    put(IER, 0x01);
    type("a");
    assert_int_equal(get(IIR), 0x04);
}

static void each_cause_needs_its_enable(void **state)
{
    static const struct {
        uint8_t ier;
        uint8_t iir;
    } cases[] = {{0x00, 1}, {0x01, 4}, {0x02, 2}, {0x04, 6}, {0x08, 0}};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        (void)start(NULL);
        put(MCR, 0x10);
        put(DATA, 'a');
        put(DATA, 'b');
        put(MCR, 0x12);
        put(IER, cases[i].ier);
        assert_int_equal(get(IIR), cases[i].iir);
    }
}

static void other_enables_do_not_repeat_transmitter_empty(void **state)
{
    (void)state;
    put(IER, 0x02);
    assert_int_equal(get(IIR), 0x02);
    put(IER, 0x03);
    assert_int_equal(get(IIR), 0x01);
}

static void fcr_clears_nothing_else(void **state)
{
    (void)state;
    put(FCR, 0x01);
    put(MCR, 0x10);
    put(DATA, 'r');
    put(MCR, 0x00);
    f.out_room = 0;
    put(DATA, 't');
    put(FCR, 0x41); /* trigger only */
    assert_int_equal(get(LSR), 0x01);
    put(FCR, 0x43);
    assert_int_equal(get(LSR), 0x00);
    assert_true(legacy_uart_deadline(&uart) != LEGACY_NEVER);
}

static void clearing_an_empty_transmitter_is_no_event(void **state)
{
    (void)state;
    put(IER, 0x02);
    (void)get(IIR);
    put(FCR, 0x05);
    assert_int_equal(get(IIR) & 0x0f, 0x01);
    f.out_room = 0;
    put(DATA, 'x');
    assert_int_equal(get(IIR) & 0x0f, 0x01);
    put(FCR, 0x05);
    assert_int_equal(get(IIR) & 0x0f, 0x02);
}

static void input_interrupts_when_it_arrives(void **state)
{
    (void)state;
    put(MCR, OPEN);
    put(IER, 0x01);
    assert_false(f.line[4]);
    type("i");
    assert_true(f.line[4]); /* before any access */
}

static void loop_back_makes_the_transmitter_empty(void **state)
{
    (void)state;
    put(MCR, 0x1f);
    assert_int_equal(get(MSR) & 0xf0, 0xf0);
    put(IER, 0x02);
    (void)get(IIR);
    put(DATA, 'x');
    assert_int_equal(get(IIR), 0x02);
}

/* ---- A console that takes little -------------------------------------- */

static void stuck_console_fills_the_fifo_and_is_retried(void **state)
{
    (void)state;
    put(FCR, 0x01);
    put(MCR, OPEN);
    put(IER, 0x02);
    (void)get(IIR);
    f.out_room = 3;
    for (unsigned i = 0; i < 10; i++) {
        put(DATA, (uint8_t)('0' + i));
    }
    assert_string_equal(f.out, "012");
    assert_int_equal(get(LSR) & 0x60, 0);
    assert_false(f.line[4]);
    assert_int_equal(legacy_uart_deadline(&uart), f.now + 1000000);
    f.out_room = 4;
    f.now += 999999;
    legacy_uart_run(&uart);
    assert_string_equal(f.out, "012");
    f.now += 1;
    legacy_uart_run(&uart);
    assert_string_equal(f.out, "0123456");
    f.out_room = SIZE_MAX;
    f.now += 1000000;
    legacy_uart_run(&uart);
    assert_string_equal(f.out, "0123456789");
    assert_true(f.line[4]);
    assert_int_equal(legacy_uart_deadline(&uart), LEGACY_NEVER);
}

static void overfull_transmitter_loses_bytes(void **state)
{
    (void)state;
    put(FCR, 0x01);
    f.out_room = 0;
    for (unsigned i = 0; i < 30; i++) {
        put(DATA, (uint8_t)('a' + i % 26));
    }
    f.out_room = SIZE_MAX;
    f.now += 1000000;
    legacy_uart_run(&uart);
    assert_string_equal(f.out, "abcdefghijklmnop");
}

static void clearing_the_transmitter_stops_retries(void **state)
{
    (void)state;
    put(FCR, 0x01);
    f.out_room = 0;
    put(DATA, 'x');
    put(FCR, 0x05);
    assert_int_equal(legacy_uart_deadline(&uart), LEGACY_NEVER);
    assert_int_equal(get(LSR) & 0x60, 0x60);
}

static void reset_lowers_the_line(void **state)
{
    (void)state;
    put(FCR, 0x01);
    put(LCR, 0x1b);
    put(MCR, OPEN);
    type("abc");
    put(IER, 0x02);
    assert_true(f.line[4]);
    legacy_uart_reset(&uart);
    assert_false(f.line[4]);
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(LCR), 0);
    assert_int_equal(get(IIR), 0x01);
    put(MCR, OPEN);
    type("de");
    assert_string_equal(f.in, "e"); /* no FIFOs */
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(reset_state_is_the_datasheets),
        CASE(written_bytes_reach_the_console_at_once),
        CASE(divisor_latch_hides_data_and_enables),
        CASE(scratch_and_masks_hold_their_bits),
        CASE(input_waits_until_the_port_is_open),
        CASE(without_fifo_one_byte_is_held),
        CASE(fifo_takes_sixteen_and_refills_when_empty),
        CASE(fcr_clears_what_it_names),
        CASE(received_data_interrupts_at_the_trigger),
        CASE(transmitter_empty_interrupts_when_enabled),
        CASE(causes_come_by_priority),
        CASE(interrupt_needs_out2_and_no_loop),
        CASE(loop_back_returns_bytes_and_lines),
        CASE(ring_indicator_counts_its_end_only),
        CASE(overrun_keeps_what_was_there),
        CASE(without_fifo_one_byte_is_received_data),
        CASE(each_cause_needs_its_enable),
        CASE(other_enables_do_not_repeat_transmitter_empty),
        CASE(fcr_clears_nothing_else),
        CASE(clearing_an_empty_transmitter_is_no_event),
        CASE(input_interrupts_when_it_arrives),
        CASE(loop_back_makes_the_transmitter_empty),
        CASE(stuck_console_fills_the_fifo_and_is_retried),
        CASE(overfull_transmitter_loses_bytes),
        CASE(clearing_the_transmitter_stops_retries),
        CASE(reset_lowers_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
