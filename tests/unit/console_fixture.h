/* SPDX-License-Identifier: BSD-2-Clause */
/* A serial line for tests: keeps what was sent, feeds what was typed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake.h"
#include "ravelin/console.h"
#include "ravelin/cpu.h"
#include "ravelin/string.h"

#define LINE_BYTES 65536u

static struct cpu console_cpu;
static char sent[LINE_BYTES + 1]; /* terminated */
static size_t sent_length;
static size_t line_room = SIZE_MAX; /* bytes it takes before it is busy */
static const char *typed = "";
static bool line_is_ours;
static int notify_state = -1; /* last tx_notify(); -1: none */

static size_t line_tx_room(void)
{
    return line_room < 16 ? line_room : 16;
}

static void line_tx(const uint8_t *buf, size_t len)
{
    if (sent_length + len <= LINE_BYTES) {
        memcpy(&sent[sent_length], buf, len);
        sent_length += len;
        sent[sent_length] = '\0';
    }
    line_room -= line_room == SIZE_MAX ? 0 : len;
}

static bool line_tx_idle(void)
{
    return true;
}

static void line_tx_notify(bool pending)
{
    notify_state = pending;
}

static int line_rx(void)
{
    return *typed != '\0' ? (unsigned char)*typed++ : -1;
}

static void line_owner_set(bool ours)
{
    line_is_ours = ours;
}

static const struct serial_port_ops line_ops = {
    .tx_room = line_tx_room,
    .tx = line_tx,
    .tx_idle = line_tx_idle,
    .tx_notify = line_tx_notify,
    .rx = line_rx,
    .owner_set = line_owner_set,
};

/* Forgets what was sent so far. */
static inline void sent_clear(void)
{
    sent_length = 0;
    sent[0] = '\0';
}

static inline void console_start(enum console_mode mode)
{
    console_cpu = (struct cpu){.self = &console_cpu};
    fake_this_cpu = &console_cpu;
    line_room = SIZE_MAX;
    typed = "";
    notify_state = -1;
    line_is_ours = true;
    sent_clear();
    console_init(&line_ops, mode);
}

static inline size_t put(unsigned channel, const char *s)
{
    return console_write(channel, s, strlen(s));
}
