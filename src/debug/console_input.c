/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes from the serial line to their channel: by marker in mux mode, by focus
 * in plain mode. The sender is whoever holds the other end of the line; a
 * malformed marker is swallowed and changes nothing.
 */
#include "console_internal.h"
#include "ravelin/atomic.h"

#define MARKER_START 0x1e
#define MARKER_END 0x1f
#define MARKER_DIGITS 4u

#define CTRL_A 0x01
#define CTRL_A_SWITCH 3u /* presses in a row that move the focus */

#define BATCH_SIZE 64u
/* Batches per poll, so that a flooding sender cannot hold the caller. */
#define BATCHES_MAX 16u

/* Protected by the console lock. */
static unsigned channel;  /* mux: where bytes go now */
static int marker_digits; /* digits of a marker seen; -1: not in one */
static unsigned marker_value;
static unsigned ctrl_a_count;

static bool polling; /* atomic: one reader at a time keeps the order */

struct batch {
    unsigned channel;
    size_t length;
    char text[BATCH_SIZE];
};

void input_init(void)
{
    channel = CONSOLE_CHANNEL_LOG;
    marker_digits = -1;
    marker_value = 0;
    ctrl_a_count = 0;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/* One byte of a marker after its start. */
static void marker_take(int byte)
{
    int digit = hex_digit(byte);

    if (digit >= 0 && marker_digits < (int)MARKER_DIGITS) {
        marker_value = marker_value * 16 + (unsigned)digit;
        marker_digits++;
        return;
    }
    if (byte == MARKER_END && marker_digits == (int)MARKER_DIGITS) {
        channel = marker_value;
    }
    marker_digits = -1;
}

/* False once the batch must be delivered before reading on. */
static bool mux_take(struct batch *b, int byte)
{
    if (byte == MARKER_START) {
        marker_digits = 0;
        marker_value = 0;
        return true;
    }
    if (marker_digits >= 0) {
        marker_take(byte);
        return b->length == 0 || channel == b->channel;
    }
    b->channel = channel;
    b->text[b->length++] = (char)byte;
    return b->length < BATCH_SIZE;
}

static bool plain_take(struct batch *b, int byte)
{
    if (byte == CTRL_A && ++ctrl_a_count == CTRL_A_SWITCH) {
        struct channel *next = channel_next_input(plain_focus());

        ctrl_a_count = 0;
        if (next != NULL) {
            plain_focus_move(next);
        }
        return b->length == 0;
    }
    if (byte == CTRL_A) {
        return true;
    }
    if (plain_focus() == NULL) {
        ctrl_a_count = 0;
        return true;
    }
    b->channel = plain_focus()->number;
    /* Presses that turned out not to be a switch belong to the guest. */
    for (; ctrl_a_count > 0; ctrl_a_count--) {
        b->text[b->length++] = CTRL_A;
    }
    b->text[b->length++] = (char)byte;
    return b->length + CTRL_A_SWITCH <= BATCH_SIZE;
}

static void batch_read(struct batch *b)
{
    bool locked = console_lock();
    bool more = true;

    b->length = 0;
    while (more) {
        int byte = console_line_read();

        if (byte < 0) {
            break;
        }
        more = console_mode_get() == CONSOLE_MUX ? mux_take(b, byte)
                                                 : plain_take(b, byte);
    }
    console_unlock(locked);
}

void console_input_poll(console_input_fn input)
{
    struct batch b;

    console_output_poll();
    if (__atomic_exchange_n(&polling, true, __ATOMIC_ACQUIRE)) {
        return;
    }
    for (unsigned i = 0; i < BATCHES_MAX; i++) {
        batch_read(&b);
        if (b.length == 0) {
            break;
        }
        input(b.channel, b.text, b.length);
    }
    store_release(&polling, false);
    console_output_poll();
}
