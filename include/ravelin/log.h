/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log: one line per call on console channel 0,
 * `(rv) [seconds.micros] cpuN level: text`. Control characters in the text
 * (guest-chosen names, say) are replaced, so that nobody can forge a line.
 * Safe from any context that may take LOCK_RANK_CONSOLE.
 */
#pragma once

#include "ravelin/types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/** Longest line, prefix and newline included; longer text is cut. */
#define LOG_LINE_MAX 320

/** Writes one line if `level` is enabled. `fmt` without trailing newline. */
void log_write(enum log_level level, const char *fmt, ...) rv_printf(2, 3);

/** Least urgent level that is still printed; LOG_INFO at start. */
void log_level_set(enum log_level level);
enum log_level log_level_get(void);

/** Bytes of the latest log that are kept in memory, a power of two. */
#define LOG_RING_SIZE 65536u

/**
 * Copies up to `n` bytes of the kept log from position `*index` on; a position
 * that is not kept stands for the oldest one that is. Positions count all bytes
 * ever logged, modulo 2^32.
 *
 * @return bytes copied; *index is behind them.
 */
size_t log_ring_read(uint32_t *index, char *buf, size_t n);
/** Position of the oldest byte kept. */
uint32_t log_ring_start(void);
/** Forgets what is kept before position `index`. */
void log_ring_clear(uint32_t index);

/** A domain gets the serial line: the log stays in memory. */
void log_line_give(void);
/** The line is ours again, for the last words; what was logged meanwhile and is
 * kept goes out first. Nothing if it has been ours all the time. */
void log_line_take(void);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/*
 * Budget for messages that a guest can provoke. Embed one per guest (zeroed)
 * and ask before logging; what was held back is counted in the next message.
 */
struct log_limit {
    uint64_t window_start_ns;
    uint32_t passed; /* in this window */
    uint32_t held;   /* since the last message that passed */
};

#define LOG_LIMIT_BURST 20u
#define LOG_LIMIT_WINDOW_NS 1000000000u

/**
 * May one more message go out at time `now_ns`? If so and messages were held
 * back, *held_back gets their number (else 0).
 */
bool rv_must_check log_limit_pass(struct log_limit *limit, uint64_t now_ns,
                                  uint32_t *held_back);
