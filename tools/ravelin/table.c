/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text tables. Columns are as wide as their widest cell.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

static char *cell_text(const json_t *value)
{
    if (json_is_string(value)) {
        return xstrdup(json_string_value(value));
    }
    if (json_is_integer(value)) {
        return xprintf("%lld", (long long)json_integer_value(value));
    }
    if (json_is_boolean(value)) {
        return xstrdup(json_is_true(value) ? "yes" : "");
    }
    return xstrdup("-");
}

static bool is_number(const json_t *rows, const char *key)
{
    return json_is_integer(json_object_get(json_array_get(rows, 0), key));
}

static size_t column_width(const json_t *rows, const struct table_column *c)
{
    size_t width = strlen(c->title);

    for (size_t i = 0; i < json_array_size(rows); i++) {
        char *text =
            cell_text(json_object_get(json_array_get(rows, i), c->key));

        width = rv_max(width, strlen(text));
        free(text);
    }
    return width;
}

static void show_cell(const char *text, size_t width, bool right, bool last)
{
    if (right) {
        printf("%*s", (int)width, text);
    } else {
        printf("%-*s", last ? 0 : (int)width, text);
    }
    fputs(last ? "\n" : "  ", stdout);
}

void table_show(const json_t *rows, const struct table_column *columns,
                size_t count)
{
    size_t *width = xalloc(count * sizeof(*width));

    for (size_t i = 0; i < count; i++) {
        width[i] = column_width(rows, &columns[i]);
        show_cell(columns[i].title, width[i], is_number(rows, columns[i].key),
                  i + 1 == count);
    }
    for (size_t row = 0; row < json_array_size(rows); row++) {
        for (size_t i = 0; i < count; i++) {
            const char *key = columns[i].key;
            char *text =
                cell_text(json_object_get(json_array_get(rows, row), key));

            show_cell(text, width[i], is_number(rows, key), i + 1 == count);
            free(text);
        }
    }
    free(width);
}
