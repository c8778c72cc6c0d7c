/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every verb of the host tool shares: exit codes, the table of verbs and
 * the small helpers for memory, files and messages. The tool runs with the
 * rights of whoever starts it and needs no others.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <argp.h>
#include <jansson.h>

#include "ravelin/compiler.h"

/* Documented in ravelin(1); scripts rely on them. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,  /* the thing asked for failed */
    EXIT_USAGE = 2,   /* wrong command line */
    EXIT_LACKS = 3,   /* this machine lacks something; see 'ravelin doctor' */
    EXIT_TIMEOUT = 4, /* time ran out */
    EXIT_PANIC = 5,   /* the hypervisor panicked or the emulator died */
};

struct verb {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* returns an enum exit_code */
};

extern const struct verb verbs[]; /* ends with a NULL name */

int cmd_bench(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_lint_vmcs(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_v4v(int argc, char **argv);

/* Bytes on the heap; data is followed by a NUL that len does not count. */
struct blob {
    unsigned char *data;
    size_t len;
};

/* Memory: these never return NULL; running out of memory ends the program. */
void *xalloc(size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xprintf(const char *fmt, ...) rv_printf(1, 2);
void blob_free(struct blob *b);

/** Prints "ravelin: ..." on standard error. */
void say(const char *fmt, ...) rv_printf(1, 2);

/** Reads a whole file. @return 0 or a negative errno of the host. */
rv_must_check int file_read(const char *path, struct blob *out);

/** Writes a file under a temporary name and renames it. @return as above. */
rv_must_check int file_write(const char *path, const void *data, size_t len);

/** Makes a directory and its parents. @return 0 or a negative errno. */
rv_must_check int dir_make(const char *path);

/** @return true if the path names a directory. */
bool dir_exists(const char *path);

/** @return "dir/name", or a copy of @name if that is absolute. */
char *path_join(const char *dir, const char *name);

/** @return everything before the last component, "." if there is none. */
char *path_dir(const char *path);

/** @return the last component. */
const char *path_base(const char *path);

/** @return the full path of a program in $PATH, or NULL. */
char *program_find(const char *name);

/**
 * Directory with the results of the build: --build-dir, $RAVELIN_BUILD, or the
 * build tree that this program stands in; "build" if there is none.
 */
char *build_dir_find(const char *option);

/** The hypervisor image: --image, or the one in the build directory. */
char *image_find(const char *option, const char *build_dir);

/** Prints JSON to standard output, sorted as given, and drops it. */
void json_show(json_t *value);
