/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug text and POST codes. The log is everybody's, so a guest gets a budget
 * of lines: what a firmware's boot needs at once, then a trickle. What was held
 * back is counted and told with the next line.
 *
 * Threat surface: bytes of the guest; the log replaces control characters.
 */
#include "ravelin/legacy_debug.h"

#include "ravelin/atomic.h"
#include "ravelin/fmt.h"
#include "ravelin/legacy_rate.h"
#include "ravelin/string.h"

/* ---- Text ------------------------------------------------------------- */

static void budget_fill(struct legacy_debug *debug)
{
    uint64_t now = debug->host->now_ns(debug->host->ctx);
    uint64_t passed = now - debug->budget_ns;
    uint64_t lines = clock_ticks(passed, LEGACY_DEBUG_PER_S);

    if (lines != 0) {
        lines += debug->budget;
        debug->budget = (uint32_t)rv_min(lines, (uint64_t)LEGACY_DEBUG_BURST);
        debug->budget_ns = now;
    }
}

static void held_report(struct legacy_debug *debug)
{
    char text[48];

    if (debug->held_count != 0) {
        (void)fmt_snprintf(text, sizeof(text), "(%u lines held back)",
                           debug->held_count);
        debug->held_count = 0;
        debug->host->log_line(debug->host->ctx, text);
    }
}

static void line_log(struct legacy_debug *debug)
{
    budget_fill(debug);
    if (debug->budget == 0) {
        debug->held_count++;
        return;
    }
    debug->budget--;
    held_report(debug);
    debug->host->log_line(debug->host->ctx, debug->line);
}

void legacy_debug_flush(struct legacy_debug *debug)
{
    size_t length = debug->line_length;

    if (length == 0) {
        return;
    }
    debug->line_length = 0;
    debug->line[length] = '\0';
    line_log(debug);
}

static void text_write(struct legacy_debug *debug, char c)
{
    if (c == '\r') {
        return;
    }
    if (c != '\n') {
        debug->line[debug->line_length++] = c;
    }
    if (c == '\n' || debug->line_length == LEGACY_DEBUG_LINE - 1) {
        legacy_debug_flush(debug);
    }
}

/* ---- POST codes ------------------------------------------------------- */

/* Only changes: the port also serves as a delay. */
static void post_write(struct legacy_debug *debug, uint8_t code)
{
    uint32_t count = debug->post_count;

    if (count != 0 && debug->post[(count - 1) % LEGACY_POST_KEPT] == code) {
        return;
    }
    write_once(debug->post[count % LEGACY_POST_KEPT], code);
    store_release(&debug->post_count, count + 1);
}

unsigned legacy_debug_post_get(const struct legacy_debug *debug,
                               uint8_t out[LEGACY_POST_KEPT])
{
    uint32_t end = load_acquire(&debug->post_count);
    unsigned count = rv_min(end, LEGACY_POST_KEPT);

    for (unsigned i = 0; i < count; i++) {
        out[i] = read_once(debug->post[(end - count + i) % LEGACY_POST_KEPT]);
    }
    return count;
}

void legacy_debug_post_text(const struct legacy_debug *debug, char *buf,
                            size_t size)
{
    uint8_t codes[LEGACY_POST_KEPT] = {0};
    unsigned count = legacy_debug_post_get(debug, codes);
    size_t at = 0;

    buf[0] = '\0';
    for (unsigned i = 0; i < count && at + 8 < size; i++) {
        at += (size_t)fmt_snprintf(buf + at, size - at, "%s %02x",
                                   i == 0 ? "POST" : "", codes[i]);
    }
}

/* ---- Ports ------------------------------------------------------------ */

uint8_t legacy_debug_read(struct legacy_debug *debug, uint16_t port)
{
    uint32_t count = debug->post_count;

    if (port == LEGACY_DEBUG_PORT) {
        return LEGACY_DEBUG_MAGIC;
    }
    if (port == LEGACY_POST_PORT && count != 0) {
        return debug->post[(count - 1) % LEGACY_POST_KEPT];
    }
    return 0xff;
}

void legacy_debug_write(struct legacy_debug *debug, uint16_t port,
                        uint8_t value)
{
    if (port == LEGACY_DEBUG_PORT) {
        text_write(debug, (char)value);
    } else if (port == LEGACY_POST_PORT) {
        post_write(debug, value);
    }
}

void legacy_debug_init(struct legacy_debug *debug,
                       const struct legacy_host *host)
{
    memset(debug, 0, sizeof(*debug));
    debug->host = host;
    debug->budget = LEGACY_DEBUG_BURST;
    debug->budget_ns = host->now_ns(host->ctx);
}
