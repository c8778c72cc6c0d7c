/* SPDX-License-Identifier: MIT */
/*
 * Frames: short records of printable text that travel inside the console text
 * of a domain, so that a program in it and a program on the host can talk over
 * a line that carries everything else as well.
 *
 *   0x02  kind  payload  crc  '\n'
 *
 * `kind` is a letter a..z that names the protocol, `payload` bytes 0x20..0x7e,
 * `crc` 8 lower-case hex digits of the CRC-32 of kind and payload; a '\r'
 * before the end is accepted. What turns out not to be a frame (another
 * control character inside, too long, a wrong sum) was ordinary text.
 *
 * Both ends are untrusted; nothing is allocated. The same file is built into
 * guests and into the host tool.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_START '\x02'
#define FRAME_PAYLOAD_MAX 4096u
/* Kind, sum, start, end and an optional '\r' around the payload. */
#define FRAME_ROOM(len) ((len) + 12u)
/* What a guest's input queue takes at once, with room to spare. */
#define FRAME_REQUEST_MAX 512u

#define FRAME_V4V 'v' /* management of messages between domains */

/** CRC-32 as in zip and Ethernet; `crc` is that of the bytes before, or 0. */
uint32_t frame_crc(uint32_t crc, const char *bytes, size_t len);

/**
 * Writes a frame to `out`, which has FRAME_ROOM(len) bytes. Bytes that a
 * payload must not have become '?'.
 *
 * @return its length; 0 if `len` is above FRAME_PAYLOAD_MAX or `kind` is not a
 *         letter.
 */
size_t frame_encode(char kind, const char *payload, size_t len, char *out);

struct frame_reader {
    /* Text around frames; may be NULL. */
    void (*on_text)(void *ctx, const char *bytes, size_t len);
    /* A frame; `payload` is terminated by a NUL that `len` does not count. */
    void (*on_frame)(void *ctx, char kind, const char *payload, size_t len);
    void *ctx;
    size_t seen; /* bytes held back; 0: outside of a frame */
    char held[FRAME_ROOM(FRAME_PAYLOAD_MAX)];
};

/**
 * Takes bytes as they come, cut anywhere. Text is passed on in order; what
 * might become a frame is held back until that is decided.
 */
void frame_feed(struct frame_reader *r, const char *bytes, size_t len);

/** Passes on what is held back: no more bytes will come. */
void frame_flush(struct frame_reader *r);

#endif
