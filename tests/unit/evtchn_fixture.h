/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two running domains with event channels, made anew for each case, and what
 * guest code sees of them.
 */
#pragma once

#include "core_fixture.h"

#include "ravelin/errno.h"
#include "ravelin/evtchn.h"

/** One with two vCPUs, which are on CPU 0; one with one, on CPU 1. A case that
 * destroys one sets it to NULL. */
extern struct domain *et_a;
extern struct domain *et_b;

int et_setup(void **state);
int et_teardown(void **state);

#define ET_CASE(f) cmocka_unit_test_setup_teardown(f, et_setup, et_teardown)

struct shared_info *et_shared(const struct domain *d);
struct vcpu_info *et_info(const struct domain *d, unsigned vcpu);
/** What a guest does after an upcall; returns whether there was one. */
bool et_upcall_take(const struct domain *d, unsigned vcpu);
/** The state of a port, which must be in range. */
uint32_t et_status(struct domain *d, evtchn_port_t port,
                   struct evtchn_status *st);
