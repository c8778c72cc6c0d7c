/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of bars. Instruction counts are those of one processor without
 * hardware help, taken inside a guest.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const struct {
    const char *name;
    const char *unit;
    double bar;
} bars[] = {
    {"hypercall_unknown", "insn", 400},
    {"cpuid_exit", "insn", 400},
    {"evtchn_send_self", "insn", 700},
    {"hvm_param_get", "insn", 800},
    {"cr4_toggle", "insn", 900},
    {"lapic_eoi", "insn", 1200},
    {"cr3_write_idle", "insn", 1},
    {"cr3_sync_event", "insn", 4000},
    {"cr3_async_event", "insn", 900},
    {"boot_to_guest", "insn", 5000000},
    {"image_bytes", "bytes", 400 << 10},
    {"code_lines", "lines", 20000},
    {"domain_overhead_bytes", "bytes", 256 << 10},
    {"linux_prompt_ratio", "ratio", 1.6},
    {"v4v_send_16", "insn", 1500},
    {"v4v_send_4096", "insn", 2300},
    {"v4v_send_65536", "insn", 14000},
    {"v4v_register_64", "insn", 12000},
};

static struct figure *figure_add(struct figures *f, const char *name,
                                 const char *unit, double bar)
{
    struct figure *new;

    f->figure = xrealloc(f->figure, (f->count + 1) * sizeof(*f->figure));
    new = &f->figure[f->count++];
    *new = (struct figure){xstrdup(name), xstrdup(unit), 0, bar, false, false};
    return new;
}

void figures_init(struct figures *f)
{
    memset(f, 0, sizeof(*f));
    for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
        figure_add(f, bars[i].name, bars[i].unit, bars[i].bar);
    }
}

void figures_free(struct figures *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->figure[i].name);
        free(f->figure[i].unit);
    }
    free(f->figure);
    memset(f, 0, sizeof(*f));
}

void figures_set(struct figures *f, const char *name, double value,
                 const char *unit)
{
    struct figure *figure = NULL;

    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->figure[i].name, name) == 0) {
            figure = &f->figure[i];
        }
    }
    if (figure == NULL) {
        figure = figure_add(f, name, unit, -1);
    }
    figure->value = value;
    figure->is_known = true;
}

void figures_set_bar(struct figures *f, const char *name, double bar,
                     bool at_least)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->figure[i].name, name) == 0) {
            f->figure[i].bar = bar;
            f->figure[i].at_least = at_least;
        }
    }
}

static const struct figure *figure_known(const struct figures *f,
                                         const char *name)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->figure[i].is_known && strcmp(f->figure[i].name, name) == 0) {
            return &f->figure[i];
        }
    }
    return NULL;
}

/* The hypervisor tells where the guest's clock started, the guest what it read
 * at its first instruction. */
static void boot_combine(struct figures *f)
{
    const struct figure *base = figure_known(f, "boot_base");
    const struct figure *first = figure_known(f, "first_insn_tsc");

    if (base && first) {
        figures_set(f, "boot_to_guest", base->value + first->value, "insn");
    }
}

bool figures_take_line(struct figures *f, const char *line, const char *suffix)
{
    const char *start = strstr(line, "BENCH ");
    char name[64], unit[16];
    double value;
    char *full;
    char end;

    if (start == NULL ||
        sscanf(start, "BENCH %63[a-z0-9_] %lf %15[a-z]%c", name, &value, unit,
               &end) < 3 ||
        !isfinite(value)) {
        return false;
    }
    full = xprintf("%s%s", name, suffix);
    figures_set(f, full, value, unit);
    free(full);
    boot_combine(f);
    return true;
}

static void show_number(FILE *to, double value)
{
    if (value == floor(value) && fabs(value) < 1e15) {
        fprintf(to, " %12.0f", value);
    } else {
        fprintf(to, " %12.3f", value);
    }
}

void figures_drop(struct figures *f, const char *prefix)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->count; i++) {
        struct figure *x = &f->figure[i];

        if (x->is_known || strncmp(x->name, prefix, strlen(prefix)) != 0) {
            f->figure[kept++] = *x;
        } else {
            free(x->name);
            free(x->unit);
        }
    }
    f->count = kept;
}

size_t figures_show(const struct figures *f, FILE *to, size_t *missed)
{
    size_t missing = 0;

    *missed = 0;
    fprintf(to, "%-24s %12s %12s %-6s verdict\n", "figure", "value", "bar",
            "unit");
    for (size_t i = 0; i < f->count; i++) {
        const struct figure *x = &f->figure[i];
        bool is_met = x->bar < 0 ||
                      (x->at_least ? x->value >= x->bar : x->value <= x->bar);

        fprintf(to, "%-24s", x->name);
        if (x->is_known) {
            show_number(to, x->value);
        } else {
            fprintf(to, " %12s", "-");
        }
        if (x->bar >= 0) {
            show_number(to, x->bar);
        } else {
            fprintf(to, " %12s", "-");
        }
        fprintf(to, " %-6s %s\n", x->unit,
                !x->is_known ? "not measured"
                : x->bar < 0 ? ""
                : is_met     ? "met"
                             : "MISSED");
        missing += !x->is_known;
        *missed += x->is_known && !is_met;
    }
    return missing;
}

json_t *figures_json(const struct figures *f)
{
    json_t *all = json_object();

    for (size_t i = 0; i < f->count; i++) {
        const struct figure *x = &f->figure[i];
        json_t *value;

        if (!x->is_known) {
            continue;
        }
        value = x->value == floor(x->value) && fabs(x->value) < 1e15
                    ? json_integer((json_int_t)x->value)
                    : json_real(x->value);
        json_object_set_new(
            all, x->name,
            json_pack("{s:o, s:s, s:o}", "value", value, "unit", x->unit, "bar",
                      x->bar < 0 ? json_null() : json_real(x->bar)));
    }
    return all;
}
