/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fake machine for unit tests: CPUs, RAM, frame pool, console, domains with
 * memory, guest page tables, hypercalls under the double-fetch detector. Every
 * create has a destroy, which also checks that nothing has been leaked.
 */
#pragma once

#include "fake.h"
#include "group.h"
#include "ravelin/domain.h"
#include "ravelin/types.h"

/* ---- Machine ------------------------------------------------------------- */

#define FIXTURE_MIB(n) ((size_t)(n) << 20)
/* The first frames stay out of the pool, as on a real machine. */
#define FIXTURE_FIRST_FRAME 256u

/**
 * A machine with `cpus` CPUs, all online; this thread is CPU 0, the others are
 * idle. hv is the fake backend, the pool has all RAM above 1 MiB, the clock
 * stands at 0. Panics of the code under test abort unless fake_panics().
 */
void fixture_machine_create(unsigned cpus, size_t ram_bytes);
/** Runs what is deferred, fails the test if a frame is missing or anything is
 * still deferred or a CPU holds a lock. */
void fixture_machine_destroy(void);

/** This thread goes on as CPU `id`, which leaves idle; the CPU that it was
 * goes idle. For code that threads run: call it once at their start. */
void fixture_cpu_switch(unsigned id);
/** As CPU `id` without touching the one that this thread was. */
void fixture_cpu_become(unsigned id);
/** Lets every CPU that is not idle pass quiescent points until nothing is
 * deferred; fails the test if that does not end. */
void fixture_quiesce(void);

/** Everything written to the serial line so far; fixture_console_clear()
 * forgets it. fixture_console_type() queues input. */
const char *fixture_console_text(void);
void fixture_console_clear(void);
void fixture_console_type(const char *text);

/* ---- Domains ------------------------------------------------------------- */

#define FIXTURE_DOMID 7u

/**
 * A domain without life cycle, for tests of what lies below: p2m, vCPUs with
 * backend state and walk caches, `pages` frames of RAM mapped from gfn 0 with
 * 4K entries, max_pages = pages + `spare`.
 */
struct domain *fixture_domain_create(domid_t id, unsigned vcpus, uint64_t pages,
                                     uint64_t spare);
/** Takes it apart; fails the test if it still owns frames afterwards. */
void fixture_domain_destroy(struct domain *d);
/** `pages` new frames of the domain, mapped from gfn 0 on with 4K entries. */
void fixture_ram_map(struct domain *d, uint64_t pages);

/* ---- Guest memory -------------------------------------------------------- */

void fixture_phys_put(struct domain *d, uint64_t gpa, const void *data,
                      size_t n);
void fixture_phys_get(struct domain *d, void *data, uint64_t gpa, size_t n);
uint64_t fixture_phys_u64(struct domain *d, uint64_t gpa);

enum fixture_paging {
    FIXTURE_PAGING_OFF,
    FIXTURE_PAGING_32, /* with CR4.PSE */
    FIXTURE_PAGING_PAE,
    FIXTURE_PAGING_64,
};

/* A guest's page tables; they are allocated upwards from `next`. */
struct fixture_tables {
    struct vcpu *v;
    enum fixture_paging mode;
    uint64_t root; /* gpa */
    uint64_t next; /* gpa of the next free page */
};

/** Starts tables at gpa `at` and sets CR0 (WP too), CR3, CR4, EFER (NXE too).
 */
void fixture_paging_start(struct fixture_tables *t, struct vcpu *v,
                          enum fixture_paging mode, uint64_t at);
/** Address of the entry of `level` for `gva`; makes the tables above it, with
 * all rights. */
uint64_t fixture_pte(struct fixture_tables *t, uint64_t gva, unsigned level);
/** Writes one entry: address and flag bits as they are. */
void fixture_pte_set(struct fixture_tables *t, uint64_t gva, unsigned level,
                     uint64_t value);
uint64_t fixture_pte_get(struct fixture_tables *t, uint64_t gva,
                         unsigned level);
/** Maps one 4K page present, writable, user. */
void fixture_map(struct fixture_tables *t, uint64_t gva, uint64_t gpa);
/** Long mode with [0, bytes) mapped one to one in 2M pages; tables at `at`. */
void fixture_identity_map(struct fixture_tables *t, struct vcpu *v, uint64_t at,
                          uint64_t bytes);

/* ---- Hypercalls (fixture_hypercall.c) ------------------------------------ */

/**
 * Makes `v` (64-bit, CPL 0) issue hypercall `nr` until it is done, with the
 * double-fetch detector on. Fails the test at a second read of any byte.
 * `v` becomes this CPU's current vCPU for the time of the call.
 * @return RAX.
 */
uint64_t fixture_hypercall(struct vcpu *v, uint64_t nr, uint64_t a0,
                           uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
/** The same as a 32-bit guest. */
uint32_t fixture_hypercall32(struct vcpu *v, uint32_t nr, uint32_t a0,
                             uint32_t a1, uint32_t a2, uint32_t a3,
                             uint32_t a4);
/** What bytes turn into once read; FAKE_FLIP at start. */
extern enum fake_hostility fixture_hostility;
