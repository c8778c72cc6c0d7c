/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254's channels: each mode against a model that is clocked tick by tick.
 * Sections named below are those of the Intel 8254 datasheet (231164).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy/pit_channel.h"
#include "ravelin/legacy_pit.h"
#include "ravelin/legacy_rate.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_agrees_with_the_clocked_model),
        cmocka_unit_test(next_rise_is_the_first_rise),
        cmocka_unit_test(mode_numbers_6_and_7_are_2_and_3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
