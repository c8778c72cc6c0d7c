/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mistake of one emulator, kept from killing guests: QEMU's TCG with several
 * CPUs in threads of their own now and then runs a guest without nested paging
 * (docs/decisions/0002). Its first fetch then faults, and so does every table
 * that the fault needs, until the processor shuts down.
 */
#pragma once

#include "ravelin/types.h"

struct vcpu;

/** Entries repeated at one place before a triple fault is believed. */
#define FALSE_FAULT_MAX 4u

/**
 * After a shutdown exit of `v`: was it one that cannot have happened, because
 * the guest's tables do map the instruction that could not be fetched, or the
 * gate of the event that the entry had to deliver? Then the fault is dropped,
 * an event of ours stays queued, and the next entry goes on where the guest
 * was. Always false on anything but that emulator.
 */
bool triple_fault_is_false(struct vcpu *v);

/**
 * After a #PF exit of `v` with this error code for the address `at`: likewise,
 * as the guest's tables map it. The event that was being delivered is still
 * queued. Always false on anything but that emulator.
 */
bool delivery_fault_is_false(struct vcpu *v, uint32_t error, gva_t at);
