/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader and writer of addresses and rules.
 */
#include "v4v_text.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 63u
#define DOMID_MAX 0x7fefu
#define BLANKS " \t\n"

static bool is_any(const char *text)
{
    return strcmp(text, "*") == 0 || strcmp(text, "any") == 0;
}

bool v4v_number_parse(const char *text, uint64_t max, uint64_t *out)
{
    unsigned int base = 10;
    uint64_t n = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        char c = *text;
        unsigned int digit = c >= '0' && c <= '9'   ? (unsigned int)(c - '0')
                             : c >= 'a' && c <= 'f' ? (unsigned int)(c - 'W')
                             : c >= 'A' && c <= 'F' ? (unsigned int)(c - '7')
                                                    : base;

        if (digit >= base || n > (max - digit) / base) {
            return false;
        }
        n = n * base + digit;
    }
    *out = n;
    return n <= max;
}

const char *v4v_domain_parse(const struct v4v_names *n, const char *text,
                             unsigned int *id)
{
    static const char numbered[] = "domain-";
    const char *digits = text;
    uint64_t number;
    int found = n->find(n->ctx, text);

    if (found >= 0) {
        *id = (unsigned int)found;
        return NULL;
    }
    if (strncmp(text, numbered, sizeof(numbered) - 1) == 0) {
        digits = text + sizeof(numbered) - 1;
    }
    if (v4v_number_parse(digits, DOMID_MAX, &number)) {
        *id = (unsigned int)number;
        return NULL;
    }
    return "there is no such domain";
}

const char *v4v_address_parse(const struct v4v_names *n, const char *text,
                              struct v4v_addr *out)
{
    size_t len = strcspn(text, ":");
    const char *port = text[len] == ':' ? text + len + 1 : "*";
    char domain[NAME_MAX_LEN + 1];
    unsigned int id = V4V_DOMID_ANY;
    const char *wrong = NULL;
    uint64_t number = V4V_PORT_ANY;

    if (len == 0 || len > NAME_MAX_LEN) {
        return "an address is DOMAIN:PORT, for example web:8000 or *:*";
    }
    memcpy(domain, text, len);
    domain[len] = '\0';
    if (!is_any(domain)) {
        wrong = v4v_domain_parse(n, domain, &id);
    }
    if (wrong != NULL) {
        return wrong;
    }
    if (!is_any(port) && (!v4v_number_parse(port, UINT32_MAX, &number) ||
                          number == V4V_PORT_ANY)) {
        return "a port is a number from 1 to 4294967295, or *";
    }
    *out = (struct v4v_addr){.domain = (uint16_t)id, .port = (uint32_t)number};
    return NULL;
}

const char *v4v_rule_parse(const struct v4v_names *n, char *const *words,
                           size_t count, struct v4vtables_rule *out)
{
    struct v4vtables_rule r = {.accept = 0};
    const char *wrong;

    if (count != 4 || strcmp(words[1], "->") != 0) {
        return "a rule is 'SRC -> DST accept' or 'SRC -> DST deny'";
    }
    if (strcmp(words[3], "accept") == 0) {
        r.accept = 1;
    } else if (strcmp(words[3], "deny") != 0) {
        return "a rule ends in accept or deny";
    }
    wrong = v4v_address_parse(n, words[0], &r.src);
    if (wrong == NULL) {
        wrong = v4v_address_parse(n, words[2], &r.dst);
    }
    if (wrong == NULL) {
        *out = r;
    }
    return wrong;
}

char *v4v_address_text(const struct v4v_names *n, const struct v4v_addr *a)
{
    const char *name =
        a->domain == V4V_DOMID_ANY ? "*" : n->name(n->ctx, a->domain);
    char *domain =
        name != NULL ? xstrdup(name) : xprintf("domain-%u", a->domain);
    char *text = a->port == V4V_PORT_ANY ? xprintf("%s:*", domain)
                                         : xprintf("%s:%u", domain, a->port);

    free(domain);
    return text;
}

char *v4v_rule_text(const struct v4v_names *n, const struct v4vtables_rule *r)
{
    char *src = v4v_address_text(n, &r->src);
    char *dst = v4v_address_text(n, &r->dst);
    char *text =
        xprintf("%s -> %s %s", src, dst, r->accept ? "accept" : "deny");

    free(src);
    free(dst);
    return text;
}

char **v4v_words(char *const *args, size_t arg_count, size_t *count)
{
    size_t bytes = 0;
    size_t words = 0;
    char **list;
    char *at;

    for (size_t i = 0; i < arg_count; i++) {
        bytes += strlen(args[i]) + 1;
    }
    /* No more words than bytes. */
    list = xalloc(bytes * sizeof(*list) + bytes);
    at = (char *)(list + bytes);
    for (size_t i = 0; i < arg_count; i++) {
        char *rest;

        memcpy(at, args[i], strlen(args[i]) + 1);
        for (char *w = strtok_r(at, BLANKS, &rest); w != NULL;
             w = strtok_r(NULL, BLANKS, &rest)) {
            list[words++] = w;
        }
        at += strlen(args[i]) + 1;
    }
    *count = words;
    return list;
}
