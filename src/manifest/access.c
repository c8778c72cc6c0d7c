/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may do what to whom. One small function per question, all pure; the
 * printed matrix is made of the same answers that the hypervisor acts on.
 */
#include "ravelin/manifest.h"

#include "line.h"

/* Columns of the matrix in one block, to stay inside 79 characters. */
#define BLOCK_COLUMNS 8u
#define COLUMN_WIDTH 6u
#define FIRST_COLUMN 22u

uint32_t access_rights(uint32_t roles, bool same, bool watches)
{
    uint32_t rights = 0;

    if (same) {
        return ACCESS_SELF;
    }
    if ((roles & ROLE_CONTROL) != 0) {
        rights |= ACCESS_CONTROL;
    }
    if ((roles & ROLE_MONITOR) != 0 && watches) {
        rights |= ACCESS_MONITOR;
    }
    return rights;
}

uint32_t access_machine_rights(uint32_t roles)
{
    uint32_t rights = 0;

    if ((roles & ROLE_HARDWARE) != 0) {
        rights |= ACCESS_HARDWARE;
    }
    if ((roles & ROLE_CONTROL) != 0) {
        rights |= ACCESS_FIREWALL;
    }
    return rights;
}

static bool end_matches(const struct manifest_end *end, uint32_t domain)
{
    return end->domain == MANIFEST_ANY_DOMAIN || end->domain == domain;
}

/* First match wins; a rule for one port leaves the other ports to the rest. */
static uint32_t message_rights(const struct manifest *m, uint32_t from,
                               uint32_t to)
{
    bool some_accepted = false, some_denied = false;
    uint32_t action = m->machine.v4v_default;

    if (m->domain[to].max_rings == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < m->rule_count; i++) {
        const struct manifest_rule_entry *r = &m->rule[i];

        if (!end_matches(&r->from, from) || !end_matches(&r->to, to)) {
            continue;
        }
        if (r->from.port == MANIFEST_ANY_PORT &&
            r->to.port == MANIFEST_ANY_PORT) {
            action = r->action;
            break;
        }
        some_accepted |= r->action == MANIFEST_ACCEPT;
        some_denied |= r->action == MANIFEST_DENY;
    }
    some_accepted |= action == MANIFEST_ACCEPT;
    some_denied |= action == MANIFEST_DENY;
    if (!some_accepted) {
        return 0;
    }
    return some_denied ? ACCESS_MESSAGE_SOME : ACCESS_MESSAGE;
}

uint32_t access_matrix_rights(const struct manifest *m, unsigned int subject,
                              unsigned int object)
{
    const struct manifest_domain *d = &m->domain[subject];
    bool watches = (d->monitors & (1u << object)) != 0;

    return access_rights(d->roles, subject == object, watches) |
           message_rights(m, subject, object);
}

static const struct right_letter {
    uint32_t right;
    const char *letter;
    const char *meaning;
} letters[] = {
    {ACCESS_SELF, "s", "s itself"},
    {ACCESS_CONTROL, "C", "C controls (create, destroy, pause, limit)"},
    {ACCESS_MONITOR, "W", "W watches (memory events, page rights, traps)"},
    {ACCESS_MESSAGE, "M", "M sends messages to every port"},
    {ACCESS_MESSAGE_SOME, "m", "m sends messages to or from some ports"},
    {ACCESS_HARDWARE, "H", "H owns the hardware (devices, power)"},
    {ACCESS_FIREWALL, "F", "F changes and lists the message rules"},
};

static void add_rights(struct line *l, uint32_t rights)
{
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        if ((rights & letters[i].right) != 0) {
            line_add(l, letters[i].letter);
        }
    }
    if (rights == 0) {
        line_add(l, "-");
    }
}

/* The row's own columns: domid and name, cut where the cells begin. */
static void start_row(struct line *l, const struct manifest_domain *d)
{
    line_clear(l);
    line_add_number(l, d->domid);
    line_pad_to(l, 6);
    line_add(l, d->name);
    if (l->len >= FIRST_COLUMN) {
        l->len = FIRST_COLUMN - 1;
        l->text[l->len] = '\0';
    }
    line_pad_to(l, FIRST_COLUMN);
}

static void print_block(const struct manifest *m, uint32_t first, uint32_t end,
                        manifest_line_fn line, void *ctx)
{
    struct line l;

    line_clear(&l);
    line_add(&l, "domid name");
    for (uint32_t j = first; j < end; j++) {
        line_pad_to(&l, FIRST_COLUMN + (j - first) * COLUMN_WIDTH);
        line_add_number(&l, m->domain[j].domid);
    }
    if (end == m->domain_count) {
        line_pad_to(&l, FIRST_COLUMN + (end - first) * COLUMN_WIDTH);
        line_add(&l, "machine");
    }
    line(ctx, l.text);

    for (uint32_t i = 0; i < m->domain_count; i++) {
        start_row(&l, &m->domain[i]);
        for (uint32_t j = first; j < end; j++) {
            line_pad_to(&l, FIRST_COLUMN + (j - first) * COLUMN_WIDTH);
            add_rights(&l, access_matrix_rights(m, i, j));
        }
        if (end == m->domain_count) {
            line_pad_to(&l, FIRST_COLUMN + (end - first) * COLUMN_WIDTH);
            add_rights(&l, access_machine_rights(m->domain[i].roles));
        }
        line(ctx, l.text);
    }
}

void access_matrix_print(const struct manifest *m, manifest_line_fn line,
                         void *ctx)
{
    line(ctx, "Access matrix: what the domain of a row may do to that of a "
              "column");
    for (uint32_t first = 0; first < m->domain_count; first += BLOCK_COLUMNS) {
        print_block(m, first, rv_min(first + BLOCK_COLUMNS, m->domain_count),
                    line, ctx);
    }
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        line(ctx, letters[i].meaning);
    }
}
