/* SPDX-License-Identifier: MIT */
/*
 * /dev/v4v for the tools. Functions that return int give -1 with errno set, as
 * system calls do; those whose name ends in _or_die print why and end the
 * program with status 1.
 */
#ifndef V4V_IO_H
#define V4V_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "v4v_dev.h"

#define V4V_RETRY_MS 20

/** A new endpoint. `flags` as for open(2). */
int v4v_io_open(int flags);
/** A datagram endpoint at *port (0: one is chosen and stored). */
int v4v_io_bind(int flags, uint32_t *port, unsigned int partner);
int v4v_io_listen(int flags, uint32_t *port, unsigned int partner,
                  uint32_t ring_size);
int v4v_io_accept(int listener, uint32_t flags, struct v4v_addr *peer);
/** Connects. As long as it is refused, and for `patience_ms`, it is tried
 * again. */
int v4v_io_connect(const struct v4v_addr *to, uint32_t ring_size,
                   unsigned int patience_ms);
long v4v_io_send(int fd, const struct v4v_addr *to, const void *data,
                 size_t size);
long v4v_io_receive(int fd, struct v4v_addr *from, void *data, size_t size);
/** Ends the stream in our direction. */
int v4v_io_shutdown(int fd);
int v4v_io_status(int fd, struct v4v_dev_status *status);

/** All of it, with several calls if need be. False: errno, or 0 if the other
 * side has closed. */
bool v4v_io_read_all(int fd, void *data, size_t size);
bool v4v_io_write_all(int fd, const void *data, size_t size);

/** Seconds since some moment. */
double v4v_io_now(void);
/** A whole number from `min` to `max`; anything else ends the program. */
unsigned long v4v_io_number_or_die(const char *what, const char *text,
                                   unsigned long min, unsigned long max);
/** Why a call to the device failed, in words that fit it. */
const char *v4v_io_error(int error);

#endif
