/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three domains for hypercall tests: a plain guest, a control domain and the
 * hardware domain, each with two vCPUs and memory mapped one to one. Every
 * call runs under the double-fetch detector, and every errno a call returns is
 * noted, so that a test can compare what was provoked with what table.def
 * documents.
 */
#pragma once

#include "fixture.h"

#include "ravelin/errno.h"
#include "ravelin/hypercall.h"

/* Guest addresses (linear = physical). */
#define HC_ARG 0x10000u   /* the structure hc() passes */
#define HC_BUF 0x20000u   /* 64 KiB for whatever it points to */
#define HC_FREE 0x100000u /* from here to HC_RAM_END: RAM nobody uses */
#define HC_RAM_END 0x180000u
#define HC_HOLE 0x200000u      /* mapped in the page tables, no RAM behind it */
#define HC_BAD 0x7fffffff0000u /* not mapped */
#define HC_BAD32 0xf0000000u

enum hc_who { HC_PLAIN, HC_CONTROL, HC_HARDWARE, HC_WHO_COUNT };

extern struct domain *hc_domain[HC_WHO_COUNT];

/** cmocka group setup and teardown of the machine; checks for leaks. */
int hc_setup(void **state);
int hc_teardown(void **state);

struct vcpu *hc_vcpu(enum hc_who who, unsigned id);

/** Raw call from vCPU 0; `is_32bit` says how. The result is sign-extended. */
long hc_call(enum hc_who who, bool is_32bit, uint64_t nr, uint64_t a0,
             uint64_t a1, uint64_t a2);
/** op, pointer to a copy of arg at HC_ARG; the copy comes back into arg. */
long hc(enum hc_who who, uint64_t nr, uint64_t op, void *arg, size_t n);
long hc32(enum hc_who who, uint64_t nr, uint64_t op, void *arg, size_t n);
/** op, vCPU, pointer. */
long hc_vcpu_op(enum hc_who who, uint64_t op, uint64_t id, void *arg, size_t n);

/** Guest memory of vCPU 0's domain. */
void hc_put(enum hc_who who, uint64_t at, const void *data, size_t n);
void hc_get(enum hc_who who, uint64_t at, void *data, size_t n);

/** Makes the next allocation fail; hc_alloc_heal() ends that. */
void hc_alloc_fail(void);
void hc_alloc_heal(void);

/** Notes a result of a call that was made in another way. */
void hc_error_note(uint64_t nr, uint64_t op, long rc);
/** Fails the test unless exactly the documented errors of every operation of
 * `call` have been seen, each at least once. Belongs at the end of a group. */
void hc_errors_all_provoked(const char *call);
