/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up of timer and IPI handling; use is through arch/host.h. */
#pragma once

/** Scales and handlers, after calibration. Boot CPU, once. */
void timer_boot_init(void);
/** Sets up this CPU's timer, disarmed. */
void timer_cpu_hw_init(void);
