/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ten time registers of the MC146818 as a clock: reading and writing them
 * in each of their formats, moving them on, finding the next alarm.
 */
#pragma once

#include "ravelin/legacy_rtc.h"

#define RTC_SECONDS 0x00u
#define RTC_SECONDS_ALARM 0x01u
#define RTC_MINUTES 0x02u
#define RTC_MINUTES_ALARM 0x03u
#define RTC_HOURS 0x04u
#define RTC_HOURS_ALARM 0x05u
#define RTC_WEEKDAY 0x06u
#define RTC_DAY 0x07u
#define RTC_MONTH 0x08u
#define RTC_YEAR 0x09u
#define RTC_A 0x0au
#define RTC_B 0x0bu
#define RTC_C 0x0cu
#define RTC_D 0x0du
#define RTC_CENTURY 0x32u

#define RTC_B_24H 0x02u
#define RTC_B_BINARY 0x04u

#define RTC_DAY_S 86400u

/** Sets all of them, in the format of register B. */
void rtc_time_set(uint8_t *cmos, uint64_t epoch_s);
/** Moves the time on. Registers out of range count as something in range. */
void rtc_time_advance(uint8_t *cmos, uint64_t seconds);
/** Seconds, at least 1, until the time next equals the alarm; 0: never. */
uint32_t rtc_alarm_delta(const uint8_t *cmos);
