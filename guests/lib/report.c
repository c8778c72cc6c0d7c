/* SPDX-License-Identifier: MIT */
/*
 * Verdict bookkeeping and the last line of each guest. Counters are shared by
 * all CPUs of the guest.
 */

#include "guest.h"

enum verdict { SUCCESS, SKIP, ERROR, FAILURE };

static const char *const verdict_name[] = {"SUCCESS", "SKIP", "ERROR",
                                           "FAILURE"};
static enum verdict verdict;
static uint32_t check_count, failure_count;

/* A broken loop must not bury what was printed before it. */
#define FAILURES_SHOWN 12

static void report(enum verdict v, const char *fmt, va_list args)
{
    char text[200];

    if (v == FAILURE) {
        verdict = FAILURE;
        atomic_inc(&failure_count);
        if (failure_count > FAILURES_SHOWN) {
            return;
        }
    }
    format_va(text, sizeof(text), fmt, args);
    printf("%s: %s\n", verdict_name[v], text);
    if (v > verdict) {
        verdict = v;
    }
}

void report_failure(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(FAILURE, fmt, args);
    va_end(args);
}

void report_error(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(ERROR, fmt, args);
    va_end(args);
}

void report_skip(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report(SKIP, fmt, args);
    va_end(args);
}

bool report_check(bool ok, const char *file, int line, const char *what)
{
    atomic_inc(&check_count);
    if (!ok) {
        report_failure("%s:%d: %s", file, line, what);
    }
    return ok;
}

bool report_equal(long long got, long long want, const char *file, int line,
                  const char *what)
{
    atomic_inc(&check_count);
    if (got != want) {
        report_failure("%s:%d: %s is %lld (%llx), expected %lld (%llx)", file,
                       line, what, got, (unsigned long long)got, want,
                       (unsigned long long)want);
    }
    return got == want;
}

void report_end(void)
{
    struct sched_shutdown bye = {.reason = SHUTDOWN_poweroff};

    printf("%u checks, %u failures\n", check_count, failure_count);
    printf("Test result: %s\n", verdict_name[verdict]);
    console_drain();
    for (;;) {
        sched_op(SCHEDOP_shutdown, &bye);
    }
}
