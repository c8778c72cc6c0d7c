/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last resort: our own state is wrong and going on would be worse than
 * stopping. Guest input must never lead here; use domain_crash() for that.
 * ASSERT exists in debug builds only and is therefore never the only check.
 */
#pragma once

#include "ravelin/compiler.h"

#include "assert_build.h"

struct exception_frame;

/**
 * Stops all CPUs, prints the message, registers and a backtrace, then ends
 * the machine through the debug exit port if there is one, else halts.
 */
rv_noreturn rv_cold void panic(const char *fmt, ...) rv_printf(1, 2);

/** As panic(), with the registers of an exception. */
rv_noreturn rv_cold void panic_at(const struct exception_frame *frame,
                                  const char *fmt, ...) rv_printf(2, 3);

#define BUG() panic("bug at %s:%d", __FILE__, __LINE__)
#define BUG_ON(condition)                                              \
    do {                                                               \
        if (unlikely(condition)) {                                     \
            panic("bug at %s:%d: %s", __FILE__, __LINE__, #condition); \
        }                                                              \
    } while (0)
