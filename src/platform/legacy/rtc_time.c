/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time registers of the MC146818: BCD or binary, 12 or 24 hours. The registers
 * are the truth; a number is made of them only to move them on.
 *
 * Threat surface: the registers hold what the guest wrote, sensible or not;
 * each is brought into its range when it is used.
 * Ref: Motorola MC146818A datasheet, "Time, Calendar, and Alarm Locations".
 */
#include "rtc_time.h"

#define HOUR_PM 0x80u
#define ALARM_ANY 0xc0u /* both bits set: every value matches */

static unsigned number_get(const uint8_t *cmos, uint8_t raw)
{
    return (cmos[RTC_B] & RTC_B_BINARY) != 0 ? raw
                                             : (raw >> 4) * 10u + (raw & 15u);
}

static uint8_t number_put(const uint8_t *cmos, unsigned n)
{
    return (uint8_t)((cmos[RTC_B] & RTC_B_BINARY) != 0 ? n
                                                       : n / 10 << 4 | n % 10);
}

/* 0..23 from either hour format. */
static unsigned hour_get(const uint8_t *cmos, uint8_t raw)
{
    unsigned hour;

    if ((cmos[RTC_B] & RTC_B_24H) != 0) {
        return number_get(cmos, raw) % 24;
    }
    hour = number_get(cmos, raw & (uint8_t)~HOUR_PM) % 12;
    return (raw & HOUR_PM) != 0 ? hour + 12 : hour;
}

static uint8_t hour_put(const uint8_t *cmos, unsigned hour)
{
    uint8_t half;

    if ((cmos[RTC_B] & RTC_B_24H) != 0) {
        return number_put(cmos, hour);
    }
    half = number_put(cmos, hour % 12 == 0 ? 12 : hour % 12);
    return hour >= 12 ? half | HOUR_PM : half;
}

/* ---- Calendar --------------------------------------------------------- */

/* Years run from March 1st, so that the leap day is the last one. Days since
 * 1 March of year 0; `month` 1..12, `day` 1..31. */
static uint32_t day_number(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t m = (month + 9) % 12;
    uint32_t y = year + 10000 - m / 10; /* never below 0 */

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1;
}

struct date {
    uint32_t year, month, day;
};

static struct date date_of(uint32_t number)
{
    uint32_t era = number / 146097; /* 400 years */
    uint32_t doe = number % 146097;
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t m = (5 * doy + 2) / 153;
    struct date date;

    date.day = doy - (153 * m + 2) / 5 + 1;
    date.month = m < 10 ? m + 3 : m - 9;
    date.year = (era * 400 + yoe + (date.month <= 2)) % 10000;
    return date;
}

static void date_advance(uint8_t *cmos, uint64_t days)
{
    uint32_t year = number_get(cmos, cmos[RTC_CENTURY]) % 100 * 100 +
                    number_get(cmos, cmos[RTC_YEAR]) % 100;
    uint32_t month = number_get(cmos, cmos[RTC_MONTH]);
    uint32_t day = number_get(cmos, cmos[RTC_DAY]);
    uint32_t weekday = number_get(cmos, cmos[RTC_WEEKDAY]);
    struct date date;

    month = (month + 11) % 12 + 1;
    day = day == 0 || day > 31 ? 1 : day;
    /* The calendar repeats after 400 years. */
    date = date_of(day_number(year, month, day) + (uint32_t)(days % 146097));
    weekday = (weekday + 6 + (uint32_t)(days % 7)) % 7 + 1;
    cmos[RTC_CENTURY] = number_put(cmos, date.year / 100);
    cmos[RTC_YEAR] = number_put(cmos, date.year % 100);
    cmos[RTC_MONTH] = number_put(cmos, date.month);
    cmos[RTC_DAY] = number_put(cmos, date.day);
    cmos[RTC_WEEKDAY] = number_put(cmos, weekday);
}

/* ---- Time of day ------------------------------------------------------ */

static uint32_t time_of_day(const uint8_t *cmos)
{
    return hour_get(cmos, cmos[RTC_HOURS]) * 3600 +
           number_get(cmos, cmos[RTC_MINUTES]) % 60 * 60 +
           number_get(cmos, cmos[RTC_SECONDS]) % 60;
}

void rtc_time_advance(uint8_t *cmos, uint64_t seconds)
{
    uint64_t total;
    uint32_t now;

    if (seconds == 0) {
        return;
    }
    total = time_of_day(cmos) + seconds;
    now = (uint32_t)(total % RTC_DAY_S);
    cmos[RTC_HOURS] = hour_put(cmos, now / 3600);
    cmos[RTC_MINUTES] = number_put(cmos, now / 60 % 60);
    cmos[RTC_SECONDS] = number_put(cmos, now % 60);
    if (total >= RTC_DAY_S) {
        date_advance(cmos, total / RTC_DAY_S);
    }
}

void rtc_time_set(uint8_t *cmos, uint64_t epoch_s)
{
    cmos[RTC_HOURS] = hour_put(cmos, 0);
    cmos[RTC_MINUTES] = 0;
    cmos[RTC_SECONDS] = 0;
    cmos[RTC_CENTURY] = number_put(cmos, 19);
    cmos[RTC_YEAR] = number_put(cmos, 70);
    cmos[RTC_MONTH] = 1;
    cmos[RTC_DAY] = 1;
    cmos[RTC_WEEKDAY] = 5; /* a Thursday; 1 is Sunday */
    rtc_time_advance(cmos, epoch_s);
}

/* ---- Alarm ------------------------------------------------------------ */

#define ANY 0xffu
#define NEVER 0xfeu

static unsigned alarm_field(const uint8_t *cmos, unsigned reg, unsigned limit)
{
    unsigned value;

    if ((cmos[reg] & ALARM_ANY) == ALARM_ANY) {
        return ANY;
    }
    if (reg == RTC_HOURS_ALARM) {
        value = hour_get(cmos, cmos[reg]);
        return hour_put(cmos, value) == cmos[reg] ? value : NEVER;
    }
    value = number_get(cmos, cmos[reg]);
    return value < limit && number_put(cmos, value) == cmos[reg] ? value
                                                                 : NEVER;
}

/* Seconds from `t` to the next moment that agrees in one more field. */
static uint32_t alarm_skip(uint32_t t, const unsigned at[3])
{
    uint32_t second = t % 60;
    uint32_t minute = t / 60 % 60;
    uint32_t hour = t / 3600;

    if (at[2] != ANY && at[2] != hour) {
        return (at[2] + 24 - hour) % 24 * 3600 - t % 3600;
    }
    if (at[1] != ANY && at[1] != minute) {
        return (at[1] + 60 - minute) % 60 * 60 - second;
    }
    return at[0] == ANY ? 0 : (at[0] + 60 - second) % 60;
}

uint32_t rtc_alarm_delta(const uint8_t *cmos)
{
    const unsigned at[3] = {
        alarm_field(cmos, RTC_SECONDS_ALARM, 60),
        alarm_field(cmos, RTC_MINUTES_ALARM, 60),
        alarm_field(cmos, RTC_HOURS_ALARM, 24),
    };
    uint32_t now = time_of_day(cmos);
    uint32_t delta = 1;

    if (at[0] == NEVER || at[1] == NEVER || at[2] == NEVER) {
        return 0;
    }
    for (;;) {
        uint32_t skip = alarm_skip((now + delta) % RTC_DAY_S, at);

        if (skip == 0) {
            return delta;
        }
        delta += skip;
    }
}
