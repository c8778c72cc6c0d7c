/* SPDX-License-Identifier: BSD-2-Clause */
/* The other CPUs: memory before, start after the core is ready. */
#pragma once

#include "ravelin/boot_info.h"

/** Allocates per-CPU data and stacks for info->apic_id[1..]. */
void smp_prepare(const struct boot_info *info);
