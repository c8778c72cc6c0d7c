/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels and the transmit buffer of the serial line. Writers put bytes into
 * the buffer and move as much of it to the line as that takes at once; the rest
 * follows from the poll calls. Guests choose contents and amount: amount is
 * bounded by the buffer, contents cannot forge a channel marker.
 */
#include "ravelin/console.h"

#include "console_internal.h"
#include "ravelin/errno.h"
#include "ravelin/fmt.h"
#include "ravelin/lock.h"
#include "ravelin/string.h"

#define MARKER_START 0x1e
#define MARKER_END 0x1f
#define MARKER_LENGTH 6u
#define CHANNEL_NUMBER_MAX 0xffffu
#define CHANNEL_NONE 0x10000u

#define OUTPUT_SIZE 16384u
/* Bytes handed to the line at a time: the usual FIFO depth. */
#define OUTPUT_BURST 16u
/*
 * Polls of a busy line before output is given up: about 0.2 s at 1 us per
 * status read, enough for 2 KiB at 115200 baud.
 */
#define OUTPUT_WAIT_POLLS 200000u

/* All static state but `panicking` is protected by `lock`. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_RANK_CONSOLE);
static bool panicking;
static bool given; /* a domain drives the line */
static const struct serial_port_ops *port;
static enum console_mode mode;
static struct channel channels[CONSOLE_CHANNEL_MAX];
static unsigned marked_channel; /* last marker sent */
static uint64_t drop_count;
static bool notified; /* last tx_notify() */

static char output[OUTPUT_SIZE];
static uint32_t output_head; /* free-running; next byte in */
static uint32_t output_tail; /* next byte out */

bool console_lock(void)
{
    if (read_once(panicking)) {
        return false;
    }
    spin_lock(&lock);
    return true;
}

void console_unlock(bool locked)
{
    if (locked) {
        spin_unlock(&lock);
    }
}

enum console_mode console_mode_get(void)
{
    return mode;
}

int console_line_read(void)
{
    return port != NULL && !given ? port->rx() : -1;
}

static size_t output_room(void)
{
    return OUTPUT_SIZE - (output_head - output_tail);
}

void output_char(char c)
{
    if (output_room() == 0) {
        drop_count++;
        return;
    }
    output[output_head % OUTPUT_SIZE] = c;
    output_head++;
}

void output_put(const char *s, size_t len)
{
    size_t n = rv_min(len, output_room());
    size_t at = output_head % OUTPUT_SIZE;
    size_t first = rv_min(n, OUTPUT_SIZE - at);

    memcpy(&output[at], s, first);
    memcpy(output, s + first, n - first);
    output_head += (uint32_t)n;
    drop_count += len - n;
}

/* One burst to the line; false if it took nothing or nothing is left. */
static bool output_drain_burst(void)
{
    uint8_t burst[OUTPUT_BURST];
    size_t room;
    size_t n = 0;

    if (port == NULL || given || output_head == output_tail) {
        return false;
    }
    room = rv_min(port->tx_room(), (size_t)OUTPUT_BURST);
    while (n < room && output_tail != output_head) {
        burst[n++] = (uint8_t)output[output_tail % OUTPUT_SIZE];
        output_tail++;
    }
    if (n > 0) {
        port->tx(burst, n);
    }
    return n > 0;
}

static void output_drain(void)
{
    bool pending;

    while (output_drain_burst()) {
    }
    pending = output_head != output_tail;
    if (pending != notified && port != NULL && !given &&
        port->tx_notify != NULL) {
        port->tx_notify(pending);
        notified = pending;
    }
}

/* Waits, bounded, until the buffer has `room`. */
static bool output_wait(size_t room)
{
    unsigned polls = 0;

    while (output_room() < room && polls < OUTPUT_WAIT_POLLS) {
        if (!output_drain_burst()) {
            polls++;
            cpu_relax();
        }
    }
    return output_room() >= room;
}

struct channel *channel_find(unsigned number)
{
    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        if (channels[i].open && channels[i].number == number) {
            return &channels[i];
        }
    }
    return NULL;
}

struct channel *channel_next_input(const struct channel *c)
{
    size_t start = c != NULL ? (size_t)(c - channels) : 0;

    for (size_t i = 1; i <= ARRAY_SIZE(channels); i++) {
        struct channel *next = &channels[(start + i) % ARRAY_SIZE(channels)];

        if (next->open && next->input) {
            return next;
        }
    }
    return NULL;
}

static int channel_add(unsigned number, const char *name, bool input)
{
    if (number > CHANNEL_NUMBER_MAX) {
        return -RV_EINVAL;
    }
    if (channel_find(number) != NULL) {
        return -RV_EEXIST;
    }
    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        struct channel *c = &channels[i];

        if (c->open) {
            continue;
        }
        memset(c, 0, sizeof(*c));
        c->open = true;
        c->input = input;
        c->number = number;
        (void)string_copy(c->name, sizeof(c->name), name);
        if (input && plain_focus() == NULL) {
            plain_focus_init(c);
        }
        return 0;
    }
    return -RV_ENOSPC;
}

void console_init(const struct serial_port_ops *ops, enum console_mode m)
{
    bool locked;

    write_once(panicking, false);
    locked = console_lock();
    port = ops;
    given = false;
    mode = m;
    memset(channels, 0, sizeof(channels));
    marked_channel = CHANNEL_NONE;
    output_head = 0;
    output_tail = 0;
    drop_count = 0;
    notified = false;
    plain_init();
    input_init();
    (void)channel_add(CONSOLE_CHANNEL_LOG, "", false);
    console_unlock(locked);
}

int console_channel_open(unsigned channel, const char *name, bool input)
{
    bool locked = console_lock();
    int rc = channel_add(channel, name, input);

    console_unlock(locked);
    return rc;
}

void console_channel_close(unsigned channel)
{
    bool locked = console_lock();
    struct channel *c = channel_find(channel);

    if (c != NULL) {
        if (mode == CONSOLE_PLAIN) {
            plain_finish(c);
        }
        c->open = false;
        if (plain_focus() == c) {
            plain_focus_init(channel_next_input(c));
        }
        output_drain();
    }
    console_unlock(locked);
}

static void marker_put(unsigned channel)
{
    char text[MARKER_LENGTH + 1];

    if (channel == marked_channel) {
        return;
    }
    (void)fmt_snprintf(text, sizeof(text), "%c%04x%c", MARKER_START, channel,
                       MARKER_END);
    output_put(text, MARKER_LENGTH);
    marked_channel = channel;
}

static size_t mux_write(unsigned channel, const char *buf, size_t len)
{
    size_t room = output_room();
    size_t n;

    if (room <= MARKER_LENGTH) {
        return 0;
    }
    n = rv_min(len, room - MARKER_LENGTH);
    if (n > 0) {
        marker_put(channel);
    }
    for (size_t i = 0; i < n; i++) {
        const char *bad = memchr(buf + i, MARKER_START, n - i);
        size_t clean = bad != NULL ? (size_t)(bad - buf) : n;

        output_put(buf + i, clean - i);
        i = clean;
        if (bad != NULL) {
            output_char('?');
        }
    }
    return n;
}

static size_t plain_write(struct channel *c, const char *buf, size_t len)
{
    size_t n = 0;

    while (n < len && output_room() >= OUTPUT_STEP_MAX) {
        n += plain_put(c, buf + n, len - n);
    }
    return n;
}

/* As much as fits, moving output to the line in between. */
static size_t channel_write(struct channel *c, const char *buf, size_t len)
{
    size_t done = 0;
    size_t n;

    do {
        n = mode == CONSOLE_MUX ? mux_write(c->number, buf + done, len - done)
                                : plain_write(c, buf + done, len - done);
        done += n;
        output_drain();
    } while (n > 0 && done < len);
    return done;
}

size_t console_write(unsigned channel, const char *buf, size_t len)
{
    bool locked = console_lock();
    struct channel *c = channel_find(channel);
    size_t n = 0;

    if (given) {
        n = len;
    } else if (c != NULL && channel == CONSOLE_CHANNEL_LOG &&
               !output_wait(len + 2UL * OUTPUT_STEP_MAX)) {
        drop_count += len;
        n = len;
    } else if (c != NULL) {
        n = channel_write(c, buf, len);
    }
    console_unlock(locked);
    if (read_once(panicking)) {
        console_flush();
    }
    return n;
}

void console_output_poll(void)
{
    if (console_output_is_pending()) {
        bool locked = console_lock();

        output_drain();
        console_unlock(locked);
    }
}

bool console_output_is_pending(void)
{
    return read_once(output_head) != read_once(output_tail);
}

uint64_t console_drop_count(void)
{
    return read_once(drop_count);
}

bool console_focus_set(unsigned channel)
{
    bool locked = console_lock();
    struct channel *c = channel_find(channel);
    bool ok = c != NULL && c->input;

    if (ok) {
        plain_focus_init(c);
    }
    console_unlock(locked);
    return ok;
}

/* What a line of our own still holds goes out first, as far as it can. */
void console_line_give(void)
{
    bool locked;

    console_flush();
    locked = console_lock();
    output_tail = output_head;
    given = true;
    if (port != NULL && port->owner_set != NULL) {
        port->owner_set(false);
    }
    console_unlock(locked);
}

bool console_line_take(void)
{
    bool locked = console_lock();
    bool was_given = given;

    given = false;
    notified = false;
    if (was_given && port != NULL && port->owner_set != NULL) {
        port->owner_set(true);
    }
    console_unlock(locked);
    return was_given;
}

void console_panic_enter(void)
{
    write_once(panicking, true);
    /* The report is not to be interleaved with anybody's unfinished line. */
    plain_focus_init(NULL);
}

void console_flush(void)
{
    bool locked = console_lock();

    if (port != NULL && !given && output_wait(OUTPUT_SIZE)) {
        for (unsigned i = 0; i < OUTPUT_WAIT_POLLS && !port->tx_idle(); i++) {
            cpu_relax();
        }
    }
    console_unlock(locked);
}
