/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way from the reset vector to GRUB's menu, with real mode on the processor
 * and in the emulator.
 */
#pragma once

#include "bench.h"

struct bench_firmware_options {
    const char *manifest[2]; /* native, emulated; first domain: the PC */
    const char *build_dir;
    const char *image; /* NULL: the built one */
    const char *qemu;
    double timeout; /* seconds, each boot */
};

/**
 * Boots both in turn, several times, and sets grub_menu_seconds,
 * grub_menu_emulated_seconds (medians, machine start included) and
 * grub_menu_emulated_ratio.
 * @return an exit code.
 */
rv_must_check int bench_firmware_measure(const struct bench_firmware_options *o,
                                         struct figures *f);
