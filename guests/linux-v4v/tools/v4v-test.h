/* SPDX-License-Identifier: MIT */
/*
 * Checks of v4v-test. A check that fails is told with its place and counted;
 * the case goes on where that makes sense.
 */
#ifndef V4V_TEST_H
#define V4V_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "v4v_dev.h"

bool check_true(bool ok, const char *text, const char *file, int line);
bool check_equal(long got, long want, const char *text, const char *file,
                 int line);
/** The call failed (gave -1) with this errno. */
bool check_errno(long got, int want, const char *text, const char *file,
                 int line);

#define CHECK(what) check_true(what, #what, __FILE__, __LINE__)
#define CHECK_EQ(got, want) check_equal(got, want, #got, __FILE__, __LINE__)
#define CHECK_ERRNO(call, want) \
    check_errno(call, want, #call, __FILE__, __LINE__)

extern unsigned int check_count, failure_count;

struct test_case {
    const char *name;
    void (*run)(void);
};

/** The domain's own id: endpoints of one domain may talk to each other. */
unsigned int own_domain(void);
/** What fills blocks: differs with position and `seed`. */
void pattern_fill(uint8_t *data, uint32_t size, uint32_t seed);
bool pattern_is(const uint8_t *data, uint32_t size, uint32_t seed);
/** Whether poll() reports all of `events` (and, with 0, whether it reports
 * nothing) within `ms`. */
bool polls(int fd, short events, int ms);
/** Two ends of a stream within this domain; -1 in both on failure. */
struct pair {
    int here, there;
};
struct pair pair_make(uint32_t ring_size, int flags);
void pair_close(struct pair *p);

extern const struct test_case datagram_cases[], stream_cases[];
extern const struct test_case shutdown_cases[], abuse_cases[];

/** The other side of the micro guest v4v-pair. */
void pair_server(unsigned int peer);
void pair_client(unsigned int peer);
void pair_barred(unsigned int peer);

#endif
