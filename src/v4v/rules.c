/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of rules: changes, and what control domains may see of it. Rules
 * live in pages that are freed when their last rule is. Callers have been
 * checked for the control role.
 */

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/panic.h"
#include "ravelin/string.h"

#include "rules_internal.h"

struct v4v_rules v4v_rules = {
    .lock = SPINLOCK_INIT(LOCK_RANK_V4V_RULES),
    .default_accept = true,
};

/* ---- Memory ------------------------------------------------------------ */

struct v4v_rule_page {
    struct v4v_rule_page *next;
    uint64_t used; /* bit per slot */
    struct v4v_rule rule[];
};
#define RULES_PER_PAGE \
    ((PAGE_SIZE - sizeof(struct v4v_rule_page)) / sizeof(struct v4v_rule))
static_assert(RULES_PER_PAGE <= 64, "the used bits fit a word");
#define PAGE_FULL (~0UL >> (64 - RULES_PER_PAGE))

static struct v4v_rules_locked rules_lock(void)
{
    spin_lock(&v4v_rules.lock);
    return (struct v4v_rules_locked){true};
}

static void rules_unlock(struct v4v_rules_locked *held)
{
    held->held = false;
    spin_unlock(&v4v_rules.lock);
}

static struct v4v_rule *slot_alloc(struct v4v_rules_locked held rv_unused)
{
    struct v4v_rule_page *page = v4v_rules.pages;
    unsigned slot;

    while (page && page->used == PAGE_FULL) {
        page = page->next;
    }
    if (!page) {
        page = page_alloc();
        if (!page) {
            return NULL;
        }
        page->next = v4v_rules.pages;
        v4v_rules.pages = page;
    }
    slot = (unsigned)__builtin_ctzl(~page->used);
    page->used |= 1UL << slot;
    memset(&page->rule[slot], 0, sizeof(page->rule[slot]));
    return &page->rule[slot];
}

static void slot_free(struct v4v_rules_locked held rv_unused,
                      struct v4v_rule *r)
{
    struct v4v_rule_page *page = (void *)((uint64_t)r & PAGE_MASK);
    struct v4v_rule_page **at = &v4v_rules.pages;

    page->used &= ~(1UL << (r - page->rule));
    if (page->used != 0) {
        return;
    }
    while (*at != page) {
        at = &(*at)->next;
    }
    *at = page->next;
    page_free(page);
}

static void chain_free(struct quiesce_item *item)
{
    struct v4v_rule *r = container_of(item, struct v4v_rule, free_item);
    const struct v4v_rule *end = r->free_end;
    struct v4v_rules_locked held = rules_lock();

    while (r != end) {
        struct v4v_rule *next = r->next;

        slot_free(held, r);
        r = next;
    }
    rules_unlock(&held);
}

/* ---- Changes ----------------------------------------------------------- */

/* Where the link to position `pos` is; the end for 0 and beyond. */
static struct v4v_rule **link_at(struct v4v_rules_locked held rv_unused,
                                 uint32_t pos)
{
    struct v4v_rule **at = &v4v_rules.first;

    for (uint32_t i = 1; *at && i != pos; i++) {
        at = &(*at)->next;
    }
    return at;
}

int v4v_rule_add(const struct v4vtables_rule *rule, uint32_t position)
{
    struct v4v_rules_locked held = rules_lock();
    struct v4v_rule **at;
    struct v4v_rule *r;

    if (v4v_rules.count >= V4V_RULES_MAX) {
        rules_unlock(&held);
        return -RV_ENOSPC;
    }
    r = slot_alloc(held);
    if (!r) {
        rules_unlock(&held);
        return -RV_ENOMEM;
    }
    at = link_at(held, position);
    r->src = rule->src;
    r->dst = rule->dst;
    r->accept = rule->accept != 0;
    r->next = *at;
    store_release(at, r);
    write_once(v4v_rules.count, v4v_rules.count + 1);
    rules_unlock(&held);
    return 0;
}

static void rule_remove(struct v4v_rules_locked held rv_unused,
                        struct v4v_rule **at)
{
    struct v4v_rule *r = *at;

    store_release(at, r->next);
    write_once(v4v_rules.count, v4v_rules.count - 1);
    r->free_end = r->next;
    quiesce_defer(&r->free_item, chain_free);
}

int v4v_rule_del_at(uint32_t position)
{
    struct v4v_rules_locked held;
    struct v4v_rule **at;
    int rc = -RV_ENOENT;

    if (position == 0) {
        return -RV_ENOENT;
    }
    held = rules_lock();
    at = link_at(held, position);
    if (*at) {
        rule_remove(held, at);
        rc = 0;
    }
    rules_unlock(&held);
    return rc;
}

static bool addr_equal(const struct v4v_addr *a, const struct v4v_addr *b)
{
    return a->port == b->port && a->domain == b->domain;
}

int v4v_rule_del(const struct v4vtables_rule *rule)
{
    struct v4v_rules_locked held = rules_lock();
    struct v4v_rule **at = &v4v_rules.first;
    int rc = -RV_ENOENT;

    while (*at && !(addr_equal(&(*at)->src, &rule->src) &&
                    addr_equal(&(*at)->dst, &rule->dst) &&
                    (*at)->accept == (rule->accept != 0))) {
        at = &(*at)->next;
    }
    if (*at) {
        rule_remove(held, at);
        rc = 0;
    }
    rules_unlock(&held);
    return rc;
}

/* All at once: no message meets half a policy. */
void v4v_rules_flush(void)
{
    struct v4v_rules_locked held = rules_lock();
    struct v4v_rule *r = v4v_rules.first;

    store_release(&v4v_rules.first, NULL);
    write_once(v4v_rules.count, 0);
    if (r) {
        r->free_end = NULL;
        quiesce_defer(&r->free_item, chain_free);
    }
    rules_unlock(&held);
}

void v4v_default_set(bool accept)
{
    write_once(v4v_rules.default_accept, accept);
}

/* ---- For those who look ------------------------------------------------ */

bool v4v_default_get(uint64_t *hits)
{
    *hits = read_once(v4v_rules.default_hits);
    return read_once(v4v_rules.default_accept);
}

uint32_t v4v_rule_count(void)
{
    return read_once(v4v_rules.count);
}

unsigned v4v_rules_get(uint32_t first, struct v4vtables_counter *out,
                       unsigned n)
{
    struct v4v_rule *r = v4v_rule_first();
    unsigned stored = 0;

    for (uint32_t pos = 1; r && pos < first; pos++) {
        r = v4v_rule_next(r);
    }
    for (; r && stored < n; r = v4v_rule_next(r), stored++) {
        out[stored] = (struct v4vtables_counter){
            .rule = {.src = r->src, .dst = r->dst, .accept = r->accept},
            .hits = read_once(r->hits),
        };
    }
    return stored;
}

static struct v4v_addr boot_addr(const struct manifest *m,
                                 const struct manifest_end *e)
{
    return (struct v4v_addr){
        .port = e->port == MANIFEST_ANY_PORT ? V4V_PORT_ANY : e->port,
        .domain = e->domain == MANIFEST_ANY_DOMAIN
                      ? V4V_DOMID_ANY
                      : (domid_t)m->domain[e->domain].domid,
    };
}

void v4v_boot(const struct manifest *m)
{
    v4v_default_set(m->machine.v4v_default == MANIFEST_ACCEPT);
    for (uint32_t i = 0; i < m->rule_count; i++) {
        const struct manifest_rule_entry *e = &m->rule[i];
        const struct v4vtables_rule rule = {
            .src = boot_addr(m, &e->from),
            .dst = boot_addr(m, &e->to),
            .accept = e->action == MANIFEST_ACCEPT,
        };

        /* Half of a policy is not a policy. */
        if (v4v_rule_add(&rule, 0) != 0) {
            panic("no memory for the message rules");
        }
    }
}
