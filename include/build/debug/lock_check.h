/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug builds: each CPU counts the locks it holds per rank (src/core/
 * lock_check.c) and panics when one is taken out of order or released by a
 * CPU that does not hold it. Two locks of one rank are only ever taken by a
 * function that orders them (by id) and tries for the second one in a loop.
 */
#pragma once

struct spinlock;

/** Before spinning: panics if a lock of an equal or higher rank is held. */
void lock_check_acquire(const struct spinlock *lock);
/** After a successful try: only counts, as a try cannot deadlock. */
void lock_check_try_acquired(const struct spinlock *lock);
/** Before releasing: panics if this CPU holds no lock of that rank. */
void lock_check_release(const struct spinlock *lock);
