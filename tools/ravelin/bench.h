/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures with their bars, and where they come from.
 */
#pragma once

#include "cli.h"

/* A figure that has been measured, or was expected to be. */
struct figure {
    char *name;
    char *unit;
    double value;
    double bar; /* upper limit; negative: none */
    bool is_known;
    bool at_least; /* the bar is a lower limit */
};

struct figures {
    size_t count;
    struct figure *figure;
};

/** All figures that have a bar, not yet known. */
void figures_init(struct figures *f);
void figures_free(struct figures *f);

/** Sets a figure; one without a bar is added. */
void figures_set(struct figures *f, const char *name, double value,
                 const char *unit);

/** Gives a known figure its bar: an upper limit, or a lower one. */
void figures_set_bar(struct figures *f, const char *name, double bar,
                     bool at_least);

/** Runs the native benchmarks of a build. @return false if one failed. */
bool figures_take_native(struct figures *f, const char *build_dir);

/**
 * Takes a line "BENCH name value unit" of a guest or the hypervisor; others
 * are ignored.
 * @param suffix  added to the name.
 * @return true if it was one.
 */
bool figures_take_line(struct figures *f, const char *line, const char *suffix);

/** Forgets figures that are not known and not wanted, by the start of their
 *  names. */
void figures_drop(struct figures *f, const char *prefix);

/** Prints the table. @return how many figures are missing. */
size_t figures_show(const struct figures *f, FILE *to, size_t *missed);

/** @return {name: {"value", "unit", "bar"}} of all known figures. */
json_t *figures_json(const struct figures *f);

/** Lines of C and assembler with anything but comments, below @path. */
uint64_t lines_count_text(const char *text, size_t len);

/** The hypervisor's own source lines; 0 if @root is not its source tree. */
uint64_t lines_count_hypervisor(const char *root);

/** Bytes that an image loads: of an ELF file its segments, else all of it. */
uint64_t image_bytes(const char *path);
