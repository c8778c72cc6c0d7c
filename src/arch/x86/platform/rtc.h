/* SPDX-License-Identifier: BSD-2-Clause */
/* The battery-backed clock, read once at boot. */
#pragma once

/** Reads it; arch_boot_wallclock_s() is valid from now on. */
void rtc_init(void);
