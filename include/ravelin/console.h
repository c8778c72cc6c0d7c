/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One serial line shared by the hypervisor's log and all domains.
 *
 * mux mode:   a byte stream with channel markers, 0x1e + 4 lower-case hex
 *             digits + 0x1f, valid for all following bytes, both directions.
 * plain mode: for a bare terminal. Whole lines with a `[name] ` prefix; the
 *             channel with the input focus also shows unfinished lines. Three
 *             Ctrl-A in a row move the focus.
 *
 * Guests choose the bytes. In mux mode they cannot forge a marker, in plain
 * mode they cannot leave their line or overwrite their prefix.
 */
#pragma once

#include "ravelin/types.h"

#define CONSOLE_CHANNEL_LOG 0u  /* the hypervisor */
#define CONSOLE_CHANNEL_MAX 64u /* open at the same time */
#define CONSOLE_NAME_MAX 24u

/** Channel of a domain's console. */
static inline unsigned console_channel_of_domain(domid_t id)
{
    return (unsigned)id + 1u;
}

enum console_mode { CONSOLE_PLAIN, CONSOLE_MUX };

/** The line itself. None of these waits. */
struct serial_port_ops {
    /** Bytes that tx() takes now. */
    size_t (*tx_room)(void);
    /** Sends `len` bytes, len <= tx_room(). */
    void (*tx)(const uint8_t *buf, size_t len);
    /** Has everything sent left the line, so that power may go? */
    bool (*tx_idle)(void);
    /** Optional: output is left over (true) or gone (false); may be used to
     * have an interrupt wake somebody who polls. */
    void (*tx_notify)(bool pending);
    /** Next received byte, or -1. */
    int (*rx)(void);
    /** Optional: a domain drives the line from now on (false), or it is to be
     * set up for us again (true). */
    void (*owner_set)(bool ours);
};

typedef void (*console_input_fn)(unsigned channel, const char *buf, size_t len);

/**
 * Attaches the line and opens channel 0 (log). Output written before is lost.
 * Calling it again resets all state (tests).
 */
void console_init(const struct serial_port_ops *port, enum console_mode mode);

/**
 * Announces a channel; the first one that takes input gets the focus.
 *
 * @param name   prefix in plain mode, cut at CONSOLE_NAME_MAX - 1 characters.
 * @param input  may the focus go there?
 * @return 0; -RV_EINVAL channel above 0xffff; -RV_EEXIST open already;
 *         -RV_ENOSPC CONSOLE_CHANNEL_MAX are open.
 */
int rv_must_check console_channel_open(unsigned channel, const char *name,
                                       bool input);
/** Shows what is left of an unfinished line, gives up the focus. */
void console_channel_close(unsigned channel);

/**
 * Puts output on a channel. Never waits for the line: what does not fit the
 * transmit buffer is left to the caller. For CONSOLE_CHANNEL_LOG it waits a
 * bounded number of polls first.
 *
 * @return bytes taken, 0 .. len; 0 for a channel that is not open.
 */
size_t console_write(unsigned channel, const char *buf, size_t len);

/**
 * Moves pending output to the line and hands received bytes to `input`, which
 * runs without console locks. To be called from the timer and idle paths of
 * any CPU; concurrent callers do not disturb each other.
 */
void console_input_poll(console_input_fn input);
/** Moves pending output to the line, as much as it takes without waiting. */
void console_output_poll(void);
/** Is there output that the line has not taken yet? */
bool console_output_is_pending(void);
/** Output bytes that had to be dropped since console_init(). */
uint64_t console_drop_count(void);

/** Gives `channel` the input focus (plain mode). False if it takes none. */
bool console_focus_set(unsigned channel);

/**
 * A domain gets the line: what is pending is sent, then the line is left alone;
 * output is taken and forgotten. log_line_give() keeps the log's.
 */
void console_line_give(void);
/** The line is ours again. False if it has been all the time. */
bool console_line_take(void);

/**
 * From now on no lock is waited for and output is pushed out synchronously
 * (bounded). For panic and NMI context; there is no way back.
 */
void console_panic_enter(void);
/** Waits, bounded, until everything has been sent. */
void console_flush(void);
