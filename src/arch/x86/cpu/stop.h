/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping all CPUs for a panic, by NMI. */
#pragma once

struct exception_frame;

/** In the NMI handler: if CPUs are being stopped, stays here for good. */
void stop_check(const struct exception_frame *frame);
