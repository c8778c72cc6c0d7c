/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MC146818 real-time clock with 128 bytes of CMOS memory at 0x70-0x71: time,
 * alarm, periodic and update-ended interrupts on line 8, the NMI mask bit, and
 * the bytes by which firmware learns memory size and boot order. Flags are
 * computed when looked at; there is a deadline only while an interrupt is
 * enabled and none is pending, so a guest pays for each interrupt by reading
 * register C. Ref: Motorola MC146818A datasheet; Intel PIIX3 datasheet
 * (290550), "Real Time Counter Address Register".
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_RTC_PORT 0x70u /* and 0x71 */
#define LEGACY_RTC_IRQ 8u
#define LEGACY_CMOS_SIZE 128u

struct legacy_rtc {
    uint8_t cmos[LEGACY_CMOS_SIZE]; /* time registers as of `settled_ns` */
    uint8_t index;
    bool is_nmi_masked;
    uint64_t second_ns;  /* when the present second began */
    uint64_t settled_ns; /* flags and time are right up to here */
    uint64_t alarm_ns;   /* when to run; LEGACY_NEVER */
    const struct legacy_host *host;
};

/** Where SeaBIOS and others find what they need; SeaBIOS source, rtc.h. */
struct legacy_cmos_config {
    uint64_t memory_below_4g; /* bytes, from 0 up to the PCI hole */
    uint64_t memory_above_4g;
    uint8_t boot[3]; /* first to third: 1 floppy, 2 disk, 3 CD, 4 net, 0 none */
    bool is_signature_checked; /* of the floppy's boot sector */
    uint8_t vcpu_count;
};

/** UTC from `epoch_s` at host time 0, 24 hours, BCD; the rest of the memory is
 * zero. */
void legacy_rtc_init(struct legacy_rtc *rtc, const struct legacy_host *host,
                     uint64_t epoch_s);
/** As RESET# does: interrupts off; time and memory stay. */
void legacy_rtc_reset(struct legacy_rtc *rtc);
/** Writes the configuration bytes; before the domain runs. */
void legacy_rtc_config(struct legacy_rtc *rtc,
                       const struct legacy_cmos_config *config);
/** Any byte from 0x0e to 0x7f but the century, 0x32; others are ignored. */
void legacy_rtc_byte_set(struct legacy_rtc *rtc, unsigned index, uint8_t value);

/** Ports 0x70 and 0x71; one byte. */
uint8_t legacy_rtc_read(struct legacy_rtc *rtc, uint16_t port);
void legacy_rtc_write(struct legacy_rtc *rtc, uint16_t port, uint8_t value);

/** When legacy_rtc_run() is due, ns; LEGACY_NEVER. May change with every call
 * into the device. */
uint64_t legacy_rtc_deadline(const struct legacy_rtc *rtc);
/** Does what is due; harmless when nothing is. */
void legacy_rtc_run(struct legacy_rtc *rtc);
