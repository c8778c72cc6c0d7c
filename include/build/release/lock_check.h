/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Release builds: lock ranks are not checked at run time. The debug twin in
 * ../debug has the same three functions.
 */
#pragma once

#include "ravelin/compiler.h"

struct spinlock;

static inline void lock_check_acquire(const struct spinlock *lock rv_unused)
{
}
static inline void lock_check_try_acquired(
    const struct spinlock *lock rv_unused)
{
}
static inline void lock_check_release(const struct spinlock *lock rv_unused)
{
}
