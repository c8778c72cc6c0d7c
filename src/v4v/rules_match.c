/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decisions: the first rule that matches, else the default. The same walk
 * serves messages, requests for space and explanations, so that none can say
 * something else than another.
 */

#include "rules_internal.h"

/* Source ports that earlier rules denied, remembered while it is asked whether
 * any port at all may send. With more of them the answer is no. */
#define DENIED_PORTS_MAX 16u

static bool end_matches(const struct v4v_addr *rule, const struct v4v_addr *a)
{
    return (rule->domain == V4V_DOMID_ANY || rule->domain == a->domain) &&
           (rule->port == V4V_PORT_ANY || rule->port == a->port);
}

/* The deciding rule with its position; NULL: none. */
static struct v4v_rule *rule_find(const struct v4v_addr *src,
                                  const struct v4v_addr *dst, uint32_t *pos)
{
    struct v4v_rule *r = v4v_rule_first();

    for (*pos = 1; r; r = v4v_rule_next(r), (*pos)++) {
        if (end_matches(&r->dst, dst) && end_matches(&r->src, src)) {
            return r;
        }
    }
    *pos = 0;
    return NULL;
}

static bool decide(struct v4v_rule *r)
{
    uint64_t *hits = r ? &r->hits : &v4v_rules.default_hits;

    __atomic_fetch_add(hits, 1, __ATOMIC_RELAXED);
    return r ? r->accept : read_once(v4v_rules.default_accept);
}

bool v4v_rules_permit(const struct v4v_addr *src, const struct v4v_addr *dst)
{
    uint32_t pos;

    return decide(v4v_rule_first() ? rule_find(src, dst, &pos) : NULL);
}

struct v4v_verdict v4v_rules_explain(const struct v4v_addr *src,
                                     const struct v4v_addr *dst)
{
    uint32_t pos;
    struct v4v_rule *r = rule_find(src, dst, &pos);

    return (struct v4v_verdict){
        .accept = r ? r->accept : read_once(v4v_rules.default_accept),
        .position = pos,
        .hits = r ? read_once(r->hits) : read_once(v4v_rules.default_hits),
    };
}

struct denied_ports {
    uint32_t count;
    uint32_t port[DENIED_PORTS_MAX];
};

static bool is_denied(const struct denied_ports *denied, uint32_t port)
{
    for (uint32_t i = 0; i < denied->count; i++) {
        if (denied->port[i] == port) {
            return true;
        }
    }
    return false;
}

bool v4v_rules_permit_some(domid_t src, const struct v4v_addr *dst)
{
    struct denied_ports denied = {.count = 0};

    for (struct v4v_rule *r = v4v_rule_first(); r; r = v4v_rule_next(r)) {
        const struct v4v_addr any = {.domain = src, .port = r->src.port};

        if (!end_matches(&r->dst, dst) || !end_matches(&r->src, &any)) {
            continue;
        }
        if (r->src.port == V4V_PORT_ANY) {
            return decide(r);
        }
        if (is_denied(&denied, r->src.port)) {
            continue;
        }
        if (r->accept) {
            return decide(r);
        }
        if (denied.count == DENIED_PORTS_MAX) {
            return false;
        }
        denied.port[denied.count++] = r->src.port;
    }
    return decide(NULL);
}
