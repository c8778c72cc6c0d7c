/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules as a list that senders walk without a lock. A rule that is taken
 * out keeps its link, so who stands on it goes on, and is freed after
 * quiescence. Every change happens under one lock.
 */
#pragma once

#include "v4v_internal.h"

struct v4v_rule {
    struct v4v_rule *next; /* atomic; NULL: last */
    struct v4v_addr src;
    struct v4v_addr dst;
    bool accept;
    uint64_t hits; /* atomic */
    struct quiesce_item free_item;
    const struct v4v_rule *free_end; /* frees up to here, exclusive */
};

struct v4v_rules {
    struct spinlock lock;        /* rank V4V_RULES */
    struct v4v_rule *first;      /* atomic; written under lock */
    uint32_t count;              /* atomic; written under lock */
    struct v4v_rule_page *pages; /* protected by lock */
    bool default_accept;         /* atomic */
    uint64_t default_hits;       /* atomic */
};

extern struct v4v_rules v4v_rules;

static inline struct v4v_rule *v4v_rule_first(void)
{
    return load_acquire(&v4v_rules.first);
}
static inline struct v4v_rule *v4v_rule_next(const struct v4v_rule *r)
{
    return load_acquire(&r->next);
}
