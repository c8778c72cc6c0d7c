/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Did you mean": the edit distance in which swapping two neighbours counts
 * as one slip, like inserting, dropping or mistyping one character.
 */
#include <string.h>

#include "text.h"

#define WORD_MAX 40u

static size_t min3(size_t a, size_t b, size_t c)
{
    return rv_min(rv_min(a, b), c);
}

/* Distance of two words of at most WORD_MAX characters. */
static size_t distance(const char *a, size_t la, const char *b, size_t lb)
{
    size_t d[WORD_MAX + 1][WORD_MAX + 1];

    for (size_t i = 0; i <= la; i++) {
        d[i][0] = i;
    }
    for (size_t j = 0; j <= lb; j++) {
        d[0][j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        for (size_t j = 1; j <= lb; j++) {
            size_t change = a[i - 1] == b[j - 1] ? 0 : 1;

            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
                           d[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                d[i][j] = rv_min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[la][lb];
}

const char *suggest_word(const char *word, const char *const *words,
                         size_t count)
{
    size_t len = strlen(word);
    /* One slip in three characters still looks like the word. */
    size_t best = rv_min(len / 3 + 1, (size_t)3) + 1;
    const char *found = NULL;

    if (len == 0 || len > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(words[i]);
        size_t d;

        if (other > WORD_MAX) {
            continue;
        }
        d = distance(word, len, words[i], other);
        if (d < best && d < len) {
            best = d;
            found = words[i];
        }
    }
    return found;
}
