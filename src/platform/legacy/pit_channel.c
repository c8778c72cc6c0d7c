/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A counter of the 8254. A count that is written reaches the counting element
 * one tick later; from there on element and output follow from the time that
 * has passed. In the periodic modes a new count waits for the end of the
 * period (mode 2) or half-period (mode 3), which is caught up with at the next
 * look. The count 1, illegal in both, counts as 2.
 *
 * Threat surface: any control word, count and gate at any time; no loops.
 * Ref: Intel 8254 datasheet (231164), "Mode Definitions".
 */
#include "pit_channel.h"

#define CONTROL_BCD 0x01u
#define ACCESS_BOTH 3u

static uint32_t modulus(const struct legacy_pit_channel *c)
{
    return (c->control & CONTROL_BCD) != 0 ? 10000u : 65536u;
}

static bool is_periodic(const struct legacy_pit_channel *c)
{
    return c->mode == 2 || c->mode == 3;
}

/* Modes in which a rising gate starts the count. */
static bool is_triggered_by_gate(const struct legacy_pit_channel *c)
{
    return c->mode == 1 || c->mode == 5;
}

/* Ticks that mode 3 keeps its output high. */
static uint32_t high_half(uint32_t count)
{
    return (count + 1) / 2;
}

static bool is_running(const struct legacy_pit_channel *c, uint64_t t)
{
    return c->is_counting && t >= c->start;
}

/* ---- New counts of the periodic modes --------------------------------- */

/* When `next`, written while counting, takes over. */
static uint64_t takeover(const struct legacy_pit_channel *c)
{
    uint32_t phase = (uint32_t)((c->written - c->start) % c->count);

    if (c->mode == 3 && phase < high_half(c->count)) {
        return c->written - phase + high_half(c->count);
    }
    return c->written - phase + c->count;
}

/* Start of a period of `next` that fits what follows the takeover: its whole
 * or, after a high half, its low half. */
static uint64_t takeover_start(const struct legacy_pit_channel *c)
{
    uint32_t phase = (uint32_t)((c->written - c->start) % c->count);

    if (c->mode == 3 && phase < high_half(c->count)) {
        return takeover(c) - high_half(c->next);
    }
    return takeover(c);
}

static void settle(struct legacy_pit_channel *c, uint64_t t)
{
    if (c->is_new_count && c->is_counting && is_periodic(c) &&
        t >= takeover(c)) {
        c->start = takeover_start(c);
        c->count = c->next;
        c->is_new_count = false;
    }
}

/* ---- Element and output ----------------------------------------------- */

static uint32_t square_value(uint32_t count, uint64_t elapsed)
{
    uint32_t phase = (uint32_t)(elapsed % count);
    uint32_t half = high_half(count);

    return (count & ~1u) - 2 * (phase < half ? phase : phase - half);
}

/* What is loaded for `count`: mode 3 counts in twos. */
static uint32_t initial(const struct legacy_pit_channel *c)
{
    return c->mode == 3 ? c->count & ~1u : c->count;
}

/* 0 after terminal count, 65536 (or 10000) for a full count. */
static uint32_t element(const struct legacy_pit_channel *c, uint64_t t)
{
    uint64_t elapsed = t - c->start;

    if (!is_running(c, t)) {
        return c->held;
    }
    if (c->mode == 2) {
        return c->count - (uint32_t)(elapsed % c->count);
    }
    if (c->mode == 3) {
        return square_value(c->count, elapsed);
    }
    if (elapsed < c->count) {
        return c->count - (uint32_t)elapsed;
    }
    return (modulus(c) - (uint32_t)((elapsed - c->count) % modulus(c))) %
           modulus(c);
}

static uint16_t to_bcd(uint32_t n)
{
    return (uint16_t)(n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 |
                      n / 1000 % 10 << 12);
}

static uint32_t from_bcd(uint16_t n)
{
    return (n & 15u) + (n >> 4 & 15u) * 10u + (n >> 8 & 15u) * 100u +
           (n >> 12) * 1000u;
}

/* The element as the guest reads it. */
static uint16_t shown(const struct legacy_pit_channel *c, uint64_t t)
{
    uint32_t value = element(c, t) % modulus(c);

    return (c->control & CONTROL_BCD) != 0 ? to_bcd(value) : (uint16_t)value;
}

bool pit_channel_out(struct legacy_pit_channel *c, uint64_t t)
{
    uint64_t elapsed;

    settle(c, t);
    if (!is_running(c, t)) {
        return c->mode != 0 || c->is_expired;
    }
    elapsed = t - c->start;
    switch (c->mode) {
    case 0:
        return c->is_expired || elapsed >= c->count;
    case 1:
        return elapsed >= c->count;
    case 2:
        return elapsed % c->count != c->count - 1;
    case 3:
        return elapsed % c->count < high_half(c->count);
    default:
        return c->is_expired || elapsed != c->count;
    }
}

static uint64_t next_rise_periodic(const struct legacy_pit_channel *c,
                                   uint64_t t)
{
    if (c->is_new_count) {
        uint64_t start = takeover_start(c);

        return start == takeover(c) ? start : start + c->next;
    }
    if (t < c->start) {
        return c->start + c->count;
    }
    return t - (t - c->start) % c->count + c->count;
}

uint64_t pit_channel_next_rise(struct legacy_pit_channel *c, uint64_t t)
{
    uint64_t rise = c->start + c->count + (c->mode >= 4);

    settle(c, t);
    if (!c->is_counting || c->is_expired) {
        return PIT_TICK_NEVER;
    }
    if (is_periodic(c)) {
        return next_rise_periodic(c, t);
    }
    return rise > t ? rise : PIT_TICK_NEVER;
}

uint32_t pit_channel_period(const struct legacy_pit_channel *c)
{
    return c->is_counting && is_periodic(c) ? c->count : 0;
}

/* ---- Loading ---------------------------------------------------------- */

/* `next` is in the element one tick from now. */
static void load(struct legacy_pit_channel *c, uint64_t t)
{
    c->held = element(c, t);
    c->count = c->next;
    c->start = t + 1;
    c->is_new_count = false;
    c->is_expired = false;
    c->is_counting = c->gate || is_triggered_by_gate(c);
    if (!c->is_counting) {
        c->held = initial(c);
    }
}

static uint32_t count_decode(const struct legacy_pit_channel *c, uint16_t value)
{
    uint32_t count = (c->control & CONTROL_BCD) != 0 ? from_bcd(value) : value;

    if (count == 0) {
        return modulus(c);
    }
    return count == 1 && is_periodic(c) ? 2 : count;
}

static void count_write(struct legacy_pit_channel *c, uint64_t t,
                        uint16_t value)
{
    bool first = !c->is_loaded;

    c->next = count_decode(c, value);
    c->is_loaded = true;
    if (is_triggered_by_gate(c) ||
        (is_periodic(c) && !first && (!c->gate || is_running(c, t)))) {
        c->is_new_count = true;
        c->written = t;
    } else {
        load(c, t);
    }
}

void pit_channel_write(struct legacy_pit_channel *c, uint64_t t, uint8_t value)
{
    settle(c, t);
    if (c->access != ACCESS_BOTH) {
        count_write(c, t, c->access == 1 ? value : (uint16_t)(value << 8));
        return;
    }
    c->is_write_high = !c->is_write_high;
    if (!c->is_write_high) {
        count_write(c, t, (uint16_t)(value << 8 | c->write_low));
        return;
    }
    c->write_low = value;
    if (c->mode == 0) {
        c->held = element(c, t);
        c->is_counting = false;
        c->is_expired = false;
    }
}

void pit_channel_gate_set(struct legacy_pit_channel *c, uint64_t t, bool gate)
{
    settle(c, t);
    if (gate == c->gate) {
        return;
    }
    c->gate = gate;
    if (!c->is_loaded || (gate && c->mode == 0 && c->is_write_high)) {
        return;
    }
    if (gate && (is_periodic(c) || is_triggered_by_gate(c))) {
        load(c, t);
    } else if (gate) {
        c->count = c->held;
        c->start = rv_max(c->start, t);
        c->is_counting = true;
    } else if (c->is_counting && !is_triggered_by_gate(c)) {
        c->is_expired |=
            is_running(c, t) && t - c->start >= c->count && !is_periodic(c);
        c->held = is_running(c, t) ? element(c, t) : initial(c);
        c->is_counting = false;
    }
}

/* ---- Registers -------------------------------------------------------- */

void pit_channel_reset(struct legacy_pit_channel *c, bool gate)
{
    *c = (struct legacy_pit_channel){
        .access = ACCESS_BOTH, .control = 0x30, .gate = gate, .next = 65536};
}

void pit_channel_control(struct legacy_pit_channel *c, uint64_t t,
                         uint8_t control)
{
    uint8_t mode = control >> 1 & 7u;

    settle(c, t);
    c->held = element(c, t);
    c->control = control & 0x3fu;
    c->mode = mode > 5 ? mode & 3u : mode;
    c->access = control >> 4 & 3u;
    c->is_loaded = false;
    c->is_counting = false;
    c->is_expired = false;
    c->is_new_count = false;
    c->is_write_high = false;
    c->is_read_high = false;
    c->is_status_latched = false;
    c->latched_bytes = 0;
}

void pit_channel_count_latch(struct legacy_pit_channel *c, uint64_t t)
{
    settle(c, t);
    if (c->latched_bytes == 0) {
        c->latch = shown(c, t);
        c->latched_bytes = c->access == ACCESS_BOTH ? 2 : 1;
    }
}

void pit_channel_status_latch(struct legacy_pit_channel *c, uint64_t t)
{
    bool null = !c->is_loaded || c->is_new_count || t < c->start;

    if (!c->is_status_latched) {
        c->is_status_latched = true;
        c->status_latch =
            (uint8_t)(c->control | null << 6 | pit_channel_out(c, t) << 7);
    }
}

static uint8_t half_of(uint16_t value, bool high)
{
    return (uint8_t)(high ? value >> 8 : value);
}

uint8_t pit_channel_read(struct legacy_pit_channel *c, uint64_t t)
{
    uint16_t value;

    settle(c, t);
    if (c->is_status_latched) {
        c->is_status_latched = false;
        return c->status_latch;
    }
    if (c->latched_bytes != 0) {
        c->latched_bytes--;
        value = c->latch;
        if (c->access == ACCESS_BOTH) {
            return half_of(value, c->latched_bytes == 0);
        }
    } else {
        value = shown(c, t);
        if (c->access == ACCESS_BOTH) {
            c->is_read_high = !c->is_read_high;
            return half_of(value, !c->is_read_high);
        }
    }
    return half_of(value, c->access == 2);
}
