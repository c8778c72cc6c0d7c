/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes a byte stream from a guest apart into characters, control characters
 * and control sequences. A guest is hostile and the terminal obeys whatever it
 * is sent, so nothing reaches it without having passed here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ansi_kind {
    ANSI_NOTHING,  /* more bytes needed, or something swallowed */
    ANSI_TEXT,     /* one printable character in text[0..text_len) */
    ANSI_CONTROL,  /* control character in final */
    ANSI_SEQUENCE, /* ESC [ param final */
};

struct ansi {
    int state;
    unsigned int param; /* first parameter of a sequence, 0 if none */
    char final;         /* last character of a sequence, or the control */
    char text[4];       /* UTF-8, complete and valid */
    unsigned int text_len;
    unsigned int missing; /* continuation bytes of the character */
};

/** Feeds one byte. @return what it completed. Start from an all-zero struct. */
enum ansi_kind ansi_feed(struct ansi *a, unsigned char c);
