/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted text into a bounded buffer: the subset of ISO C's vsnprintf that a
 * hypervisor wants. Known: flags `-0+ #`, width, precision, `*`, lengths
 * hh h l ll z j t, conversions d i u x X o c s p %. No %n, no floating point.
 * An unknown conversion is copied to the output as it stands.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "ravelin/compiler.h"

/**
 * Formats into `buf[size]`; always terminates it if size > 0.
 *
 * @return the length the whole text would have, without terminator; the text
 *         was cut off if that is >= size.
 */
int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
    rv_printf(3, 0);
int fmt_snprintf(char *buf, size_t size, const char *fmt, ...) rv_printf(3, 4);
