/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The byte stream of a multiplexed serial line. A marker, 0x1e + 4 lower-case
 * hex digits + 0x1f, switches the channel of all bytes that follow; channel 0
 * is the hypervisor, channel N + 1 the domain with domid N. The same in both
 * directions, each with its own current channel.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MUX_HYPERVISOR 0u
#define MUX_MARKER_SIZE 6u

/** Bytes of one channel; they never contain a complete marker. */
typedef void (*mux_bytes_fn)(void *ctx, unsigned int channel, const char *bytes,
                             size_t len);

struct mux_reader {
    unsigned int channel;
    unsigned int seen; /* characters of a marker so far, 0 outside */
    char marker[MUX_MARKER_SIZE];
    mux_bytes_fn on_bytes;
    void *ctx;
};

/**
 * Feeds received bytes; calls back for each stretch of one channel. What turns
 * out not to be a marker is passed on as ordinary bytes. Before the first
 * marker everything belongs to the hypervisor.
 */
void mux_feed(struct mux_reader *m, const char *bytes, size_t len);

/**
 * Encodes input for a channel.
 *
 * @param current  channel the other side is at; -1: unknown. Updated.
 * @param out      room for MUX_MARKER_SIZE + @len bytes.
 * @return bytes written. Marker characters in the input are dropped, so that
 *         pasted text cannot reach another channel.
 */
size_t mux_encode(int *current, unsigned int channel, const char *bytes,
                  size_t len, char *out);
