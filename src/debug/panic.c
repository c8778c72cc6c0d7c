/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine when our own state is wrong. One CPU wins the right
 * to report, stops the others and prints; a second fault while it does so ends
 * the machine at once. No input but our own reaches this code.
 */
#include "ravelin/panic.h"

#include "arch/panic.h"
#include "arch_inline.h"
#include "ravelin/console.h"
#include "ravelin/cpu.h"
#include "ravelin/fmt.h"
#include "ravelin/log.h"

#define MESSAGE_MAX 200
#define OWNER_NONE UINT32_MAX

static uint32_t owner = OWNER_NONE; /* atomic; CPU that reports */

/* Returns only on the CPU that is to report. */
static void owner_claim(const char *message)
{
    uint32_t self = this_cpu()->id;
    uint32_t seen = OWNER_NONE;

    if (__atomic_compare_exchange_n(&owner, &seen, self, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        return;
    }
    if (seen == self) {
        arch_panic_end(message);
    }
    /* Another CPU reports and will stop this one by NMI. */
    for (;;) {
        cpu_relax();
    }
}

static rv_noreturn void panic_report(const struct exception_frame *frame,
                                     const char *fmt, va_list args)
{
    char message[MESSAGE_MAX];

    (void)fmt_vsnprintf(message, sizeof(message), fmt, args);
    owner_claim(message);
    arch_panic_stop_others();
    console_panic_enter();
    log_line_take();
    log_error("PANIC: %s", message);
    arch_panic_dump(frame);
    console_flush();
    arch_panic_end(message);
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    panic_report(NULL, fmt, args);
}

void panic_at(const struct exception_frame *frame, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    panic_report(frame, fmt, args);
}
