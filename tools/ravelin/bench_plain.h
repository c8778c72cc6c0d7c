/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same guest without a hypervisor, as the peer for ratios.
 */
#pragma once

#include "bundle.h"

/**
 * Boots the kernel and ramdisk of a bundle's first domain in QEMU directly.
 *
 * @return seconds until a shell's prompt; 0 if it did not come in @timeout.
 */
double plain_prompt_seconds(const struct bundle *b, const char *qemu,
                            double timeout);
