/* SPDX-License-Identifier: MIT */
/*
 * The agent's verbs: each turns numbers into one operation of the hypervisor
 * and its result into numbers. Whether the caller may is decided there.
 */
#include "agent.h"
#include "public/v4v.h"

#define BY_RULE 0xffffffffu

/* Room for a list's head and its entries. */
static union {
    struct v4vtables_counters counters;
    struct v4v_ring_list rings;
    uint8_t room[sizeof(struct v4v_ring_list) +
                 AGENT_RECORDS * sizeof(struct v4v_ring_stat)];
} list __attribute__((aligned(8)));

_Static_assert(sizeof(struct v4v_ring_stat) >=
                       sizeof(struct v4vtables_counter) &&
                   sizeof(struct v4v_ring_list) >=
                       sizeof(struct v4vtables_counters),
               "the longer list sizes the room");

static long run_hello(const struct agent_ops *ops,
                      const struct agent_request *r, struct agent_text *answer)
{
    (void)r;
    agent_put_number(answer, ' ', AGENT_VERSION);
    agent_put_number(answer, ' ', ops->self);
    return 0;
}

static long run_domains(const struct agent_ops *ops,
                        const struct agent_request *r,
                        struct agent_text *answer)
{
    struct agent_domain domain[AGENT_RECORDS];
    long n = ops->domains(r->arg[0], domain, AGENT_RECORDS);

    for (long i = 0; i < n; i++) {
        agent_put_number(answer, ';', domain[i].id);
        agent_put_number(answer, ' ', domain[i].flags);
    }
    return n;
}

static void ring_put(struct agent_text *t, const struct v4v_ring_stat *s)
{
    agent_put_number(t, ';', s->port);
    agent_put_number(t, ' ', s->partner);
    agent_put_number(t, ' ', s->flags);
    agent_put_number(t, ' ', s->len);
    agent_put_number(t, ' ', s->used);
    agent_put_number(t, ' ', s->waiting);
    agent_put_number(t, ' ', s->messages);
    agent_put_number(t, ' ', s->bytes);
}

static long run_rings(const struct agent_ops *ops,
                      const struct agent_request *r, struct agent_text *answer)
{
    struct v4v_ring_list *l = &list.rings;
    const struct v4v_ring_stat *stat =
        (const void *)(list.room + sizeof(struct v4v_ring_list));
    long rc;

    *l = (struct v4v_ring_list){
        .target_id = (uint16_t)r->arg[0],
        .start = r->arg[1],
        .nb_rings = AGENT_RECORDS,
    };
    rc = ops->v4v(V4VOP_ring_list, l, NULL, 0, 0);
    if (rc) {
        return rc;
    }
    agent_put_number(answer, ' ', l->sent_messages);
    agent_put_number(answer, ' ', l->sent_bytes);
    agent_put_number(answer, ' ', l->refused);
    for (uint32_t i = 0; i < l->nb_rings && i < AGENT_RECORDS; i++) {
        ring_put(answer, &stat[i]);
    }
    return 0;
}

static void rule_put(struct agent_text *t, const struct v4vtables_counter *c)
{
    agent_put_number(t, ';', c->rule.src.domain);
    agent_put_number(t, ' ', c->rule.src.port);
    agent_put_number(t, ' ', c->rule.dst.domain);
    agent_put_number(t, ' ', c->rule.dst.port);
    agent_put_number(t, ' ', c->rule.accept != 0);
    agent_put_number(t, ' ', c->hits);
}

static long run_rules(const struct agent_ops *ops,
                      const struct agent_request *r, struct agent_text *answer)
{
    struct v4vtables_counters *l = &list.counters;
    const struct v4vtables_counter *rule =
        (const void *)(list.room + sizeof(struct v4vtables_counters));
    long rc;

    *l = (struct v4vtables_counters){
        .start_rule = r->arg[0],
        .nb_rules = AGENT_RECORDS,
    };
    rc = ops->v4v(V4VOP_tables_counters, l, NULL, 0, 0);
    if (rc) {
        return rc;
    }
    agent_put_number(answer, ' ', l->default_accept != 0);
    agent_put_number(answer, ' ', l->default_hits);
    agent_put_number(answer, ' ', l->rule_count);
    for (uint32_t i = 0; i < l->nb_rules && i < AGENT_RECORDS; i++) {
        rule_put(answer, &rule[i]);
    }
    return 0;
}

static struct v4vtables_rule rule_of(const uint32_t *arg)
{
    return (struct v4vtables_rule){
        .src = {.domain = (uint16_t)arg[0], .port = arg[1]},
        .dst = {.domain = (uint16_t)arg[2], .port = arg[3]},
        .accept = arg[4],
    };
}

static long run_add(const struct agent_ops *ops, const struct agent_request *r,
                    struct agent_text *answer)
{
    const struct v4vtables_rule rule = rule_of(&r->arg[1]);

    (void)answer;
    return ops->v4v(V4VOP_tables_add, &rule, NULL, r->arg[0], 0);
}

/* -1 means something else to the operation than a position. */
static long run_del(const struct agent_ops *ops, const struct agent_request *r,
                    struct agent_text *answer)
{
    uint32_t position = r->arg[0] == BY_RULE ? 0 : r->arg[0];

    (void)answer;
    return ops->v4v(V4VOP_tables_del, NULL, NULL, position, 0);
}

static long run_delrule(const struct agent_ops *ops,
                        const struct agent_request *r,
                        struct agent_text *answer)
{
    const struct v4vtables_rule rule = rule_of(r->arg);

    (void)answer;
    return ops->v4v(V4VOP_tables_del, &rule, NULL, BY_RULE, 0);
}

static long run_flush(const struct agent_ops *ops,
                      const struct agent_request *r, struct agent_text *answer)
{
    (void)r;
    (void)answer;
    return ops->v4v(V4VOP_tables_del, NULL, NULL, BY_RULE, 0);
}

static long run_explain(const struct agent_ops *ops,
                        const struct agent_request *r,
                        struct agent_text *answer)
{
    struct v4v_explain e = {
        .src = {.domain = (uint16_t)r->arg[0], .port = r->arg[1]},
        .dst = {.domain = (uint16_t)r->arg[2], .port = r->arg[3]},
    };
    long rc = ops->v4v(V4VOP_tables_explain, &e, NULL, 0, 0);

    if (rc == 0) {
        agent_put_number(answer, ' ', e.accept != 0);
        agent_put_number(answer, ' ', e.position);
        agent_put_number(answer, ' ', e.hits);
    }
    return rc;
}

static long run_limits(const struct agent_ops *ops,
                       const struct agent_request *r, struct agent_text *answer)
{
    struct v4v_config c = {.target_id = (uint16_t)r->arg[0]};
    long rc = ops->v4v(V4VOP_config_get, &c, NULL, 0, 0);

    if (rc == 0) {
        agent_put_number(answer, ' ', c.max_rings);
        agent_put_number(answer, ' ', c.max_sendv);
        agent_put_number(answer, ' ', c.max_notify);
        agent_put_number(answer, ' ', c.max_send_size);
    }
    return rc;
}

static long run_limit(const struct agent_ops *ops,
                      const struct agent_request *r, struct agent_text *answer)
{
    const struct v4v_config c = {
        .target_id = (uint16_t)r->arg[0],
        .max_rings = r->arg[1],
        .max_sendv = r->arg[2],
        .max_notify = r->arg[3],
        .max_send_size = r->arg[4],
    };

    (void)answer;
    return ops->v4v(V4VOP_config, &c, NULL, 0, 0);
}

const struct agent_verb agent_verbs[] = {
    {"hello", "", run_hello},          {"domains", "n", run_domains},
    {"rings", "dn", run_rings},        {"rules", "n", run_rules},
    {"add", "ndndnb", run_add},        {"del", "n", run_del},
    {"delrule", "dndnb", run_delrule}, {"flush", "", run_flush},
    {"explain", "dndn", run_explain},  {"limits", "d", run_limits},
    {"limit", "dnnnn", run_limit},     {NULL, NULL, NULL},
};
