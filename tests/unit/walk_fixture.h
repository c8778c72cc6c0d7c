/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain whose first vCPU has page tables that the test writes, made anew for
 * each case.
 */
#pragma once

#include "fixture.h"

#include "guest_walk.h"
#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"

#define WT_PAGES 1024u
#define WT_TABLES 0x100000UL /* where page tables go */
#define WT_PWU (PTE_P | PTE_W | PTE_U)

extern struct domain *wt_domain;
extern struct vcpu *wt_vcpu;
extern struct fixture_tables wt_tables;
extern struct guest_fault wt_fault;

int wt_setup(void **state);
int wt_teardown(void **state);

#define WT_CASE(f) cmocka_unit_test_setup_teardown(f, wt_setup, wt_teardown)

/** Empty tables of that mode. */
void wt_start(enum fixture_paging mode);
/** guest_translate(); what is wrong is in wt_fault. */
int wt_translate(uint64_t a, uint8_t access, bool user, uint64_t *out);
void wt_creg_change(enum vcpu_creg r, uint64_t set, uint64_t clear);
/** What a monitor leaves of the rights on frame `g`. */
void wt_p2m_rights(uint64_t g, uint8_t access);
