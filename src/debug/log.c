/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log. A line is put together on the stack and written in one
 * go, so lines of different CPUs never mix. Arguments may be guest-chosen text:
 * control characters are replaced, which also keeps forged lines out.
 */
#include "ravelin/log.h"

#include "arch/host.h"
#include "arch_inline.h"
#include "ravelin/atomic.h"
#include "ravelin/console.h"
#include "ravelin/cpu.h"
#include "ravelin/fmt.h"

#include "log_ring.h"

#define NS_PER_S 1000000000UL
#define NS_PER_US 1000UL

static enum log_level level_limit = LOG_INFO;
static uint64_t drop_count_told; /* atomic; console drops already reported */

static const char *const level_name[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

struct line {
    char text[LOG_LINE_MAX];
    size_t length;
};

static void line_vprint(struct line *l, const char *fmt, va_list args)
{
    size_t room = sizeof(l->text) - l->length;
    size_t n = (size_t)fmt_vsnprintf(&l->text[l->length], room, fmt, args);

    /* The last byte stays free for the newline. */
    l->length += rv_min(n, room - 1);
}

static void rv_printf(2, 3) line_print(struct line *l, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line_vprint(l, fmt, args);
    va_end(args);
}

static void line_clean(struct line *l)
{
    for (size_t i = 0; i < l->length; i++) {
        unsigned char c = (unsigned char)l->text[i];

        if (c < 0x20 || c > 0x7e) {
            l->text[i] = '?';
        }
    }
}

static void line_start(struct line *l, enum log_level level)
{
    uint64_t now = arch_time_ns();

    l->length = 0;
    line_print(l, "(rv) [%5lu.%06lu] cpu%u %s: ", now / NS_PER_S,
               now % NS_PER_S / NS_PER_US, this_cpu()->id, level_name[level]);
}

static void line_write(struct line *l)
{
    line_clean(l);
    l->text[l->length] = '\n';
    log_ring_put(l->text, l->length + 1);
    (void)console_write(CONSOLE_CHANNEL_LOG, l->text, l->length + 1);
}

/* A line that was lost must not be lost silently. */
static void drops_report(struct line *l)
{
    uint64_t drops = console_drop_count();
    uint64_t told =
        __atomic_exchange_n(&drop_count_told, drops, __ATOMIC_RELAXED);

    if (drops > told) {
        line_start(l, LOG_WARN);
        line_print(l, "console: %lu bytes lost", drops - told);
        line_write(l);
    }
}

void log_write(enum log_level level, const char *fmt, ...)
{
    struct line l;
    va_list args;

    if (level > read_once(level_limit)) {
        return;
    }
    drops_report(&l);
    line_start(&l, level);
    va_start(args, fmt);
    line_vprint(&l, fmt, args);
    va_end(args);
    line_write(&l);
}

void log_level_set(enum log_level level)
{
    write_once(level_limit, level);
}

enum log_level log_level_get(void)
{
    return read_once(level_limit);
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ns,
                    uint32_t *held_back)
{
    *held_back = 0;
    if (now_ns - limit->window_start_ns >= LOG_LIMIT_WINDOW_NS) {
        limit->window_start_ns = now_ns;
        limit->passed = 0;
    }
    if (limit->passed >= LOG_LIMIT_BURST) {
        limit->held++;
        return false;
    }
    limit->passed++;
    *held_back = limit->held;
    limit->held = 0;
    return true;
}
