/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin v4v rules, add, del, explain.
 */
#include "cmd_v4v.h"

#include <stdlib.h>
#include <string.h>

#include "ravelin/errno.h"
#include "table.h"

enum { RULE_HEAD = 3, RULE_FIELDS = 6 };
enum { DEFAULT_ACCEPTS, DEFAULT_HITS, RULE_COUNT };

static const char *action_name(uint64_t accept)
{
    return accept != 0 ? "accept" : "deny";
}

/* @return an error message's exit code. */
static int wrong_usage(const char *what, const char *wrong)
{
    say("%s: %s", what, wrong);
    return EXIT_USAGE;
}

static struct v4vtables_rule rule_of(const struct answer_fields *f)
{
    return (struct v4vtables_rule){
        .src = {.domain = (uint16_t)f->value[0], .port = (uint32_t)f->value[1]},
        .dst = {.domain = (uint16_t)f->value[2], .port = (uint32_t)f->value[3]},
        .accept = f->value[4] != 0,
    };
}

static json_t *text_json(char *text)
{
    json_t *value = json_string(text);

    free(text);
    return value;
}

static json_t *rule_json(const struct v4v_client *c, size_t position,
                         const struct answer_fields *f)
{
    struct v4vtables_rule r = rule_of(f);

    return json_pack("{s:I, s:o, s:o, s:s, s:I}", "position",
                     (json_int_t)position, "from",
                     text_json(v4v_address_text(&c->names, &r.src)), "to",
                     text_json(v4v_address_text(&c->names, &r.dst)), "action",
                     action_name(r.accept), "hits", (json_int_t)f->value[5]);
}

/* ---- rules ------------------------------------------------------------ */

static int rules_collect(struct v4v_client *c, json_t *rows)
{
    int rc;

    do {
        size_t first = json_array_size(rows) + 1;

        rc = v4v_ask(c, RULE_HEAD, RULE_FIELDS, NULL, "rules %zu", first);
        for (size_t i = 0; rc == EXIT_OK && i < c->answer.record_count; i++) {
            json_array_append_new(
                rows, rule_json(c, first + i, &c->answer.record[i]));
        }
    } while (rc == EXIT_OK && c->answer.record_count == ANSWER_LIST_FULL);
    return rc;
}

int v4v_rules(struct v4v_client *c, const struct v4v_options *o)
{
    static const struct table_column columns[] = {
        {"POSITION", "position"}, {"HITS", "hits"}, {"ACTION", "action"},
        {"FROM", "from"},         {"TO", "to"},
    };
    json_t *rows = json_array();
    int rc = rules_collect(c, rows);
    const uint64_t *head = c->answer.head.value;

    if (rc == EXIT_OK && o->common.json) {
        json_show(json_pack("{s:s, s:I, s:O}", "default",
                            action_name(head[DEFAULT_ACCEPTS]), "default_hits",
                            (json_int_t)head[DEFAULT_HITS], "rules", rows));
    } else if (rc == EXIT_OK) {
        table_show(rows, columns, ARRAY_SIZE(columns));
        printf("default: %s, %llu hits\n", action_name(head[DEFAULT_ACCEPTS]),
               (unsigned long long)head[DEFAULT_HITS]);
    }
    json_decref(rows);
    return rc;
}

/* ---- add and del ------------------------------------------------------ */

/* @return false with *rc set. */
static bool rule_count(struct v4v_client *c, uint64_t *count, int *rc)
{
    *rc = v4v_ask(c, RULE_HEAD, RULE_FIELDS, NULL, "rules %u", UINT32_MAX);
    *count = c->answer.head.value[RULE_COUNT];
    return *rc == EXIT_OK;
}

static void show_done(const struct v4v_options *o, const char *what,
                      uint64_t number, const char *text)
{
    if (o->common.json) {
        json_show(json_pack("{s:I}", what, (json_int_t)number));
    } else {
        printf("%s %llu%s%s\n", what, (unsigned long long)number,
               text == NULL ? "" : ": ", text == NULL ? "" : text);
    }
}

/* The number in front of a rule, or 0 for the end. */
static int add_position(struct v4v_client *c, const char *word, uint64_t *at)
{
    uint64_t count;
    int rc;

    if (word != NULL && (!v4v_number_parse(word, UINT32_MAX, at) || *at == 0)) {
        return wrong_usage(word, "a position is a number from 1 on");
    }
    if (!rule_count(c, &count, &rc)) {
        return rc;
    }
    if (word == NULL) {
        *at = count + 1;
    }
    if (*at > count + 1) {
        say("position %llu is out of range: the table has %llu rules, so the "
            "last place is %llu",
            (unsigned long long)*at, (unsigned long long)count,
            (unsigned long long)count + 1);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int add_words(struct v4v_client *c, const struct v4v_options *o,
                     char *const *words, size_t count)
{
    bool has_position = count == 5;
    struct v4vtables_rule r;
    uint64_t at = 0;
    const char *wrong = v4v_rule_parse(&c->names, words + has_position,
                                       count - has_position, &r);
    char *text;
    int rc;

    if (wrong != NULL) {
        return wrong_usage("add", wrong);
    }
    rc = add_position(c, has_position ? words[0] : NULL, &at);
    if (rc == EXIT_OK) {
        rc = v4v_ask(c, 0, 0, NULL, "add %llu %u %u %u %u %u",
                     (unsigned long long)at, r.src.domain, r.src.port,
                     r.dst.domain, r.dst.port, r.accept);
    }
    if (rc == EXIT_OK) {
        text = v4v_rule_text(&c->names, &r);
        show_done(o, "position", at, text);
        free(text);
    }
    return rc;
}

int v4v_add(struct v4v_client *c, const struct v4v_options *o)
{
    size_t count;
    char **words = v4v_words(o->args, o->arg_count, &count);
    int rc = add_words(c, o, words, count);

    free(words);
    return rc;
}

static int del_position(struct v4v_client *c, const char *word)
{
    unsigned int error;
    uint64_t count;
    uint64_t at;
    int rc;

    if (!v4v_number_parse(word, UINT32_MAX, &at) || at == 0) {
        return wrong_usage(word, "a position is a number from 1 on");
    }
    rc = v4v_ask(c, 0, 0, &error, "del %llu", (unsigned long long)at);
    if (rc != EXIT_OK || error == 0) {
        return rc;
    }
    if (error == RV_ENOENT && rule_count(c, &count, &rc)) {
        say("there is no rule at position %llu: the table has %llu",
            (unsigned long long)at, (unsigned long long)count);
        return EXIT_FAILED;
    }
    return rc != EXIT_OK ? rc : v4v_refused(c, error);
}

static int del_words(struct v4v_client *c, char *const *words, size_t count)
{
    struct v4vtables_rule r;
    const char *wrong;

    if (count == 1) {
        return del_position(c, words[0]);
    }
    wrong = v4v_rule_parse(&c->names, words, count, &r);
    if (wrong != NULL) {
        return wrong_usage("del", wrong);
    }
    return v4v_ask(c, 0, 0, NULL, "delrule %u %u %u %u %u", r.src.domain,
                   r.src.port, r.dst.domain, r.dst.port, r.accept);
}

int v4v_del(struct v4v_client *c, const struct v4v_options *o)
{
    uint64_t deleted = 1;
    size_t count;
    char **words;
    int rc;

    if (o->all) {
        rc =
            rule_count(c, &deleted, &rc) ? v4v_ask(c, 0, 0, NULL, "flush") : rc;
    } else {
        words = v4v_words(o->args, o->arg_count, &count);
        rc = del_words(c, words, count);
        free(words);
    }
    if (rc == EXIT_OK) {
        show_done(o, "deleted", deleted, NULL);
    }
    return rc;
}

/* ---- explain ---------------------------------------------------------- */

/* Who sends and who receives is one domain each. */
static const char *exact_address(const struct v4v_client *c, const char *text,
                                 struct v4v_addr *out)
{
    const char *wrong = v4v_address_parse(&c->names, text, out);

    if (wrong == NULL &&
        (out->domain == V4V_DOMID_ANY || out->port == V4V_PORT_ANY)) {
        wrong = "one domain and one port, please";
    }
    return wrong;
}

static void explain_show(const struct v4v_options *o, const uint64_t *head,
                         const json_t *rule)
{
    if (o->common.json) {
        json_show(json_pack(
            "{s:s, s:o, s:I, s:O}", "action", action_name(head[0]), "position",
            head[1] ? json_integer((json_int_t)head[1]) : json_null(), "hits",
            (json_int_t)head[2], "rule", rule));
    } else if (json_is_null(rule)) {
        printf("%s: no rule matches, the default decides (%llu hits)\n",
               action_name(head[0]), (unsigned long long)head[2]);
    } else {
        printf("%s: rule %llu decides, %s -> %s %s (%llu hits)\n",
               action_name(head[0]), (unsigned long long)head[1],
               json_string_value(json_object_get(rule, "from")),
               json_string_value(json_object_get(rule, "to")),
               json_string_value(json_object_get(rule, "action")),
               (unsigned long long)head[2]);
    }
}

int v4v_explain(struct v4v_client *c, const struct v4v_options *o)
{
    struct v4v_addr end[2];
    uint64_t head[3];
    json_t *rule;
    int rc;

    for (size_t i = 0; i < 2; i++) {
        const char *wrong = exact_address(c, o->args[i], &end[i]);

        if (wrong != NULL) {
            return wrong_usage(o->args[i], wrong);
        }
    }
    rc = v4v_ask(c, 3, 0, NULL, "explain %u %u %u %u", end[0].domain,
                 end[0].port, end[1].domain, end[1].port);
    if (rc != EXIT_OK) {
        return rc;
    }
    memcpy(head, c->answer.head.value, sizeof(head));
    rule = json_null();
    if (head[1] != 0) {
        rc = v4v_ask(c, RULE_HEAD, RULE_FIELDS, NULL, "rules %llu",
                     (unsigned long long)head[1]);
        if (rc == EXIT_OK && c->answer.record_count > 0) {
            rule = rule_json(c, (size_t)head[1], &c->answer.record[0]);
        }
    }
    if (rc == EXIT_OK) {
        explain_show(o, head, rule);
    }
    json_decref(rule);
    return rc;
}
