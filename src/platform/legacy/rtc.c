/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MC146818's registers, flags and interrupts. Each access first settles
 * what has happened since the last one: seconds move the time on and set the
 * update and perhaps the alarm flag, a pass of the divider's tap sets the
 * periodic flag. Missed interrupts are not repeated: until the guest has read
 * register C there is no other.
 *
 * Threat surface: all registers. The cost of an access does not depend on how
 * much time has passed.
 * Ref: Motorola MC146818A datasheet, "Interrupts", "Update Cycle", "Registers".
 */
#include "ravelin/legacy_rtc.h"

#include "ravelin/legacy_rate.h"

#include "rtc_time.h"

#define DIVIDER_HZ 32768u

#define A_UPDATING 0x80u
#define A_DIVIDER_RESET 0x60u
#define A_DEFAULT 0x26u /* 32768 Hz, 1024 Hz periodic */

#define B_SET 0x80u
#define B_SQUARE_WAVE 0x08u
#define ENABLES 0x70u /* in B; the flags in C are the same bits */
#define FLAG_PERIODIC 0x40u
#define FLAG_ALARM 0x20u
#define FLAG_UPDATE 0x10u
#define C_IRQ 0x80u
#define D_VALID 0x80u

/* Before the second changes: warning time and the update itself. */
#define UPDATE_NS (244000u + 1984000u)
/* From the end of a divider reset to the first update. */
#define RESTART_NS 500000000u

#define INDEX_NMI_OFF 0x80u

static uint64_t rtc_now(const struct legacy_rtc *rtc)
{
    return rtc->host->now_ns(rtc->host->ctx);
}

static bool is_divider_running(const struct legacy_rtc *rtc)
{
    return (rtc->cmos[RTC_A] & A_DIVIDER_RESET) != A_DIVIDER_RESET;
}

static bool is_updating(const struct legacy_rtc *rtc)
{
    return is_divider_running(rtc) && (rtc->cmos[RTC_B] & B_SET) == 0;
}

/* Ticks of the divider between two periodic flags; 0: none. */
static uint32_t periodic_ticks(const struct legacy_rtc *rtc)
{
    unsigned rate = rtc->cmos[RTC_A] & 15u;

    if (rate == 0 || !is_divider_running(rtc)) {
        return 0;
    }
    return 1u << (rate < 3 ? rate + 6 : rate - 1);
}

/* Periods of the tap since the second began. */
static uint64_t periods(const struct legacy_rtc *rtc, uint64_t ns)
{
    return clock_ticks(ns - rtc->second_ns, DIVIDER_HZ) / periodic_ticks(rtc);
}

/* ---- Passing time ----------------------------------------------------- */

static void seconds_pass(struct legacy_rtc *rtc, uint64_t count)
{
    uint32_t alarm;

    rtc->second_ns += count * LEGACY_NS_PER_S;
    if (periodic_ticks(rtc) != 0) {
        rtc->cmos[RTC_C] |= FLAG_PERIODIC;
    }
    if (!is_updating(rtc)) {
        return;
    }
    alarm = rtc_alarm_delta(rtc->cmos);
    rtc->cmos[RTC_C] |= FLAG_UPDATE;
    if (alarm != 0 && alarm <= count) {
        rtc->cmos[RTC_C] |= FLAG_ALARM;
    }
    rtc_time_advance(rtc->cmos, count);
}

static void settle(struct legacy_rtc *rtc, uint64_t now)
{
    uint64_t seconds = (now - rtc->second_ns) / LEGACY_NS_PER_S;

    if (now < rtc->settled_ns) {
        return;
    }
    if (seconds != 0) {
        seconds_pass(rtc, seconds);
    } else if (periodic_ticks(rtc) != 0 &&
               periods(rtc, now) != periods(rtc, rtc->settled_ns)) {
        rtc->cmos[RTC_C] |= FLAG_PERIODIC;
    }
    rtc->settled_ns = now;
}

/* When one of `flags` is next set. */
static uint64_t next_event(const struct legacy_rtc *rtc, uint8_t flags)
{
    uint64_t next = LEGACY_NEVER;
    uint32_t period = periodic_ticks(rtc);
    uint32_t seconds = 0;

    if ((flags & FLAG_PERIODIC) != 0 && period != 0) {
        uint64_t tick = (periods(rtc, rtc->settled_ns) + 1) * period;

        next = rtc->second_ns + clock_ns(tick, DIVIDER_HZ);
    }
    if (!is_updating(rtc)) {
        return next;
    }
    if ((flags & FLAG_UPDATE) != 0) {
        seconds = 1;
    } else if ((flags & FLAG_ALARM) != 0) {
        seconds = rtc_alarm_delta(rtc->cmos);
    }
    if (seconds != 0) {
        next = rv_min(next, rtc->second_ns + seconds * LEGACY_NS_PER_S);
    }
    return next;
}

/* After each change: interrupt line and next deadline. */
static void interrupt_update(struct legacy_rtc *rtc)
{
    uint8_t *c = &rtc->cmos[RTC_C];
    uint8_t enables = rtc->cmos[RTC_B] & ENABLES;
    bool was = (*c & C_IRQ) != 0;
    bool is = (*c & enables) != 0;

    *c = (uint8_t)((*c & ~C_IRQ) | (is ? C_IRQ : 0));
    if (is != was) {
        rtc->host->irq_set(rtc->host->ctx, LEGACY_RTC_IRQ, is);
    }
    rtc->alarm_ns = is ? LEGACY_NEVER : next_event(rtc, enables);
}

uint64_t legacy_rtc_deadline(const struct legacy_rtc *rtc)
{
    return rtc->alarm_ns;
}

void legacy_rtc_run(struct legacy_rtc *rtc)
{
    settle(rtc, rtc_now(rtc));
    interrupt_update(rtc);
}

/* ---- Registers -------------------------------------------------------- */

static void a_write(struct legacy_rtc *rtc, uint64_t now, uint8_t value)
{
    bool was_running = is_divider_running(rtc);

    rtc->cmos[RTC_A] = value & (uint8_t)~A_UPDATING;
    if (!was_running && is_divider_running(rtc)) {
        rtc->second_ns = now - (LEGACY_NS_PER_S - RESTART_NS);
    }
}

static void b_write(struct legacy_rtc *rtc, uint8_t value)
{
    if ((value & B_SET) != 0) {
        value &= (uint8_t)~FLAG_UPDATE;
    }
    rtc->cmos[RTC_B] = value;
}

static void register_write(struct legacy_rtc *rtc, uint64_t now, uint8_t value)
{
    switch (rtc->index) {
    case RTC_A:
        a_write(rtc, now, value);
        break;
    case RTC_B:
        b_write(rtc, value);
        break;
    case RTC_C:
    case RTC_D:
        return;
    default:
        rtc->cmos[rtc->index] = value;
        break;
    }
}

static uint8_t a_read(const struct legacy_rtc *rtc, uint64_t now)
{
    uint64_t phase = now - rtc->second_ns;
    bool updating = is_updating(rtc) && phase >= LEGACY_NS_PER_S - UPDATE_NS;

    return rtc->cmos[RTC_A] | (updating ? A_UPDATING : 0);
}

static uint8_t c_read(struct legacy_rtc *rtc)
{
    uint8_t value = rtc->cmos[RTC_C];

    if ((value & rtc->cmos[RTC_B] & ENABLES) != 0) {
        value |= C_IRQ;
    }
    rtc->cmos[RTC_C] &= C_IRQ;
    return value;
}

uint8_t legacy_rtc_read(struct legacy_rtc *rtc, uint16_t port)
{
    uint64_t now = rtc_now(rtc);
    uint8_t value = rtc->cmos[rtc->index];

    if (port == LEGACY_RTC_PORT) {
        return 0xff; /* write-only */
    }
    if (rtc->index > RTC_D && rtc->index != RTC_CENTURY) {
        return value;
    }
    settle(rtc, now);
    if (rtc->index == RTC_A) {
        value = a_read(rtc, now);
    } else if (rtc->index == RTC_C) {
        value = c_read(rtc);
    } else {
        value = rtc->cmos[rtc->index];
    }
    interrupt_update(rtc);
    return value;
}

void legacy_rtc_write(struct legacy_rtc *rtc, uint16_t port, uint8_t value)
{
    uint64_t now = rtc_now(rtc);

    if (port == LEGACY_RTC_PORT) {
        rtc->index = value & (LEGACY_CMOS_SIZE - 1);
        rtc->is_nmi_masked = (value & INDEX_NMI_OFF) != 0;
        return;
    }
    settle(rtc, now);
    register_write(rtc, now, value);
    interrupt_update(rtc);
}

/* ---- Life and configuration ------------------------------------------- */

void legacy_rtc_init(struct legacy_rtc *rtc, const struct legacy_host *host,
                     uint64_t epoch_s)
{
    *rtc = (struct legacy_rtc){.host = host, .alarm_ns = LEGACY_NEVER};
    rtc->cmos[RTC_A] = A_DEFAULT;
    rtc->cmos[RTC_B] = RTC_B_24H;
    rtc->cmos[RTC_D] = D_VALID;
    rtc_time_set(rtc->cmos, epoch_s);
    settle(rtc, rtc_now(rtc));
    rtc->cmos[RTC_C] = 0;
}

void legacy_rtc_reset(struct legacy_rtc *rtc)
{
    settle(rtc, rtc_now(rtc));
    rtc->cmos[RTC_B] &= (uint8_t) ~(ENABLES | B_SQUARE_WAVE);
    rtc->cmos[RTC_C] &= C_IRQ;
    rtc->is_nmi_masked = false;
    interrupt_update(rtc);
}

void legacy_rtc_byte_set(struct legacy_rtc *rtc, unsigned index, uint8_t value)
{
    if (index > RTC_D && index < LEGACY_CMOS_SIZE && index != RTC_CENTURY) {
        rtc->cmos[index] = value;
    }
}

static void bytes_set(struct legacy_rtc *rtc, unsigned index, uint64_t value,
                      unsigned count)
{
    uint64_t most = (1UL << (8 * count)) - 1;

    value = rv_min(value, most);
    for (unsigned i = 0; i < count; i++) {
        legacy_rtc_byte_set(rtc, index + i, (uint8_t)(value >> (8 * i)));
    }
}

/* Sum of bytes 0x10..0x2d, high byte first. */
static void checksum_set(struct legacy_rtc *rtc)
{
    unsigned sum = 0;

    for (unsigned i = 0x10; i <= 0x2d; i++) {
        sum += rtc->cmos[i];
    }
    legacy_rtc_byte_set(rtc, 0x2e, (uint8_t)(sum >> 8));
    legacy_rtc_byte_set(rtc, 0x2f, (uint8_t)sum);
}

void legacy_rtc_config(struct legacy_rtc *rtc,
                       const struct legacy_cmos_config *config)
{
    uint64_t kib = config->memory_below_4g >> 10;
    uint64_t above_1m = kib > 1024 ? kib - 1024 : 0;
    uint64_t above_16m = kib > 16384 ? kib - 16384 : 0;

    bytes_set(rtc, 0x14, 0x02, 1); /* equipment: a coprocessor */
    bytes_set(rtc, 0x15, rv_min(kib, (uint64_t)640), 2);
    bytes_set(rtc, 0x17, above_1m, 2);
    bytes_set(rtc, 0x30, above_1m, 2);
    bytes_set(rtc, 0x34, above_16m >> 6, 2);
    bytes_set(rtc, 0x5b, config->memory_above_4g >> 16, 3);
    bytes_set(rtc, 0x38,
              (config->boot[2] & 15u) << 4 | !config->is_signature_checked, 1);
    bytes_set(rtc, 0x3d, (config->boot[0] & 15u) | (config->boot[1] & 15u) << 4,
              1);
    bytes_set(rtc, 0x5f, config->vcpu_count == 0 ? 0 : config->vcpu_count - 1,
              1);
    checksum_set(rtc);
}
