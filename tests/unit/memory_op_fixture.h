/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all tests of memory_op do: calls, lists of frames, and looking at what a
 * domain has afterwards. The groups are one program, because the last one
 * checks that all of them together have provoked every documented error.
 */
#pragma once

#include "hypercall_fixture.h"

#include "public/memory.h"
#include "ravelin/p2m.h"

#define MO_HOLE_GFN (HC_HOLE >> PAGE_SHIFT)
#define MO_FREE_GFN (HC_FREE >> PAGE_SHIFT)

long mo_call(enum hc_who who, uint64_t cmd, void *arg, size_t n);

enum p2m_type mo_type_at(enum hc_who who, uint64_t g);
uint64_t mo_owned(enum hc_who who);

/** A list of `n` frames, at most 512, from `first` at HC_BUF of the plain
 * guest. */
struct xen_memory_reservation mo_list(uint64_t first, unsigned n);
/** The plain guest populates it or gives it back. */
long mo_resize(uint64_t cmd, struct xen_memory_reservation r);

/** Groups of tests; return how many failed. */
int memory_physmap_run(void);
int memory_maps_run(void);
