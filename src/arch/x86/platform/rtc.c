/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wall-clock time from the CMOS clock, taken to be UTC. It ticks in seconds; no
 * one waits for a tick, so the result is up to a second behind.
 * Ref: Motorola MC146818A data sheet, "Address Map", "Update Cycle".
 */
#include "platform/rtc.h"

#include "arch/host.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "platform/acpi.h"
#include "ravelin/log.h"
#include "ravelin/string.h"

#define CMOS_INDEX 0x70u
#define CMOS_DATA 0x71u
#define CMOS_NMI_OFF 0x80u

#define RTC_STATUS_A 0x0au
#define RTC_UPDATING 0x80u
#define RTC_STATUS_B 0x0bu
#define RTC_24_HOURS 0x02u
#define RTC_BINARY 0x04u
#define RTC_PM 0x80u

/* An update takes 2 ms at most; a read some microseconds at least. */
#define READ_TRIES 5000u

#define S_PER_DAY 86400UL
#define EPOCH_YEAR 1970u

struct rtc_time {
    uint8_t second, minute, hour, day, month, year, century;
};

static uint64_t boot_wallclock_s RV_RO_AFTER_INIT = 0;

static uint8_t cmos_read(uint8_t index)
{
    outb(CMOS_INDEX, index);
    return inb(CMOS_DATA);
}

static struct rtc_time rtc_sample(void)
{
    uint8_t century = acpi.century_register;

    return (struct rtc_time){
        .second = cmos_read(0x00),
        .minute = cmos_read(0x02),
        .hour = cmos_read(0x04),
        .day = cmos_read(0x07),
        .month = cmos_read(0x08),
        .year = cmos_read(0x09),
        .century =
            century != 0 && century < CMOS_NMI_OFF ? cmos_read(century) : 0,
    };
}

/* Two equal readings outside an update are one point in time. */
static bool rtc_read(struct rtc_time *out)
{
    for (unsigned i = 0; i < READ_TRIES; i++) {
        struct rtc_time again;

        if (cmos_read(RTC_STATUS_A) & RTC_UPDATING) {
            continue;
        }
        *out = rtc_sample();
        again = rtc_sample();
        if (memcmp(out, &again, sizeof(again)) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned decode(uint8_t raw, uint8_t status_b)
{
    return status_b & RTC_BINARY ? raw : (raw >> 4) * 10u + (raw & 0xfu);
}

static unsigned decode_hour(uint8_t raw, uint8_t status_b)
{
    unsigned hour = decode(raw & (uint8_t)~RTC_PM, status_b);

    if (status_b & RTC_24_HOURS) {
        return hour;
    }
    return hour % 12 + (raw & RTC_PM ? 12 : 0);
}

/* Days from 1970-01-01; year >= 1970, month 1..12, proleptic Gregorian. */
static uint64_t days_from_epoch(unsigned year, unsigned month, unsigned day)
{
    static const uint16_t before_month[12] = {0,   31,  59,  90,  120, 151,
                                              181, 212, 243, 273, 304, 334};
    unsigned y = year - 1;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    uint64_t leap_days = y / 4 - y / 100 + y / 400 -
                         ((EPOCH_YEAR - 1) / 4 - (EPOCH_YEAR - 1) / 100 +
                          (EPOCH_YEAR - 1) / 400);

    return (year - EPOCH_YEAR) * 365UL + leap_days + before_month[month - 1] +
           (leap && month > 2 ? 1 : 0) + day - 1;
}

static uint64_t to_seconds(const struct rtc_time *t, uint8_t status_b)
{
    unsigned century = decode(t->century, status_b);
    unsigned year = decode(t->year, status_b);
    unsigned month = decode(t->month, status_b);

    year += century >= 19 && century <= 21 ? century * 100
                                           : (year < 70 ? 2000 : 1900);
    if (year < EPOCH_YEAR || month < 1 || month > 12) {
        return 0;
    }
    return days_from_epoch(year, month, decode(t->day, status_b)) * S_PER_DAY +
           decode_hour(t->hour, status_b) * 3600UL +
           decode(t->minute, status_b) * 60UL + decode(t->second, status_b);
}

void rtc_init(void)
{
    struct rtc_time t;
    uint64_t now;

    if (!rtc_read(&t)) {
        log_warn("the real-time clock does not answer; wall clock starts at 0");
        return;
    }
    now = to_seconds(&t, cmos_read(RTC_STATUS_B));
    if (now == 0) {
        log_warn("the real-time clock is not set");
    }
    boot_wallclock_s = now - rv_min(now, arch_time_ns() / 1000000000UL);
}

uint64_t arch_boot_wallclock_s(void)
{
    return boot_wallclock_s;
}
