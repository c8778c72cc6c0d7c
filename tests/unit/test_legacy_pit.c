/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254: each mode against a model that is clocked tick by tick, registers,
 * latches, read-back, port 0x61, and what becomes of channel 0's edges as
 * interrupts: exact times, the rate limit, ticks that are made up for.
 * Sections named below are those of the Intel 8254 datasheet (231164).
 */
#include "legacy_fixture.h"

#include "legacy/pit_channel.h"
#include "ravelin/legacy_pit.h"
#include "ravelin/legacy_rate.h"

static struct legacy_fixture f;
static struct legacy_pit pit;

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    f.now = 5000000000u;
    legacy_pit_init(&pit, &f.host);
    return 0;
}

/* ---- "Mode Definitions": a clocked model ------------------------------ */

struct model {
    unsigned mode;
    uint32_t modulus;
    uint32_t reload;  /* count register */
    uint32_t count;   /* counting element */
    uint32_t present; /* mode 3: count of this half */
    bool gate;
    bool out;
    bool is_loaded;
    bool is_stopped; /* between the two bytes, mode 0 */
    bool load;       /* at the next clock */
    bool is_started; /* modes 1, 5: has been triggered */
    bool is_armed;   /* modes 4, 5: strobe to come */
};

static bool periodic(const struct model *m)
{
    return m->mode == 2 || m->mode == 3;
}

static bool triggered(const struct model *m)
{
    return m->mode == 1 || m->mode == 5;
}

static void model_control(struct model *m, unsigned mode, bool bcd)
{
    bool gate = m->gate;
    uint32_t count = m->count;

    *m = (struct model){.mode = mode,
                        .modulus = bcd ? 10000 : 65536,
                        .gate = gate,
                        .count = count,
                        .out = mode != 0};
}

static void model_write(struct model *m, uint32_t count)
{
    bool first = !m->is_loaded;

    m->reload = count == 1 && periodic(m) ? 2 : count;
    m->is_loaded = true;
    m->is_stopped = false;
    if (m->mode == 0) {
        m->out = false;
    }
    if (m->mode == 0 || m->mode == 4 || (periodic(m) && first)) {
        m->load = true;
    }
}

static void model_gate(struct model *m, bool gate)
{
    bool rise = gate && !m->gate;

    m->gate = gate;
    if (!m->is_loaded) {
        return;
    }
    if (rise && (periodic(m) || triggered(m))) {
        m->load = true;
    }
    if (!gate && (periodic(m) || m->mode == 4)) {
        m->out = true;
    }
}

static void model_load(struct model *m)
{
    m->load = false;
    m->present = m->reload;
    m->count = m->mode == 3 ? m->reload & ~1u : m->reload;
    m->is_started = true;
    m->is_armed = true;
    m->out = m->mode != 0 && m->mode != 1;
}

static void model_square(struct model *m)
{
    bool long_half = (m->present & 1u) != 0 && m->out;
    bool toggle = long_half ? m->count == 0 : m->count == 2;

    m->count -= toggle ? 0 : 2;
    if (toggle) {
        m->out = !m->out;
        m->present = m->reload;
        m->count = m->reload & ~1u;
    }
}

static void model_clock(struct model *m)
{
    if (m->load) {
        model_load(m);
        return;
    }
    if (!m->is_loaded || m->is_stopped || !m->is_started ||
        (!m->gate && !triggered(m))) {
        return;
    }
    if (m->mode == 3) {
        model_square(m);
        return;
    }
    m->count = (m->count == 0 ? m->modulus : m->count) - 1;
    if (m->mode == 2) {
        m->out = m->count != 1;
        if (m->count == 0) {
            m->count = m->reload;
        }
    } else if (m->mode < 2) {
        m->out |= m->count == 0;
    } else {
        m->out = !(m->count == 0 && m->is_armed);
        m->is_armed &= m->count != 0;
    }
}

static uint16_t model_shown(const struct model *m)
{
    uint32_t n = m->count % m->modulus;

    if (m->modulus == 65536) {
        return (uint16_t)n;
    }
    return (uint16_t)(n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 |
                      n / 1000 << 12);
}

static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static uint16_t channel_shown(struct legacy_pit_channel *c, uint64_t t)
{
    struct legacy_pit_channel copy = *c;

    copy.latched_bytes = 0;
    copy.is_status_latched = false;
    copy.access = 3;
    copy.is_read_high = false;
    uint8_t low = pit_channel_read(&copy, t);

    return (uint16_t)(pit_channel_read(&copy, t) << 8 | low);
}

static uint16_t bcd_digits(uint32_t n)
{
    return (uint16_t)(n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 |
                      n / 1000 % 10 << 12);
}

struct run {
    struct legacy_pit_channel c;
    struct model m;
    uint64_t t;
};

static void run_op(struct run *r, unsigned mode, bool bcd)
{
    static const uint32_t counts[] = {1, 2, 3, 4, 5, 6, 7, 9, 16, 33, 100};
    uint32_t n;
    uint16_t raw;

    switch (rnd(8)) {
    case 0:
    case 1:
        n = counts[rnd(ARRAY_SIZE(counts))];
        raw = bcd ? bcd_digits(n) : (uint16_t)n;
        if (rnd(20) == 0) {
            n = r->m.modulus;
            raw = 0;
        }
        pit_channel_write(&r->c, r->t, (uint8_t)raw);
        pit_channel_write(&r->c, r->t, (uint8_t)(raw >> 8));
        model_write(&r->m, n);
        break;
    case 2:
    case 3:
    case 4:
        pit_channel_gate_set(&r->c, r->t, !r->m.gate);
        model_gate(&r->m, !r->m.gate);
        break;
    case 5:
        if (rnd(8) == 0) {
            pit_channel_control(&r->c, r->t, (uint8_t)(0x30 | mode << 1 | bcd));
            model_control(&r->m, mode, bcd);
        }
        break;
    default:
        break;
    }
}

static void mode_against_model(unsigned mode, bool bcd)
{
    struct run r = {.t = 1u << 20}; /* as the device does */

    pit_channel_reset(&r.c, true);
    r.m = (struct model){.gate = true};
    pit_channel_control(&r.c, r.t, (uint8_t)(0x30 | mode << 1 | bcd));
    model_control(&r.m, mode, bcd);
    for (unsigned step = 0; step < 20000; step++) {
        if (rnd(12) == 0) {
            run_op(&r, mode, bcd);
        }
        model_clock(&r.m);
        r.t++;
        if (rnd(3) == 0) {
            continue; /* the channel is not always looked at */
        }
        assert_int_equal(pit_channel_out(&r.c, r.t), r.m.out);
        assert_int_equal(channel_shown(&r.c, r.t), model_shown(&r.m));
    }
}

static void each_mode_agrees_with_the_clocked_model(void **state)
{
    (void)state;
    for (seed = 1; seed < 40; seed += 13) {
        for (unsigned mode = 0; mode <= 5; mode++) {
            mode_against_model(mode, false);
            mode_against_model(mode, true);
        }
    }
}

/* The announced rise is the first one that the output shows. */
static void next_rise_is_the_first_rise(void **state)
{
    (void)state;
    seed = 77;
    for (unsigned i = 0; i < 600; i++) {
        struct legacy_pit_channel c;
        uint64_t t = 5000 + rnd(50);
        uint64_t rise;

        pit_channel_reset(&c, true);
        pit_channel_control(&c, 5000, (uint8_t)(0x10 | (i % 6) << 1));
        pit_channel_write(&c, 5000, (uint8_t)(2 + rnd(20)));
        if (rnd(2) != 0) {
            pit_channel_gate_set(&c, 5000, false);
            pit_channel_gate_set(&c, 5000, true);
        }
        if (rnd(2) != 0) {
            pit_channel_write(&c, t, (uint8_t)(2 + rnd(20)));
        }
        rise = pit_channel_next_rise(&c, t);
        for (uint64_t at = t; at < t + 60; at++) {
            struct legacy_pit_channel copy = c;
            bool before = pit_channel_out(&copy, at);
            bool rises = pit_channel_out(&copy, at + 1) && !before;

            if (at + 1 == rise) {
                assert_true(rises);
                break;
            }
            assert_false(rises);
        }
    }
}

static void mode_numbers_6_and_7_are_2_and_3(void **state)
{
    struct legacy_pit_channel c;

    (void)state;
    pit_channel_reset(&c, true);
    pit_channel_control(&c, 0, 0x3c);
    assert_int_equal(c.mode, 2);
    pit_channel_control(&c, 0, 0x3e);
    assert_int_equal(c.mode, 3);
}

/* ---- Registers -------------------------------------------------------- */

static void out(uint16_t port, uint8_t value)
{
    legacy_pit_write(&pit, port, value);
}

static uint8_t in(uint16_t port)
{
    return legacy_pit_read(&pit, port);
}

/* Time goes on to the first nanosecond of the tick `n` from the present one. */
static void ticks_pass(uint64_t n)
{
    f.now = clock_ns(clock_ticks(f.now, LEGACY_PIT_HZ) + n, LEGACY_PIT_HZ);
}

static void program(unsigned channel, unsigned mode, uint16_t count)
{
    out(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    out((uint16_t)(0x40 + channel), (uint8_t)count);
    out((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

static uint16_t count_read(unsigned channel)
{
    uint8_t low;

    out(0x43, (uint8_t)(channel << 6));
    low = in((uint16_t)(0x40 + channel));
    return (uint16_t)(in((uint16_t)(0x40 + channel)) << 8 | low);
}

/* "Counter Latch Command" */
static void latch_holds_the_count_until_read(void **state)
{
    (void)state;
    program(0, 2, 1000);
    ticks_pass(1);
    assert_int_equal(count_read(0), 1000);
    out(0x43, 0x00);
    ticks_pass(100);
    out(0x43, 0x00); /* ignored: one is latched */
    assert_int_equal(in(0x40), 1000 & 0xff);
    assert_int_equal(in(0x40), 1000 >> 8);
    assert_int_equal(count_read(0), 900);
}

static void access_modes_read_their_bytes(void **state)
{
    (void)state;
    out(0x43, 0x54); /* channel 1, low byte, mode 2 */
    out(0x41, 0x80);
    ticks_pass(2);
    assert_int_equal(in(0x41), 0x7f);
    assert_int_equal(in(0x41), 0x7f);
    out(0x43, 0x64); /* high byte: the count is 0x8000 */
    out(0x41, 0x80);
    ticks_pass(2);
    assert_int_equal(in(0x41), 0x7f);
    out(0x43, 0x40);
    assert_int_equal(in(0x41), 0x7f);
    program(1, 2, 0x1234);
    ticks_pass(1);
    assert_int_equal(in(0x41), 0x34);
    assert_int_equal(in(0x41), 0x12);
    assert_int_equal(in(0x41), 0x34);
}

static void count_zero_is_the_largest(void **state)
{
    (void)state;
    program(0, 2, 0);
    ticks_pass(1);
    assert_int_equal(count_read(0), 0);
    ticks_pass(1);
    assert_int_equal(count_read(0), 0xffff);
    ticks_pass(65534);
    assert_int_equal(count_read(0), 1);
    ticks_pass(1);
    assert_int_equal(count_read(0), 0);
}

static void bcd_counts_in_decimal(void **state)
{
    (void)state;
    out(0x43, 0x31);
    out(0x40, 0x00);
    out(0x40, 0x10);
    ticks_pass(2);
    assert_int_equal(count_read(0), 0x0999);
    ticks_pass(1000);
    assert_int_equal(count_read(0), 0x9999);
}

/* "Read-Back Command" */
static void read_back_latches_status_then_count(void **state)
{
    (void)state;
    program(0, 3, 500);
    program(2, 4, 77);
    out(0x43, 0xc2); /* count and status of channel 0 */
    assert_int_equal(in(0x40), 0x80 | 0x40 | 0x36);
    (void)in(0x40);
    (void)in(0x40);
    ticks_pass(1);
    out(0x43, 0xc2);
    ticks_pass(77);
    assert_int_equal(in(0x40), 0x80 | 0x36);
    assert_int_equal(in(0x40), 500 & 0xff);
    assert_int_equal(in(0x40), 500 >> 8);
    ticks_pass(200);
    out(0x43, 0xe2 | 0x08); /* status of 0 and 2 */
    assert_int_equal(in(0x40), 0x36);
    assert_int_equal(in(0x42), 0x80 | 0x38); /* gate low, loaded */
    out(0x43, 0xd8);                         /* count of 2 */
    assert_int_equal(in(0x42), 77);
    assert_int_equal(in(0x42), 0);
}

static void null_count_stays_until_mode_2_reloads(void **state)
{
    (void)state;
    program(0, 2, 100);
    ticks_pass(10);
    out(0x40, 50);
    out(0x40, 0);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40) & 0x40, 0x40);
    ticks_pass(91);
    assert_int_equal(count_read(0), 50);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40) & 0x40, 0);
}

static void control_port_reads_ones(void **state)
{
    (void)state;
    assert_int_equal(in(0x43), 0xff);
}

/* Reads follow the time without an error that grows. */
static void counts_are_exact_after_a_day(void **state)
{
    (void)state;
    uint64_t begin;

    ticks_pass(1);
    program(0, 2, 10007);
    begin = clock_ticks(f.now, LEGACY_PIT_HZ) + 1;
    f.now += 86400u * 1000000000ull + 12345;
    uint64_t passed = clock_ticks(f.now, LEGACY_PIT_HZ) - begin;

    assert_int_equal(count_read(0), 10007 - passed % 10007);
}

/* ---- Port 0x61 -------------------------------------------------------- */

static void port61_gates_channel_2_and_shows_its_output(void **state)
{
    (void)state;
    out(0x61, 0x00);
    program(2, 0, 1000);
    assert_int_equal(in(0x61) & 0x20, 0);
    ticks_pass(5000);
    assert_int_equal(in(0x61) & 0x20, 0); /* gate is low */
    assert_int_equal(count_read(2), 1000);
    out(0x61, 0x01);
    ticks_pass(999);
    assert_int_equal(in(0x61) & 0x21, 0x01);
    ticks_pass(1);
    assert_int_equal(in(0x61) & 0x21, 0x21);
}

static void port61_keeps_four_bits_and_toggles_refresh(void **state)
{
    unsigned toggles = 0;
    uint8_t last;

    (void)state;
    out(0x61, 0xff);
    assert_int_equal(in(0x61) & 0xcf, 0x0f);
    last = in(0x61) & 0x10;
    for (unsigned i = 0; i < 1000; i++) {
        f.now += 1000;
        toggles += (in(0x61) & 0x10) != last;
        last = in(0x61) & 0x10;
    }
    assert_in_range(toggles, 65, 67); /* 1 ms / 15.09 us */
}

/* ---- Interrupts ------------------------------------------------------- */

/* Runs at each deadline up to `until`; returns interrupts. */
static unsigned run_until(uint64_t until)
{
    unsigned before = f.rise_count[0];

    while (legacy_pit_deadline(&pit) <= until) {
        f.now = rv_max(f.now, legacy_pit_deadline(&pit));
        legacy_pit_run(&pit);
        assert_true(legacy_pit_deadline(&pit) > f.now);
    }
    f.now = until;
    return f.rise_count[0] - before;
}

static void reset_state_has_no_deadline(void **state)
{
    (void)state;
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
    assert_int_equal(in(0x40), 0);
    f.now += 1000000;
    legacy_pit_run(&pit);
    assert_false(f.line[0]);
}

static void mode_2_interrupts_at_exact_times(void **state)
{
    uint64_t begin;

    (void)state;
    ticks_pass(1);
    program(0, 2, 1193);
    begin = clock_ticks(f.now, LEGACY_PIT_HZ) + 1;
    for (unsigned i = 1; i <= 5000; i++) {
        uint64_t due = clock_ns(begin + 1193ull * i, LEGACY_PIT_HZ);
        unsigned before = f.rise_count[0];

        assert_int_equal(legacy_pit_deadline(&pit), due);
        f.now = due;
        legacy_pit_run(&pit);
        assert_int_equal(f.rise_count[0], before + 1);
    }
}

static void bios_default_ticks_18_times_a_second(void **state)
{
    (void)state;
    program(0, 3, 0);
    assert_int_equal(run_until(f.now + 60000000000u), 1092);
}

static void mode_0_raises_once_and_lowers_when_rewritten(void **state)
{
    (void)state;
    program(0, 0, 5000);
    assert_false(f.line[0]);
    assert_int_equal(run_until(f.now + 1000000000u), 1);
    assert_true(f.line[0]);
    out(0x40, 100); /* first byte: output low */
    assert_false(f.line[0]);
    out(0x40, 0);
    assert_int_equal(run_until(f.now + 1000000000u), 1);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
}

static void mode_4_interrupts_once_after_the_strobe(void **state)
{
    uint64_t written;

    (void)state;
    ticks_pass(1);
    program(0, 4, 3000);
    written = clock_ticks(f.now, LEGACY_PIT_HZ);
    f.rise_count[0] = 0;
    assert_int_equal(legacy_pit_deadline(&pit),
                     clock_ns(written + 1 + 3000 + 1, LEGACY_PIT_HZ));
    assert_int_equal(run_until(f.now + 1000000000u), 1);
}

static void gate_triggered_modes_never_interrupt_on_channel_0(void **state)
{
    (void)state;
    program(0, 1, 100);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
    program(0, 5, 100);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
}

static void rate_is_limited_whatever_the_count(void **state)
{
    (void)state;
    for (uint16_t count = 1; count < 100; count += 7) {
        program(0, 2, count);
        assert_in_range(run_until(f.now + 1000000000u), 9900, 10000);
    }
}

/* One interrupt per run, whatever was missed. */
static void late_run_makes_up_for_missed_ticks(void **state)
{
    unsigned before;

    (void)state;
    program(0, 2, 11932); /* 100 Hz */
    (void)run_until(f.now + 20000000u);
    before = f.rise_count[0];
    f.now += 100000000u; /* the machine was busy for ten ticks */
    legacy_pit_run(&pit);
    assert_int_equal(f.rise_count[0], before + 1);
    (void)run_until(f.now + 200000000u);
    assert_in_range(f.rise_count[0] - before, 30, 31);
}

static void owed_ticks_are_bounded(void **state)
{
    (void)state;
    program(0, 2, 11932);
    f.now += 3600000000000u;
    unsigned got = run_until(f.now + 1000000000u);

    assert_in_range(got, 100 + LEGACY_PIT_OWED_MAX, 102 + LEGACY_PIT_OWED_MAX);
}

static void untaken_tick_is_owed_and_repeated(void **state)
{
    unsigned before;

    (void)state;
    program(0, 2, 11932);
    (void)run_until(f.now + 15000000u);
    f.is_waiting = true; /* interrupts are off in the guest */
    before = f.rise_count[0];
    (void)run_until(f.now + 50000000u);
    assert_int_equal(f.rise_count[0], before);
    assert_int_equal(pit.owed, 5);
    f.is_waiting = false;
    (void)run_until(f.now + 50000000u);
    assert_int_equal(f.rise_count[0] - before, 10);
    assert_int_equal(pit.owed, 0);
}

static void new_program_forgets_what_was_owed(void **state)
{
    (void)state;
    program(0, 2, 11932);
    f.is_waiting = true;
    (void)run_until(f.now + 500000000u);
    assert_int_equal(pit.owed, LEGACY_PIT_OWED_MAX);
    program(0, 2, 11932);
    assert_int_equal(pit.owed, 0);
}

static void other_channels_do_not_disturb_channel_0(void **state)
{
    uint64_t due;

    (void)state;
    program(0, 2, 11932);
    due = legacy_pit_deadline(&pit);
    program(1, 2, 18);
    program(2, 3, 1193);
    out(0x61, 3);
    assert_int_equal(legacy_pit_deadline(&pit), due);
}

static void early_run_does_nothing(void **state)
{
    uint64_t due;
    unsigned before;

    (void)state;
    program(0, 2, 11932);
    due = legacy_pit_deadline(&pit);
    before = f.rise_count[0];
    f.now = due - 1;
    legacy_pit_run(&pit);
    assert_int_equal(f.rise_count[0], before);
    assert_int_equal(legacy_pit_deadline(&pit), due);
}

static void reset_stops_everything(void **state)
{
    (void)state;
    program(0, 2, 11932);
    f.is_waiting = true;
    (void)run_until(f.now + 50000000u);
    assert_true(f.line[0]);
    out(0x61, 3);
    legacy_pit_reset(&pit);
    assert_false(f.line[0]);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
    assert_int_equal(pit.owed, 0);
    assert_int_equal(in(0x61) & 0x0f, 0);
}

static void control_word_forgets_latches_and_new_counts(void **state)
{
    (void)state;
    program(0, 2, 1000);
    ticks_pass(5);
    out(0x40, 0xf4); /* 500, for the next period */
    out(0x40, 0x01);
    out(0x43, 0xc2);
    out(0x43, 0x34);
    out(0x40, 0x58); /* 600 */
    out(0x40, 0x02);
    ticks_pass(1);
    assert_int_equal(in(0x40), 0x58);
    assert_int_equal(in(0x40), 0x02);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40), 0xb4); /* loaded: no null count */
    ticks_pass(600);
    assert_int_equal(count_read(0), 600);
}

/* ---- Clock arithmetic ------------------------------------------------- */

static void clock_conversions_are_exact_inverses(void **state)
{
    static const uint64_t rates[] = {1, 32768, 1193182, 3579545, 4000000000u};

    (void)state;
    seed = 5;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t hz = rates[i % ARRAY_SIZE(rates)];
        uint64_t n = (uint64_t)rnd(1u << 24) << (i % 12);
        uint64_t ns;

        if (n / hz > 15000000000ull) {
            continue;
        }
        ns = clock_ns(n, hz);
        assert_true(clock_ticks(ns, hz) >= n);
        assert_true(n == 0 || clock_ticks(ns - 1, hz) < n);
    }
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_mode_agrees_with_the_clocked_model),
        CASE(next_rise_is_the_first_rise),
        CASE(mode_numbers_6_and_7_are_2_and_3),
        CASE(latch_holds_the_count_until_read),
        CASE(access_modes_read_their_bytes),
        CASE(count_zero_is_the_largest),
        CASE(bcd_counts_in_decimal),
        CASE(read_back_latches_status_then_count),
        CASE(null_count_stays_until_mode_2_reloads),
        CASE(control_port_reads_ones),
        CASE(counts_are_exact_after_a_day),
        CASE(port61_gates_channel_2_and_shows_its_output),
        CASE(port61_keeps_four_bits_and_toggles_refresh),
        CASE(reset_state_has_no_deadline),
        CASE(mode_2_interrupts_at_exact_times),
        CASE(bios_default_ticks_18_times_a_second),
        CASE(mode_0_raises_once_and_lowers_when_rewritten),
        CASE(mode_4_interrupts_once_after_the_strobe),
        CASE(gate_triggered_modes_never_interrupt_on_channel_0),
        CASE(rate_is_limited_whatever_the_count),
        CASE(late_run_makes_up_for_missed_ticks),
        CASE(owed_ticks_are_bounded),
        CASE(untaken_tick_is_owed_and_repeated),
        CASE(new_program_forgets_what_was_owed),
        CASE(other_channels_do_not_disturb_channel_0),
        CASE(early_run_does_nothing),
        CASE(reset_stops_everything),
        CASE(control_word_forgets_latches_and_new_counts),
        CASE(clock_conversions_are_exact_inverses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
