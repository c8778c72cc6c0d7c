/* SPDX-License-Identifier: MIT */
/*
 * Verdicts. FAILURE: the hypervisor did something else than documented.
 * ERROR: the test itself could not work. SKIP: this machine or role lacks what
 * is tested. The worst outcome wins, and is the last line a guest prints.
 */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include <stdbool.h>

void report_failure(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void report_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void report_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Counts one check; prints only if it does not hold. @return `ok`. */
bool report_check(bool ok, const char *file, int line, const char *what);

/** Same for two numbers that must be equal. */
bool report_equal(long long got, long long want, const char *file, int line,
                  const char *what);

/** Prints the verdict and shuts the domain down with SHUTDOWN_poweroff. */
void report_end(void) __attribute__((noreturn));

#define CHECK(cond) report_check((cond), __FILE_NAME__, __LINE__, #cond)
#define CHECK_EQ(got, want)                                                    \
    report_equal((long long)(got), (long long)(want), __FILE_NAME__, __LINE__, \
                 #got)

#ifndef __FILE_NAME__
#define __FILE_NAME__ __FILE__
#endif

#endif
