/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the control domain, which every test of domctl makes; and the
 * groups of tests. They are one program, because the last group checks that all
 * of them together have provoked every error that is documented.
 */
#pragma once

#include "hypercall_fixture.h"

#include "public/domctl.h"

/** An empty request of that operation. */
struct xen_domctl dc_request(uint32_t cmd, domid_t d);
/** Makes it; the answer is in *c. */
long dc_call(struct xen_domctl *c);
/** An empty request, made. */
long dc_simple(uint32_t cmd, domid_t d);

/** A good request for a domain; id 0 leaves the choice to the hypervisor. */
struct xen_domctl dc_create_request(domid_t d, uint32_t vcpus);
/** A new domain; returns its id. */
domid_t dc_create(uint32_t vcpus);
/** Destroys it and waits until it is gone. */
void dc_destroy(domid_t d);

/** Groups of tests; return how many failed. */
int domctl_settings_run(void);
int domctl_context_run(void);
int domctl_watch_run(void);
