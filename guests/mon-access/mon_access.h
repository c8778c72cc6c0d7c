/* SPDX-License-Identifier: MIT */
/*
 * What the files of this test share: the table of rows, and the special cases
 * that need more than a run with and without.
 */
#ifndef MON_ACCESS_H
#define MON_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "watch.h"

struct access_row {
    const char *name;
    void (*run)(void);    /* on the watched side; fills access_result */
    void *(*page)(void);  /* the page that loses rights */
    unsigned int pages;   /* and those behind it */
    unsigned int rights;  /* MONITOR_ACCESS_* that it keeps */
    uint32_t least, most; /* events */
    uint32_t flags;       /* RAVELIN_EVENT_* that each has */
};

extern const struct access_row access_rows[];
extern const unsigned int access_row_count;

extern uint8_t access_data[4][4096] __attribute__((aligned(4096)));
extern volatile uint64_t access_result[WATCH_WORDS];

/** Handlers and MSRs that the rows use. Watched side. */
void access_setup(void);
/** Allows for what the machine may get wrong in a row that nobody watches. */
void access_plain_settle(uint64_t row, uint64_t result[WATCH_WORDS]);
/** Trap flags that the handlers have found since the last call. */
uint64_t access_trap_flags(void);

/* Numbers of special cases, above all rows. */
enum {
    SPECIAL_FIRST = 1000,
    SPECIAL_COUNT_UP, /* CPUs increment a word as long as it is not stopped */
    SPECIAL_TWO_CPUS, /* two CPUs increment one word 100 times each */
    SPECIAL_NEW_PAGE, /* gives a page back, takes a new one, writes to it */
    SPECIAL_KEEP_PAGE,
    SPECIAL_WRITE, /* one write to the first data page */
    SPECIAL_EXEC,  /* one call into it */
    SPECIAL_WALK,  /* tells where its top page table is */
    SPECIAL_RACE,  /* one CPU executes what the other one rewrites */
    SPECIAL_CALLS, /* two CPUs with hypercalls whose results go to one page */
};

/* calls.c: rows, and the two sides of SPECIAL_CALLS. */
void call_run_read(void);
void call_run_write(void);
void call_run_write_only(void);
void call_run_cross(void);
void call_run_port(void);
void call_special(void);

/** Events that run() has taken. */
uint32_t access_events(void);

typedef bool access_run_fn(uint64_t what, uint32_t answer, uint32_t flags,
                           uint64_t result[WATCH_WORDS]);

void call_check(struct monitor *m, access_run_fn *run);

/** Watched side: runs one. */
void access_special(uint64_t what);
/** Watching side: all of them. */
void access_specials(struct monitor *m, access_run_fn *run);

#endif
