/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 8042 keyboard controller at 0x60 and 0x64 with a keyboard on it, and port
 * 0x92: A20, reset, and keys made from the console's input, so that a person
 * can type where a guest knows no serial line. There is no auxiliary device;
 * its commands answer so that drivers notice at once.
 *
 * Threat surface: commands and data; queues are bounded and work per access
 * too. Keys come at most every LEGACY_KBC_KEY_NS.
 * Ref: IBM PC AT technical reference, "Keyboard Controller"; Intel PIIX3
 *      datasheet (290550), "PORT92".
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_KBC_DATA 0x60u
#define LEGACY_KBC_STATUS 0x64u
#define LEGACY_KBC_PORT92 0x92u
#define LEGACY_KBC_IRQ 1u

#define LEGACY_KBC_QUEUE 64u /* power of two */
#define LEGACY_KBC_REPLIES 4u
#define LEGACY_KBC_KEY_NS 10000000u

struct legacy_keyboard {
    uint8_t command;  /* whose parameter comes next; 0: none */
    uint8_t scan_set; /* 1 or 2 */
    uint8_t leds;
    uint8_t last; /* byte sent, for "resend" */
    bool is_scanning;
    uint8_t head; /* of the queue, free-running */
    uint8_t tail;
    uint8_t queue[LEGACY_KBC_QUEUE]; /* to the controller */
    /* Escape sequences of the console's input */
    uint8_t escape;
    uint8_t number;
};

struct legacy_kbc {
    uint8_t control; /* command byte */
    uint8_t ram[32]; /* internal memory; 0 is `control` */
    uint8_t command; /* whose data byte comes next; 0: none */
    bool is_command; /* the last write was one */
    bool is_a20_on;
    bool is_reset_low; /* port 0x92 bit 0 as written */
    bool is_break;     /* translation has seen 0xf0 */
    bool has_output;
    bool is_raised;
    uint8_t output;
    uint8_t output_flags; /* of the byte in the output buffer */
    uint8_t reply_count;
    uint16_t reply[LEGACY_KBC_REPLIES]; /* flags and byte */
    bool has_input;                     /* the console has or had more */
    bool is_last_look;                  /* for the rest of an escape sequence */
    uint64_t key_ns;                    /* when the last key came */
    uint64_t alarm_ns;                  /* next key */
    struct legacy_keyboard keyboard;
    const struct legacy_host *host;
};

/** Power-up state. */
void legacy_kbc_init(struct legacy_kbc *kbc, const struct legacy_host *host);
void legacy_kbc_reset(struct legacy_kbc *kbc);

/** Ports 0x60, 0x64 and 0x92; one byte. */
uint8_t legacy_kbc_read(struct legacy_kbc *kbc, uint16_t port);
void legacy_kbc_write(struct legacy_kbc *kbc, uint16_t port, uint8_t value);

/** Takes console input at the pace of a typist; to be called when there may be
 * some and no serial port wants it. */
void legacy_kbc_pull(struct legacy_kbc *kbc);

/** When legacy_kbc_run() is due, ns; LEGACY_NEVER. May change with every call
 * into the device. */
uint64_t legacy_kbc_deadline(const struct legacy_kbc *kbc);
/** Does what is due; harmless when nothing is. */
void legacy_kbc_run(struct legacy_kbc *kbc);
