/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v4v_op for control domains: limits of other domains, the rules, and what is
 * to be seen. The table of hypercalls has checked the role.
 *
 * Threat surface: structures, positions and counts; a list is worked off in
 * pieces, and what the guest changes in between decides only what it gets.
 */
#include "public/v4v.h"

#include "handlers.h"
#include "ravelin/v4v.h"
#include "v4v_op.h"

#define LIST_PIECE 16u
#define BY_RULE 0xffffffffu /* -1 */

/* ---- Limits ------------------------------------------------------------ */

static long config_read(struct vcpu *v, struct hypercall_args *a,
                        struct v4v_config *c, struct domain **d)
{
    int rc;

    if (!args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    if (arg_copy_in(v, a, 1, c, sizeof(*c)) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, c->target_id, d);
    if (rc != 0) {
        return rc;
    }
    return c->pad != 0 ? -RV_EINVAL : 0;
}

long v4v_op_config(struct vcpu *v, struct hypercall_args *a)
{
    struct v4v_config c;
    struct v4v_limits limits;
    struct domain *d;
    long rc = config_read(v, a, &c, &d);

    if (rc != 0) {
        return rc;
    }
    limits = (struct v4v_limits){
        .max_rings = c.max_rings,
        .max_sendv = c.max_sendv,
        .max_notify = c.max_notify,
        .max_send_size = c.max_send_size,
    };
    return v4v_limits_set(d, &limits);
}

long v4v_op_config_get(struct vcpu *v, struct hypercall_args *a)
{
    struct v4v_limits limits;
    struct v4v_config c;
    struct domain *d;
    long rc = config_read(v, a, &c, &d);

    if (rc != 0) {
        return rc;
    }
    limits = v4v_limits_get(d);
    c.max_rings = limits.max_rings;
    c.max_sendv = limits.max_sendv;
    c.max_notify = limits.max_notify;
    c.max_send_size = limits.max_send_size;
    return arg_copy_out(v, a, 1, &c, sizeof(c));
}

/* ---- Changing rules ---------------------------------------------------- */

static int rule_read(struct vcpu *v, const struct hypercall_args *a,
                     struct v4vtables_rule *r)
{
    if (arg_copy_in(v, a, 1, r, sizeof(*r)) != 0) {
        return -RV_EFAULT;
    }
    return (r->src.pad | r->dst.pad) == 0 ? 0 : -RV_EINVAL;
}

long v4v_op_tables_add(struct vcpu *v, struct hypercall_args *a)
{
    struct v4vtables_rule r;
    int rc;

    if (a->arg[2] != 0 || (uint32_t)a->arg[4] != 0) {
        return -RV_EINVAL;
    }
    rc = rule_read(v, a, &r);
    return rc ? rc : v4v_rule_add(&r, (uint32_t)a->arg[3]);
}

long v4v_op_tables_del(struct vcpu *v, struct hypercall_args *a)
{
    uint32_t position = (uint32_t)a->arg[3];
    struct v4vtables_rule r;
    int rc;

    if (a->arg[2] != 0 || (uint32_t)a->arg[4] != 0) {
        return -RV_EINVAL;
    }
    if (position != BY_RULE) {
        return v4v_rule_del_at(position);
    }
    if (a->arg[1] == 0) {
        v4v_rules_flush();
        return 0;
    }
    rc = rule_read(v, a, &r);
    return rc ? rc : v4v_rule_del(&r);
}

/* ---- Lists ------------------------------------------------------------- */

/* A list in guest memory that is filled piece by piece. */
struct filling {
    uint32_t op;
    uint32_t start; /* number of the first, as `get` counts */
    uint32_t want;
    uint32_t done;
    uint32_t header; /* bytes in front of the entries */
    uint32_t entry;  /* bytes of one */
};

union list_piece {
    struct v4vtables_counter rule[LIST_PIECE];
    struct v4v_ring_stat ring[LIST_PIECE];
};

static uint32_t list_done(const struct hypercall_args *a)
{
    return (uint32_t)a->arg[0] >> V4V_PROGRESS_SHIFT;
}

static uint32_t piece_size(const struct filling *f)
{
    return f->done < f->want ? rv_min(f->want - f->done, LIST_PIECE) : 0;
}

/* Stores `n` entries. 0: that was all; -ERESTART; -EFAULT. */
static int piece_store(struct vcpu *v, struct hypercall_args *a,
                       struct filling *f, const void *entries, uint32_t n)
{
    uint64_t offset = f->header + (uint64_t)f->done * f->entry;

    if (guest_copy_out(v, guest_ref(a->arg[1] + offset), entries,
                       n * f->entry) != 0) {
        return -RV_EFAULT;
    }
    f->done += n;
    if (n < LIST_PIECE || f->done >= f->want) {
        return 0;
    }
    a->arg[0] = f->op | f->done << V4V_PROGRESS_SHIFT;
    return -RV_ERESTART;
}

long v4v_op_tables_list(struct vcpu *v, struct hypercall_args *a)
{
    struct v4vtables_list list;
    struct v4vtables_rule plain[LIST_PIECE];
    union list_piece piece;
    struct filling f;
    uint32_t n;
    int rc;

    if (arg_copy_in(v, a, 1, &list, sizeof(list)) != 0) {
        return -RV_EFAULT;
    }
    if (list.nb_rules == 0 || !args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    f = (struct filling){V4VOP_tables_list, rv_max(list.start_rule, 1u),
                         list.nb_rules,     list_done(a),
                         sizeof(list),      sizeof(plain[0])};
    n = v4v_rules_get(f.start + f.done, piece.rule, piece_size(&f));
    for (uint32_t i = 0; i < n; i++) {
        plain[i] = piece.rule[i].rule;
    }
    rc = piece_store(v, a, &f, plain, n);
    if (rc == 0) {
        list.nb_rules = f.done;
        rc = arg_copy_out(v, a, 1, &list, sizeof(list));
    }
    return rc;
}

long v4v_op_tables_counters(struct vcpu *v, struct hypercall_args *a)
{
    struct v4vtables_counters list;
    union list_piece piece;
    struct filling f;
    int rc;

    if (arg_copy_in(v, a, 1, &list, sizeof(list)) != 0) {
        return -RV_EFAULT;
    }
    if (!args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    f = (struct filling){V4VOP_tables_counters, rv_max(list.start_rule, 1u),
                         list.nb_rules,         list_done(a),
                         sizeof(list),          sizeof(piece.rule[0])};
    rc = piece_store(
        v, a, &f, piece.rule,
        v4v_rules_get(f.start + f.done, piece.rule, piece_size(&f)));
    if (rc == 0) {
        list.nb_rules = f.done;
        list.rule_count = v4v_rule_count();
        list.default_accept = v4v_default_get(&list.default_hits);
        rc = arg_copy_out(v, a, 1, &list, sizeof(list));
    }
    return rc;
}

long v4v_op_tables_explain(struct vcpu *v, struct hypercall_args *a)
{
    struct v4v_explain e;
    struct v4v_verdict verdict;

    if (arg_copy_in(v, a, 1, &e, sizeof(e)) != 0) {
        return -RV_EFAULT;
    }
    if ((e.src.pad | e.dst.pad) != 0 || !args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    verdict = v4v_rules_explain(&e.src, &e.dst);
    e.accept = verdict.accept;
    e.position = verdict.position;
    e.hits = verdict.hits;
    return arg_copy_out(v, a, 1, &e, sizeof(e));
}

/* ---- Rings of a domain ------------------------------------------------- */

static void ring_list_finish(struct domain *d, struct v4v_ring_list *list,
                             uint32_t count)
{
    struct v4v_traffic t = v4v_traffic_get(d);

    list->nb_rings = count;
    list->sent_messages = t.messages;
    list->sent_bytes = t.bytes;
    list->refused = t.refused;
}

long v4v_op_ring_list(struct vcpu *v, struct hypercall_args *a)
{
    struct v4v_ring_list list;
    union list_piece piece;
    struct domain *d;
    struct filling f;
    int rc;

    if (arg_copy_in(v, a, 1, &list, sizeof(list)) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, list.target_id, &d);
    if (rc != 0) {
        return rc;
    }
    if (list.pad != 0 || !args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    f = (struct filling){V4VOP_ring_list, list.start,   list.nb_rings,
                         list_done(a),    sizeof(list), sizeof(piece.ring[0])};
    rc = piece_store(
        v, a, &f, piece.ring,
        v4v_ring_stats(d, f.start + f.done, piece.ring, piece_size(&f)));
    if (rc == 0) {
        ring_list_finish(d, &list, f.done);
        rc = arg_copy_out(v, a, 1, &list, sizeof(list));
    }
    return rc;
}
