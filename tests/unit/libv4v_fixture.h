/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two domains, a listener in the one, and a stream between them. Each test
 * begins with the listener alone and leaves no ring behind.
 */
#pragma once

#include "v4v_private.h"

#define US 1u
#define THEM 2u
#define PORT 7u /* of the listener, which is theirs */
#define CONID 77u

extern unsigned int domain;   /* whose calls these are */
extern unsigned int sent;     /* messages */
extern void (*on_wait)(void); /* what others do meanwhile, once */
extern void (*on_drop)(void); /* after each message that was taken out */
extern bool is_barred;        /* rules: of them, only the listener may send */

extern struct v4v_endpoint listener;
extern struct v4v_stream here, there;
extern uint8_t buffer[8192];

int world_begin(void **state);
int world_end(void **state);

struct v4v_ring *ring_find(const struct v4v_addr *a);
uint32_t ring_used(const struct v4v_ring *r);
struct v4v_addr listener_address(void);

/** Accepts `there`, at once. */
void accept_there(void);
/** Makes a stream of `here` and `there`. */
void connect_both(void);
/** Sends to the listener, from an endpoint, what is taken for a stream's. */
long syn_send(struct v4v_endpoint *from, const void *syn, size_t size);
/** Sends a message to one end as if the other, or another port, had. */
long inject(const struct v4v_stream *to, uint32_t port, uint32_t flags,
            uint32_t conid, const char *data);

void assert_reads(struct v4v_stream *s, const char *text);
void assert_sends(struct v4v_stream *s, const char *text);
/** Nothing more will come, however often one asks. */
void assert_end(struct v4v_stream *s);

#define STREAM_TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_begin, world_end)
