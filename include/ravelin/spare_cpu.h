/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping guests off a boot CPU that cannot be trusted with them.
 */
#pragma once

/** Takes the boot CPU out of those that run guests if this is QEMU's TCG and
 * there are others; says so in the log. Once, with all CPUs online and no vCPU
 * made yet. */
void boot_cpu_spare(void);
