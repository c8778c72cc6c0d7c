/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin v4v list, stats, limits: what there is, domain by domain.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd_v4v.h"
#include "ravelin/errno.h"
#include "table.h"

enum { RING_HEAD = 3, RING_FIELDS = 8, LIMIT_COUNT = 4 };
enum { DOMAIN_SHUTDOWN = 1, DOMAIN_DYING = 2, DOMAIN_PAUSED = 4 };

static const char *const limit_names[LIMIT_COUNT] = {
    "max-rings", "max-sendv", "max-notify", "max-send-size"};

/* Called for each domain that is looked at; `error` is of the hypervisor. */
typedef int (*look_fn)(struct v4v_client *c, unsigned int id, uint64_t flags,
                       json_t *rows);

static const char *state_name(uint64_t flags)
{
    return (flags & DOMAIN_DYING) != 0      ? "dying"
           : (flags & DOMAIN_SHUTDOWN) != 0 ? "ended"
           : (flags & DOMAIN_PAUSED) != 0   ? "paused"
                                            : "running";
}

static json_t *named(const struct v4v_client *c, unsigned int id)
{
    char *name = v4v_domain_name(c, id);
    json_t *row = json_pack("{s:s, s:i}", "domain", name, "id", (int)id);

    free(name);
    return row;
}

static void set_number(json_t *row, const char *key, uint64_t value)
{
    json_object_set_new(row, key, json_integer((json_int_t)value));
}

/* More than the hypervisor ever holds for one domain; an agent that goes on
 * listing is lying. */
#define RINGS_LOOK_MAX 65536u

static int list_is_endless(const struct v4v_client *c)
{
    say("domain '%s' lists without end", c->control);
    return EXIT_FAILED;
}

/* ---- All domains, or one ---------------------------------------------- */

/* One that dies while it is looked at is left out. */
static int look_all(struct v4v_client *c, look_fn look, json_t *rows)
{
    struct answer_fields domain[ANSWER_RECORDS_MAX];
    uint64_t from = 0;
    size_t count;
    int rc;

    do {
        rc = v4v_ask(c, 0, 2, NULL, "domains %llu", (unsigned long long)from);
        count = rc == EXIT_OK ? c->answer.record_count : 0;
        memcpy(domain, c->answer.record, sizeof(domain));
        for (size_t i = 0; rc == EXIT_OK && i < count; i++) {
            if (domain[i].value[0] < from ||
                domain[i].value[0] >= V4V_DOMID_ANY) {
                return list_is_endless(c);
            }
            from = domain[i].value[0] + 1;
            rc = look(c, (unsigned int)domain[i].value[0], domain[i].value[1],
                      rows);
        }
    } while (rc == EXIT_OK && count == ANSWER_LIST_FULL);
    return rc;
}

static int look_one(struct v4v_client *c, const char *text, look_fn look,
                    json_t *rows)
{
    unsigned int id;
    const char *wrong = v4v_domain_parse(&c->names, text, &id);
    int rc;

    if (wrong != NULL) {
        say("%s: %s", text, wrong);
        return EXIT_FAILED;
    }
    rc = v4v_ask(c, 0, 2, NULL, "domains %u", id);
    if (rc != EXIT_OK) {
        return rc;
    }
    if (c->answer.record_count == 0 || c->answer.record[0].value[0] != id) {
        say("%s: there is no such domain in the machine", text);
        return EXIT_FAILED;
    }
    return look(c, id, c->answer.record[0].value[1], rows);
}

static int look_show(struct v4v_client *c, const struct v4v_options *o,
                     look_fn look, const struct table_column *columns,
                     size_t column_count)
{
    json_t *rows = json_array();
    int rc = o->arg_count == 0 ? look_all(c, look, rows)
                               : look_one(c, o->args[0], look, rows);

    if (rc == EXIT_OK && o->common.json) {
        json_show(json_incref(rows));
    } else if (rc == EXIT_OK) {
        table_show(rows, columns, column_count);
    }
    json_decref(rows);
    return rc;
}

/* ---- list ------------------------------------------------------------- */

static json_t *ring_json(const struct v4v_client *c, unsigned int id,
                         const uint64_t *f)
{
    json_t *row = named(c, id);
    char *from = f[1] == V4V_DOMID_ANY ? xstrdup("*")
                                       : v4v_domain_name(c, (unsigned int)f[1]);

    set_number(row, "port", f[0]);
    json_object_set_new(row, "from", json_string(from));
    set_number(row, "size", f[3]);
    set_number(row, "used", f[4]);
    set_number(row, "used_percent", f[3] == 0 ? 0 : f[4] * 100 / f[3]);
    set_number(row, "waiting", f[5]);
    set_number(row, "messages", f[6]);
    set_number(row, "bytes", f[7]);
    json_object_set_new(
        row, "abi", json_string(f[2] & V4V_RING_STAT_ARGO ? "argo" : "v4v"));
    json_object_set_new(row, "orphan",
                        json_boolean(f[2] & V4V_RING_STAT_ORPHAN));
    free(from);
    return row;
}

static int look_rings(struct v4v_client *c, unsigned int id, uint64_t flags,
                      json_t *rows)
{
    unsigned int error;
    size_t start = 0;
    int rc;

    (void)flags;
    do {
        rc = v4v_ask(c, RING_HEAD, RING_FIELDS, &error, "rings %u %zu", id,
                     start);
        if (rc != EXIT_OK || error != 0) {
            return rc != EXIT_OK || error == RV_ESRCH ? rc
                                                      : v4v_refused(c, error);
        }
        for (size_t i = 0; i < c->answer.record_count; i++) {
            json_array_append_new(rows,
                                  ring_json(c, id, c->answer.record[i].value));
        }
        start += c->answer.record_count;
    } while (c->answer.record_count == ANSWER_LIST_FULL &&
             start < RINGS_LOOK_MAX);
    return start < RINGS_LOOK_MAX ? EXIT_OK : list_is_endless(c);
}

int v4v_list(struct v4v_client *c, const struct v4v_options *o)
{
    static const struct table_column columns[] = {
        {"DOMAIN", "domain"},  {"ID", "id"},           {"PORT", "port"},
        {"FROM", "from"},      {"SIZE", "size"},       {"USED", "used"},
        {"%", "used_percent"}, {"WAITING", "waiting"}, {"MESSAGES", "messages"},
        {"BYTES", "bytes"},    {"ABI", "abi"},         {"ORPHAN", "orphan"},
    };

    return look_show(c, o, look_rings, columns, ARRAY_SIZE(columns));
}

/* ---- limits and stats ------------------------------------------------- */

/* Adds the limits to a row. @return an exit code; *gone: the domain is. */
static int add_limits(struct v4v_client *c, unsigned int id, json_t *row,
                      bool *gone)
{
    unsigned int error;
    int rc = v4v_ask(c, LIMIT_COUNT, 0, &error, "limits %u", id);

    *gone = error == RV_ESRCH;
    if (rc != EXIT_OK || error != 0) {
        return rc != EXIT_OK || *gone ? rc : v4v_refused(c, error);
    }
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        set_number(row, limit_names[i], c->answer.head.value[i]);
    }
    return EXIT_OK;
}

/* Sums up a domain's rings. */
static int add_traffic(struct v4v_client *c, unsigned int id, json_t *row,
                       bool *gone)
{
    uint64_t rings = 0, bytes = 0, used = 0, waiting = 0;
    unsigned int error;
    int rc;

    do {
        rc = v4v_ask(c, RING_HEAD, RING_FIELDS, &error, "rings %u %llu", id,
                     (unsigned long long)rings);
        *gone = error == RV_ESRCH;
        if (rc != EXIT_OK || error != 0) {
            return rc != EXIT_OK || *gone ? rc : v4v_refused(c, error);
        }
        for (size_t i = 0; i < c->answer.record_count; i++) {
            const uint64_t *f = c->answer.record[i].value;

            rings++;
            bytes += f[3];
            used += f[4];
            waiting += f[5];
        }
    } while (c->answer.record_count == ANSWER_LIST_FULL &&
             rings < RINGS_LOOK_MAX);
    if (rings >= RINGS_LOOK_MAX) {
        return list_is_endless(c);
    }
    set_number(row, "sent_messages", c->answer.head.value[0]);
    set_number(row, "sent_bytes", c->answer.head.value[1]);
    set_number(row, "refused", c->answer.head.value[2]);
    set_number(row, "rings", rings);
    set_number(row, "ring_bytes", bytes);
    set_number(row, "used_bytes", used);
    set_number(row, "waiting", waiting);
    return EXIT_OK;
}

static int look_stats(struct v4v_client *c, unsigned int id, uint64_t flags,
                      json_t *rows)
{
    json_t *row = named(c, id);
    bool gone = false;
    int rc;

    json_object_set_new(row, "state", json_string(state_name(flags)));
    rc = add_traffic(c, id, row, &gone);
    if (rc == EXIT_OK && !gone) {
        rc = add_limits(c, id, row, &gone);
    }
    if (rc == EXIT_OK && !gone) {
        json_array_append(rows, row);
    }
    json_decref(row);
    return rc;
}

static int look_limits(struct v4v_client *c, unsigned int id, uint64_t flags,
                       json_t *rows)
{
    json_t *row = named(c, id);
    bool gone;
    int rc = add_limits(c, id, row, &gone);

    (void)flags;
    if (rc == EXIT_OK && !gone) {
        json_array_append(rows, row);
    }
    json_decref(row);
    return rc;
}

int v4v_stats(struct v4v_client *c, const struct v4v_options *o)
{
    static const struct table_column columns[] = {
        {"DOMAIN", "domain"},    {"ID", "id"},
        {"STATE", "state"},      {"SENT", "sent_messages"},
        {"BYTES", "sent_bytes"}, {"REFUSED", "refused"},
        {"RINGS", "rings"},      {"MAX", "max-rings"},
        {"SIZE", "ring_bytes"},  {"USED", "used_bytes"},
        {"WAITING", "waiting"},
    };

    return look_show(c, o, look_stats, columns, ARRAY_SIZE(columns));
}

/* "max-rings=16" into its place. @return NULL, or what is wrong. */
static const char *limit_parse(const char *text, uint64_t *limit)
{
    const char *equals = strchr(text, '=');

    for (size_t i = 0; equals != NULL && i < LIMIT_COUNT; i++) {
        if (strlen(limit_names[i]) == (size_t)(equals - text) &&
            strncmp(text, limit_names[i], (size_t)(equals - text)) == 0) {
            return v4v_number_parse(equals + 1, UINT32_MAX, &limit[i])
                       ? NULL
                       : "a limit is a number";
        }
    }
    return "limits are max-rings=N, max-sendv=N, max-notify=N and "
           "max-send-size=N";
}

static int limits_change(struct v4v_client *c, const struct v4v_options *o)
{
    uint64_t limit[LIMIT_COUNT];
    unsigned int id;
    const char *wrong = v4v_domain_parse(&c->names, o->args[0], &id);
    int rc;

    if (wrong != NULL) {
        say("%s: %s", o->args[0], wrong);
        return EXIT_FAILED;
    }
    rc = v4v_ask(c, LIMIT_COUNT, 0, NULL, "limits %u", id);
    memcpy(limit, c->answer.head.value, sizeof(limit));
    for (size_t i = 1; rc == EXIT_OK && i < o->arg_count; i++) {
        wrong = limit_parse(o->args[i], limit);
        if (wrong != NULL) {
            say("%s: %s", o->args[i], wrong);
            return EXIT_USAGE;
        }
    }
    return rc != EXIT_OK
               ? rc
               : v4v_ask(c, 0, 0, NULL, "limit %u %u %u %u %u", id,
                         (unsigned int)limit[0], (unsigned int)limit[1],
                         (unsigned int)limit[2], (unsigned int)limit[3]);
}

int v4v_limits(struct v4v_client *c, const struct v4v_options *o)
{
    static const struct table_column columns[] = {
        {"DOMAIN", "domain"},         {"ID", "id"},
        {"MAX-RINGS", "max-rings"},   {"MAX-SENDV", "max-sendv"},
        {"MAX-NOTIFY", "max-notify"}, {"MAX-SEND-SIZE", "max-send-size"},
    };
    int rc = o->arg_count > 1 ? limits_change(c, o) : EXIT_OK;

    return rc != EXIT_OK
               ? rc
               : look_show(c, o, look_limits, columns, ARRAY_SIZE(columns));
}
