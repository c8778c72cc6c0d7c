/* SPDX-License-Identifier: MIT */
/*
 * Tests of monitors run one image in two domains, one watching the other. The
 * watched one does what the other asks for, phase by phase, over a mailbox in
 * its own memory: the image is the same, so the watcher knows the address.
 */
#ifndef GUEST_WATCH_H
#define GUEST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "libmonitor.h"

#define WATCH_WORDS 8
#define WATCH_END (~0u)

struct watch_mailbox {
    uint32_t phase; /* written by the watcher: what to do next */
    uint32_t done;  /* written by the watched: the last phase done */
    uint64_t arg[WATCH_WORDS];
    uint64_t result[WATCH_WORDS];
};

extern struct watch_mailbox watch_mailbox;

/** Runs the part of `role=` on the command line: watching() for a word that
 * starts with m, else watched(). */
void watch_main(void (*watching)(void), void (*watched)(void));

/* ---- The watched side ---------------------------------------------------- */

/** Waits for a phase above `last`; WATCH_END: there is none left. */
uint32_t watch_await(uint32_t last);
/** The phase is over. */
void watch_done(uint32_t phase);

/* ---- The watcher's side -------------------------------------------------- */

/** Starts a phase; `arg` may be NULL. */
long watch_start(struct monitor *m, uint32_t phase,
                 const uint64_t arg[WATCH_WORDS]);
/** Has the watched domain ended this phase? With its results if not NULL. */
bool watch_is_done(struct monitor *m, uint32_t phase,
                   uint64_t result[WATCH_WORDS]);
/** The domain to watch: `peer=` on the command line. */
unsigned int watch_peer(void);

#endif
