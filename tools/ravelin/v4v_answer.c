/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of answers.
 */
#include "v4v_answer.h"

#include <string.h>

static bool take_word(const char **at, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(*at, word, len) != 0) {
        return false;
    }
    *at += len;
    return true;
}

static bool take_number(const char **at, uint64_t *out)
{
    const char *c = *at;
    uint64_t n = 0;

    if (*c < '0' || *c > '9') {
        return false;
    }
    for (; *c >= '0' && *c <= '9'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');

        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *at = c;
    *out = n;
    return true;
}

/* Numbers with one space between, up to ';' or the end. */
static bool take_fields(const char **at, struct answer_fields *f)
{
    f->count = 0;
    do {
        if (f->count == ANSWER_FIELDS_MAX ||
            !take_number(at, &f->value[f->count])) {
            return false;
        }
        f->count++;
    } while (take_word(at, " "));
    return **at == ';' || **at == '\0';
}

static bool take_lists(const char *at, struct answer *a)
{
    if (take_word(&at, " ") && !take_fields(&at, &a->head)) {
        return false;
    }
    while (take_word(&at, ";")) {
        if (a->record_count == ANSWER_RECORDS_MAX ||
            !take_fields(&at, &a->record[a->record_count])) {
            return false;
        }
        a->record_count++;
    }
    return *at == '\0';
}

bool answer_parse(const char *payload, struct answer *a)
{
    const char *at = payload;
    uint64_t error;

    memset(a, 0, sizeof(*a));
    for (size_t i = 0; i < ANSWER_ID_DIGITS; i++, at++) {
        if (strchr("0123456789abcdef", *at) == NULL || *at == '\0') {
            return false;
        }
        a->id[i] = *at;
    }
    if (take_word(&at, " ok")) {
        a->status = ANSWER_OK;
        return take_lists(at, a);
    }
    if (take_word(&at, " error ")) {
        a->status = ANSWER_ERROR;
        if (!take_number(&at, &error) || error == 0 || error > 4095) {
            return false;
        }
        a->error = (unsigned int)error;
        return *at == '\0';
    }
    if (take_word(&at, " bad ")) {
        a->status = ANSWER_BAD;
        a->text = at;
        return true;
    }
    return false;
}

bool answer_has(const struct answer *a, size_t head, size_t record)
{
    if (a->status != ANSWER_OK || a->head.count != head) {
        return false;
    }
    for (size_t i = 0; i < a->record_count; i++) {
        if (a->record[i].count != record) {
            return false;
        }
    }
    return true;
}
