/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain without memory on a machine with 4 GiB, made anew for each case, and
 * changes of its p2m that take and release the lock by themselves.
 */
#pragma once

#include "fixture.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/p2m.h"

#define PM_RAM (1UL << 32)

extern struct domain *pm_domain;

int pm_setup(void **state);
int pm_teardown(void **state);

#define PM_CASE(f) cmocka_unit_test_setup_teardown(f, pm_setup, pm_teardown)

/** 2^order frames that the domain owns. */
mfn_t pm_frame(unsigned order);

int pm_map(uint64_t g, mfn_t m, unsigned order, enum p2m_type type,
           uint8_t access);
int pm_unmap(uint64_t g, unsigned order);
int pm_access_set(uint64_t g, uint8_t access);
