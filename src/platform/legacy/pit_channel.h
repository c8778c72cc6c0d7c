/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One counter of the 8254, as a function of time: nothing happens between two
 * looks. All times are ticks of its clock.
 */
#pragma once

#include "ravelin/legacy_pit.h"

#define PIT_TICK_NEVER UINT64_MAX

void pit_channel_reset(struct legacy_pit_channel *c, bool gate);
/** Control word for this channel: access 1..3, mode, BCD. */
void pit_channel_control(struct legacy_pit_channel *c, uint64_t t,
                         uint8_t control);
void pit_channel_write(struct legacy_pit_channel *c, uint64_t t, uint8_t value);
uint8_t pit_channel_read(struct legacy_pit_channel *c, uint64_t t);
void pit_channel_gate_set(struct legacy_pit_channel *c, uint64_t t, bool gate);
void pit_channel_count_latch(struct legacy_pit_channel *c, uint64_t t);
void pit_channel_status_latch(struct legacy_pit_channel *c, uint64_t t);
/** Level of the output at tick `t`. */
bool pit_channel_out(struct legacy_pit_channel *c, uint64_t t);
/** First tick after `t` at which the output rises; PIT_TICK_NEVER. */
uint64_t pit_channel_next_rise(struct legacy_pit_channel *c, uint64_t t);
/** Ticks between two rises; 0: there is but one. */
uint32_t pit_channel_period(const struct legacy_pit_channel *c);
