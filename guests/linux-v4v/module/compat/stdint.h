/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What include/public wants of <stdint.h>, inside a Linux kernel.
 */
#include <linux/types.h>
