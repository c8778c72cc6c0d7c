/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A watched domain and its listener, for tests of the event engine: rings of
 * all kinds, events and answers. What is read from a ring goes through the
 * double-fetch detector. Each case begins and ends with nobody attached.
 */
#pragma once

#include "hypercall_fixture.h"

#include "public/vm_event.h"
#include "ravelin/monitor_control.h"

#include "monitor_internal.h"

/* Where rings lie, in the listener's memory or the watched domain's. */
#define RING_GFN (HC_FREE >> PAGE_SHIFT)
#define OWN_SLOTS 64u

extern struct domain *watched, *listener;
extern struct monitor *mon;
extern uint8_t *ring_page;

int monitor_setup(void **state);
int monitor_teardown(void **state);
#define MONITOR_CASE(name) \
    cmocka_unit_test_setup_teardown(name, monitor_setup, monitor_teardown)

/** Makes vCPU `id` of the watched domain this CPU's current one. */
struct vcpu *watched_enter(unsigned id);
void watched_leave(void);
/** Does vCPU `id` wait for an answer? */
bool vcpu_waits(unsigned id);
void *frame_ptr(struct domain *d, uint64_t g);

/** Attaches a ring of the listener's own: a page and `pages` - 1 of slots. */
void own_ring_attach(uint32_t pages);
struct ravelin_ring *own_ring(void);
const struct ravelin_event *own_ring_event(uint32_t index);
void own_ring_answer(unsigned vcpu, uint32_t sequence, uint32_t flags);
/** Attaches a ring in a page of the watched domain. */
void page_ring_attach(const struct monitor_format *format, uint32_t slot_size,
                      uint32_t slots);
void mem_event_attach(void);
struct mem_event_sring *page_ring(void);

void reason_listen(unsigned reason, uint32_t mode);
/** Takes what the listener has answered. */
void answers_take(void);
enum monitor_outcome event_raise(unsigned id, const struct monitor_event *ev);
/** A write of CR3, which held 0x1000. */
enum monitor_outcome event_cr3(unsigned id, uint64_t value);
