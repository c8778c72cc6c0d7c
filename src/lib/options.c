/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's command line, as a table of options. The text comes from
 * whoever owns the machine; it is bounded, not believed: a word that cannot be
 * understood is remembered for a warning and changes nothing.
 */
#include "ravelin/options.h"

#include "ravelin/cpu.h"
#include "ravelin/string.h"

struct keyword {
    const char *word;
    int value;
};

static const struct keyword console_words[] = {
    {"plain", CONSOLE_PLAIN},
    {"mux", CONSOLE_MUX},
    {NULL, 0},
};

static const struct keyword level_words[] = {
    {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO},
    {"debug", LOG_DEBUG}, {NULL, 0},
};

static bool keyword_parse(const struct keyword *table, const char *value,
                          int *out)
{
    for (; table->word != NULL; table++) {
        if (strcmp(table->word, value) == 0) {
            *out = table->value;
            return true;
        }
    }
    return false;
}

static bool number_parse(const char *value, uint64_t min, uint64_t max,
                         uint64_t *out)
{
    uint64_t n;
    const char *end = string_to_u64(value, &n);

    if (end == NULL || *end != '\0' || n < min || n > max) {
        return false;
    }
    *out = n;
    return true;
}

static bool console_option(struct options *opt, const char *value)
{
    int mode;

    if (!keyword_parse(console_words, value, &mode)) {
        return false;
    }
    opt->console = (enum console_mode)mode;
    return true;
}

static bool level_option(struct options *opt, const char *value)
{
    int level;

    if (!keyword_parse(level_words, value, &level)) {
        return false;
    }
    opt->log_level = (enum log_level)level;
    return true;
}

static bool debug_exit_option(struct options *opt, const char *value)
{
    uint64_t port;

    if (!number_parse(value, 1, UINT16_MAX, &port)) {
        return false;
    }
    opt->debug_exit_port = (uint16_t)port;
    return true;
}

static bool cpu_limit_option(struct options *opt, const char *value)
{
    uint64_t n;

    if (!number_parse(value, 1, CPU_COUNT_MAX, &n)) {
        return false;
    }
    opt->cpu_limit = (unsigned)n;
    return true;
}

static bool bench_option(struct options *opt, const char *value)
{
    opt->bench = strcmp(value, "on") == 0;
    return opt->bench || strcmp(value, "off") == 0;
}

static bool entry_check_option(struct options *opt, const char *value)
{
    size_t length = strnlen(value, sizeof(opt->entry_check));

    if (length == sizeof(opt->entry_check)) {
        return false;
    }
    memcpy(opt->entry_check, value, length + 1);
    return true;
}

static const struct {
    const char *name;
    bool (*apply)(struct options *opt, const char *value);
} option_table[] = {
    {"console", console_option},       {"loglvl", level_option},
    {"debug-exit", debug_exit_option}, {"maxcpus", cpu_limit_option},
    {"bench", bench_option},           {"entry-check", entry_check_option},
};

/* Splits `word` at its '=' and applies it; false if not understood. */
static bool word_apply(struct options *opt, char *word)
{
    char *equals = strchr(word, '=');

    if (equals == NULL) {
        return false;
    }
    *equals = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
        if (strcmp(option_table[i].name, word) == 0) {
            return option_table[i].apply(opt, equals + 1);
        }
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void options_parse(struct options *opt, const char *cmdline)
{
    const char *p = cmdline;

    *opt = (struct options){
        .console = CONSOLE_PLAIN,
        .log_level = LOG_INFO,
        .cpu_limit = CPU_COUNT_MAX,
    };
    for (;;) {
        char word[OPTIONS_WORD_MAX];
        const char *start;
        bool fits;

        while (is_blank(*p)) {
            p++;
        }
        if (*p == '\0') {
            return;
        }
        for (start = p; *p != '\0' && !is_blank(*p); p++) {
        }
        fits =
            string_copy_bounded(word, sizeof(word), start, (size_t)(p - start));
        if (fits && word_apply(opt, word)) {
            continue;
        }
        if (opt->bad_count < OPTIONS_BAD_MAX) {
            (void)string_copy_bounded(opt->bad[opt->bad_count],
                                      OPTIONS_WORD_MAX, start,
                                      (size_t)(p - start));
        }
        opt->bad_count++;
    }
}
