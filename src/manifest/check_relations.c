/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks over relations between domains: who watches whom, and which messages
 * the v4v rules let pass. A circle of synchronous monitors would stop all of
 * its members for good, so it is refused before anything runs.
 */
#include "check.h"

#include "line.h"

/* Names another domain in a detail; indexes may be anything. */
static const char *name_of(const struct check *c, uint32_t index)
{
    return index < c->m->domain_count ? c->m->domain[index].name : NULL;
}

static void check_targets(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    bool is_monitor = (d->roles & ROLE_MONITOR) != 0;

    if (is_monitor && d->monitors == 0) {
        check_fail_domain(c, i, MANIFEST_F_ROLES, MANIFEST_E_MONITOR_IDLE,
                          d->name);
    }
    if (!is_monitor && d->monitors != 0) {
        check_fail_domain(c, i, MANIFEST_F_MONITORS, MANIFEST_E_MONITOR_ROLE,
                          d->name);
    }
    for (uint32_t t = 0; t < MANIFEST_DOMAINS_MAX; t++) {
        if ((d->monitors & (1u << t)) == 0) {
            continue;
        }
        if (t >= c->m->domain_count) {
            check_fail_domain(c, i, MANIFEST_F_MONITORS,
                              MANIFEST_E_TARGET_UNKNOWN, d->name);
        } else if (t == i) {
            check_fail_domain(c, i, MANIFEST_F_MONITORS, MANIFEST_E_TARGET_SELF,
                              d->name);
        } else if ((c->m->domain[t].roles & ~d->roles &
                    (ROLE_HARDWARE | ROLE_CONTROL)) != 0) {
            check_fail_domain(c, i, MANIFEST_F_MONITORS,
                              MANIFEST_E_MONITOR_RISES, name_of(c, t));
        }
    }
}

static void check_one_monitor(struct check *c, uint32_t i)
{
    uint32_t taken = 0;
    uint32_t twice;

    for (uint32_t j = 0; j < i; j++) {
        taken |= c->m->domain[j].monitors;
    }
    twice = c->m->domain[i].monitors & taken;
    for (uint32_t t = 0; twice != 0; t++, twice >>= 1) {
        if ((twice & 1) != 0) {
            check_fail_domain(c, i, MANIFEST_F_MONITORS,
                              MANIFEST_E_MONITOR_TAKEN, name_of(c, t));
        }
    }
}

/* reach[i] gets every domain that i watches, directly or through others. */
static void close_relation(const struct manifest *m,
                           uint32_t reach[MANIFEST_DOMAINS_MAX])
{
    for (uint32_t i = 0; i < m->domain_count; i++) {
        reach[i] = m->domain[i].monitors & ~(1u << i);
    }
    for (uint32_t via = 0; via < m->domain_count; via++) {
        for (uint32_t i = 0; i < m->domain_count; i++) {
            if ((reach[i] & (1u << via)) != 0) {
                reach[i] |= reach[via];
            }
        }
    }
}

/* Each circle is reported once, at its first member. */
static void check_circles(struct check *c)
{
    uint32_t reach[MANIFEST_DOMAINS_MAX];

    close_relation(c->m, reach);
    for (uint32_t i = 0; i < c->m->domain_count; i++) {
        bool first = true;

        for (uint32_t j = 0; j < i; j++) {
            first &= (reach[i] & (1u << j)) == 0 || (reach[j] & (1u << i)) == 0;
        }
        if (first && (reach[i] & (1u << i)) != 0) {
            check_fail_domain(c, i, MANIFEST_F_MONITORS,
                              MANIFEST_E_MONITOR_CYCLE, name_of(c, i));
        }
    }
}

void check_monitors(struct check *c)
{
    for (uint32_t i = 0; i < c->m->domain_count; i++) {
        check_targets(c, i);
        check_one_monitor(c, i);
    }
    check_circles(c);
}

static bool end_is_known(const struct check *c, const struct manifest_end *end)
{
    return end->domain == MANIFEST_ANY_DOMAIN ||
           end->domain < c->m->domain_count;
}

/* Does every message that matches @inner also match @outer? */
static bool end_covers(const struct manifest_end *outer,
                       const struct manifest_end *inner)
{
    return (outer->domain == MANIFEST_ANY_DOMAIN ||
            outer->domain == inner->domain) &&
           (outer->port == MANIFEST_ANY_PORT || outer->port == inner->port);
}

static void check_reachable(struct check *c, uint32_t i)
{
    const struct manifest_rule_entry *r = &c->m->rule[i];

    for (uint32_t j = 0; j < i; j++) {
        const struct manifest_rule_entry *e = &c->m->rule[j];
        struct line l;

        if (!end_covers(&e->from, &r->from) || !end_covers(&e->to, &r->to)) {
            continue;
        }
        line_clear(&l);
        line_add(&l, "rule ");
        line_add_number(&l, j + 1);
        check_fail_rule(c, i, MANIFEST_F_ACTION, MANIFEST_E_RULE_UNREACHABLE,
                        l.text);
        return;
    }
}

void check_firewall(struct check *c)
{
    for (uint32_t i = 0; i < c->m->rule_count; i++) {
        const struct manifest_rule_entry *r = &c->m->rule[i];

        if (!end_is_known(c, &r->from)) {
            check_fail_rule(c, i, MANIFEST_F_FROM,
                            MANIFEST_E_RULE_UNKNOWN_DOMAIN, NULL);
        }
        if (!end_is_known(c, &r->to)) {
            check_fail_rule(c, i, MANIFEST_F_TO, MANIFEST_E_RULE_UNKNOWN_DOMAIN,
                            NULL);
        } else if (r->to.domain != MANIFEST_ANY_DOMAIN &&
                   r->action == MANIFEST_ACCEPT &&
                   c->m->domain[r->to.domain].max_rings == 0) {
            check_fail_rule(c, i, MANIFEST_F_TO, MANIFEST_E_RULE_NO_RINGS,
                            name_of(c, r->to.domain));
        }
        check_reachable(c, i);
    }
}
