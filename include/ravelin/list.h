/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubly linked circular lists with the links inside the elements. A node that
 * is on no list points at itself, so removing it twice is harmless and
 * list_is_empty() of a node asks "is it on a list?".
 */
#pragma once

#include "ravelin/types.h"

struct list_node {
    struct list_node *next;
    struct list_node *prev;
};

#define LIST_INIT(name)                  \
    {                                    \
        .next = &(name), .prev = &(name) \
    }

static inline void list_init(struct list_node *node)
{
    node->next = node;
    node->prev = node;
}

static inline bool list_is_empty(const struct list_node *head)
{
    return head->next == head;
}

static inline void list_insert_between(struct list_node *node,
                                       struct list_node *prev,
                                       struct list_node *next)
{
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
}

/** `node` (on no list) becomes the first element. */
static inline void list_push_front(struct list_node *head,
                                   struct list_node *node)
{
    list_insert_between(node, head, head->next);
}

/** `node` (on no list) becomes the last element. */
static inline void list_push_back(struct list_node *head,
                                  struct list_node *node)
{
    list_insert_between(node, head->prev, head);
}

/** `node` (on no list) goes in front of `next`, which is on a list. */
static inline void list_insert_before(struct list_node *next,
                                      struct list_node *node)
{
    list_insert_between(node, next->prev, next);
}

static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/** Takes the first element off; NULL if the list is empty. */
static inline struct list_node *list_pop_front(struct list_node *head)
{
    struct list_node *node = head->next;

    if (node == head) {
        return NULL;
    }
    list_remove(node);
    return node;
}

#define list_entry(node, type, member) container_of(node, type, member)

/** Visits each node; the list must not change meanwhile. */
#define list_for_each(pos, head) \
    for (struct list_node *pos = (head)->next; pos != (head); pos = pos->next)

/** Visits each node; the visited one may be removed. */
#define list_for_each_safe(pos, head)                                   \
    for (struct list_node *pos = (head)->next, *pos##_next = pos->next; \
         pos != (head); pos = pos##_next, pos##_next = pos->next)
