/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What include/public wants of <stddef.h>, inside a Linux kernel.
 */
#include <linux/stddef.h>
#include <linux/types.h>
