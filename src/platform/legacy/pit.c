/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254's ports and channel 0's interrupts. The line is pulsed at rising
 * edges of the output and otherwise left high, so that a processor which comes
 * late does not lose a request that the output's low time would take back;
 * mode 0 alone, where the guest itself makes it low, lowers the line.
 *
 * Lost ticks: an edge that finds the previous one not yet taken, or that falls
 * into a pause of the hypervisor, is owed and made up for at twice the rate,
 * up to LEGACY_PIT_OWED_MAX of them. So a guest that counts ticks keeps time
 * over short pauses, and long ones do not end in a storm.
 *
 * Threat surface: control words and counts. At most one interrupt per run and
 * one run per LEGACY_PIT_FLOOR_NS, whatever the count.
 * Ref: Intel 8254 datasheet (231164); Intel PIIX3 datasheet (290550), "NMISC".
 */
#include "ravelin/legacy_pit.h"
#include "ravelin/legacy_rate.h"

#include "pit_channel.h"

/* Ticks start here, so that differences with them never become negative. */
#define TICK_ORIGIN (1UL << 20)

#define CONTROL_PORT 3u
#define READ_BACK 3u
#define READ_BACK_NO_COUNT 0x20u
#define READ_BACK_NO_STATUS 0x10u

#define PORT61_GATE2 0x01u
#define PORT61_WRITABLE 0x0fu
#define PORT61_REFRESH 0x10u
#define PORT61_OUT2 0x20u
/* One refresh of memory: 18 ticks of channel 1 as a BIOS programs it. */
#define REFRESH_NS 15086u

static uint64_t pit_now(const struct legacy_pit *pit)
{
    return pit->host->now_ns(pit->host->ctx);
}

static uint64_t to_tick(uint64_t ns)
{
    return clock_ticks(ns, LEGACY_PIT_HZ) + TICK_ORIGIN;
}

static uint64_t to_ns(uint64_t tick)
{
    return clock_ns(tick - TICK_ORIGIN, LEGACY_PIT_HZ);
}

static void line_set(struct legacy_pit *pit, bool level)
{
    pit->host->irq_set(pit->host->ctx, LEGACY_PIT_IRQ, level);
}

static void line_pulse(struct legacy_pit *pit)
{
    line_set(pit, false);
    line_set(pit, true);
}

/* ---- Interrupts ------------------------------------------------------- */

static void owe(struct legacy_pit *pit, uint64_t count)
{
    uint64_t owed = pit->owed + rv_min(count, (uint64_t)LEGACY_PIT_OWED_MAX);

    pit->owed = (uint8_t)rv_min(owed, (uint64_t)LEGACY_PIT_OWED_MAX);
}

/* Looks for the next edge and decides when to run. */
static void alarm_set(struct legacy_pit *pit, uint64_t now)
{
    struct legacy_pit_channel *c = &pit->channel[0];
    uint64_t rise = pit_channel_next_rise(c, to_tick(now));
    uint64_t soonest = pit->run_ns + LEGACY_PIT_FLOOR_NS;
    uint64_t half = clock_ns(pit_channel_period(c), LEGACY_PIT_HZ) / 2;

    pit->edge_tick = rise;
    pit->alarm_ns = LEGACY_NEVER;
    if (rise != PIT_TICK_NEVER) {
        pit->alarm_ns = rv_max(to_ns(rise), soonest);
    }
    if (pit->owed != 0) {
        uint64_t again = now + rv_max(half, (uint64_t)LEGACY_PIT_FLOOR_NS);

        pit->alarm_ns = rv_min(pit->alarm_ns, again);
    }
}

/* Edges up to `t`: one interrupt, the others are owed. */
static void edges_take(struct legacy_pit *pit, uint64_t t)
{
    uint32_t period = pit_channel_period(&pit->channel[0]);
    bool waiting = pit->host->irq_is_waiting(pit->host->ctx, LEGACY_PIT_IRQ);

    if (period != 0) {
        owe(pit, (t - pit->edge_tick) / period);
    }
    if (waiting) {
        owe(pit, 1);
    } else {
        line_pulse(pit);
    }
}

static void owed_take(struct legacy_pit *pit)
{
    if (pit->owed != 0 &&
        !pit->host->irq_is_waiting(pit->host->ctx, LEGACY_PIT_IRQ)) {
        pit->owed--;
        line_pulse(pit);
    }
}

void legacy_pit_run(struct legacy_pit *pit)
{
    uint64_t now = pit_now(pit);
    uint64_t t = to_tick(now);

    if (now < pit->alarm_ns) {
        return;
    }
    pit->run_ns = now;
    if (t >= pit->edge_tick) {
        edges_take(pit, t);
    } else {
        owed_take(pit);
    }
    alarm_set(pit, now);
}

uint64_t legacy_pit_deadline(const struct legacy_pit *pit)
{
    return pit->alarm_ns;
}

/* ---- Ports ------------------------------------------------------------ */

/* Channel 0 got a control word or a count: what was owed belongs to the past.
 */
static void channel0_changed(struct legacy_pit *pit, uint64_t now, bool was_out)
{
    bool out = pit_channel_out(&pit->channel[0], to_tick(now));

    pit->owed = 0;
    if (out != was_out) {
        line_set(pit, out);
    }
    alarm_set(pit, now);
}

static void read_back(struct legacy_pit *pit, uint64_t t, uint8_t value)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pit->channel); i++) {
        if ((value >> (i + 1) & 1u) == 0) {
            continue;
        }
        if ((value & READ_BACK_NO_COUNT) == 0) {
            pit_channel_count_latch(&pit->channel[i], t);
        }
        if ((value & READ_BACK_NO_STATUS) == 0) {
            pit_channel_status_latch(&pit->channel[i], t);
        }
    }
}

static void control_write(struct legacy_pit *pit, uint64_t now, uint8_t value)
{
    unsigned which = value >> 6;
    uint64_t t = to_tick(now);
    bool out0;

    if (which == READ_BACK) {
        read_back(pit, t, value);
    } else if ((value >> 4 & 3u) == 0) {
        pit_channel_count_latch(&pit->channel[which], t);
    } else {
        out0 = pit_channel_out(&pit->channel[0], t);
        pit_channel_control(&pit->channel[which], t, value);
        if (which == 0) {
            channel0_changed(pit, now, out0);
        }
    }
}

static void count_write(struct legacy_pit *pit, uint64_t now, unsigned which,
                        uint8_t value)
{
    uint64_t t = to_tick(now);
    bool out0 = pit_channel_out(&pit->channel[0], t);

    pit_channel_write(&pit->channel[which], t, value);
    if (which == 0) {
        channel0_changed(pit, now, out0);
    }
}

static uint8_t port61_read(struct legacy_pit *pit, uint64_t now)
{
    uint8_t value = pit->port61;

    if ((now / REFRESH_NS & 1u) != 0) {
        value |= PORT61_REFRESH;
    }
    if (pit_channel_out(&pit->channel[2], to_tick(now))) {
        value |= PORT61_OUT2;
    }
    return value;
}

uint8_t legacy_pit_read(struct legacy_pit *pit, uint16_t port)
{
    uint64_t now = pit_now(pit);

    if (port == LEGACY_PIT_PORT61) {
        return port61_read(pit, now);
    }
    if ((port & 3u) == CONTROL_PORT) {
        return 0xff; /* write-only */
    }
    return pit_channel_read(&pit->channel[port & 3u], to_tick(now));
}

void legacy_pit_write(struct legacy_pit *pit, uint16_t port, uint8_t value)
{
    uint64_t now = pit_now(pit);

    if (port == LEGACY_PIT_PORT61) {
        pit->port61 = value & PORT61_WRITABLE;
        pit_channel_gate_set(&pit->channel[2], to_tick(now),
                             (value & PORT61_GATE2) != 0);
    } else if ((port & 3u) == CONTROL_PORT) {
        control_write(pit, now, value);
    } else {
        count_write(pit, now, port & 3u, value);
    }
}

void legacy_pit_reset(struct legacy_pit *pit)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pit->channel); i++) {
        pit_channel_reset(&pit->channel[i], i != 2);
    }
    pit->port61 = 0;
    pit->owed = 0;
    pit->edge_tick = PIT_TICK_NEVER;
    pit->alarm_ns = LEGACY_NEVER;
    line_set(pit, false);
}

void legacy_pit_init(struct legacy_pit *pit, const struct legacy_host *host)
{
    *pit = (struct legacy_pit){.host = host};
    legacy_pit_reset(pit);
}
