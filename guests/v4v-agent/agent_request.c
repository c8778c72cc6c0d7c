/* SPDX-License-Identifier: MIT */
/*
 * Requests taken apart and answers put together. The verbs themselves are in
 * agent_verbs.c.
 */
#include "agent.h"

#define DOMAIN_MAX 0x7fffu

struct cursor {
    const char *at;
    const char *end;
};

void agent_put(struct agent_text *t, const char *text)
{
    while (*text && t->at < t->end) {
        *t->at++ = *text++;
    }
}

void agent_put_number(struct agent_text *t, char before, uint64_t n)
{
    char digits[22];
    unsigned int i = sizeof(digits) - 1;

    digits[i] = '\0';
    do {
        digits[--i] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    digits[--i] = before;
    agent_put(t, digits + i);
}

static const char *id_take(struct cursor *c, char *id)
{
    for (unsigned int i = 0; i < AGENT_ID_DIGITS; i++) {
        id[i] = '0';
    }
    if ((size_t)(c->end - c->at) < AGENT_ID_DIGITS) {
        return "no id";
    }
    for (unsigned int i = 0; i < AGENT_ID_DIGITS; i++) {
        char x = c->at[i];

        if (!((x >= '0' && x <= '9') || (x >= 'a' && x <= 'f'))) {
            return "no id";
        }
    }
    for (unsigned int i = 0; i < AGENT_ID_DIGITS; i++) {
        id[i] = *c->at++;
    }
    return NULL;
}

/* Is the next word `word`? It is taken then, with the space in front. */
static bool word_take(struct cursor *c, const char *word)
{
    const char *at = c->at;

    if (at == c->end || *at++ != ' ') {
        return false;
    }
    while (*word) {
        if (at == c->end || *at++ != *word++) {
            return false;
        }
    }
    if (at != c->end && *at != ' ') {
        return false;
    }
    c->at = at;
    return true;
}

static bool number_take(struct cursor *c, uint32_t *out)
{
    const char *at = c->at;
    uint64_t n = 0;

    if (c->end - at < 2 || *at++ != ' ' || *at < '0' || *at > '9') {
        return false;
    }
    for (; at < c->end && *at >= '0' && *at <= '9'; at++) {
        n = n * 10 + (unsigned int)(*at - '0');
        if (n > UINT32_MAX) {
            return false;
        }
    }
    c->at = at;
    *out = (uint32_t)n;
    return true;
}

static bool is_in_range(char kind, uint32_t n)
{
    switch (kind) {
    case 'd':
        return n <= DOMAIN_MAX;
    case 'b':
        return n <= 1;
    default:
        return true;
    }
}

static const char *arguments_take(struct cursor *c, struct agent_request *r)
{
    const char *kind = r->verb->arguments;

    for (unsigned int i = 0; kind[i]; i++) {
        if (!number_take(c, &r->arg[i])) {
            return "an argument is missing or no number";
        }
        if (!is_in_range(kind[i], r->arg[i])) {
            return "an argument is out of range";
        }
    }
    return c->at == c->end ? NULL : "more than the arguments";
}

const char *agent_parse(const char *text, size_t len, struct agent_request *r)
{
    struct cursor c = {text, text + len};
    const char *wrong = id_take(&c, r->id);

    r->verb = agent_verbs;
    if (wrong) {
        return wrong;
    }
    while (r->verb->name && !word_take(&c, r->verb->name)) {
        r->verb++;
    }
    return r->verb->name ? arguments_take(&c, r) : "no such verb";
}

size_t agent_serve(const struct agent_ops *ops, const char *text, size_t len,
                   char *answer)
{
    struct agent_text t = {answer, answer + FRAME_PAYLOAD_MAX};
    struct agent_request r;
    const char *wrong = agent_parse(text, len, &r);
    struct agent_text body;
    long rc;

    for (unsigned int i = 0; i < AGENT_ID_DIGITS; i++) {
        *t.at++ = r.id[i];
    }
    if (wrong) {
        agent_put(&t, " bad ");
        agent_put(&t, wrong);
        return (size_t)(t.at - answer);
    }
    body = t;
    agent_put(&body, " ok");
    rc = r.verb->run(ops, &r, &body);
    if (rc < 0) {
        agent_put(&t, " error");
        agent_put_number(&t, ' ', (uint64_t)-rc);
        return (size_t)(t.at - answer);
    }
    return (size_t)(body.at - answer);
}
