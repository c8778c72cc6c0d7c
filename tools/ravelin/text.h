/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text form of the manifest: YAML with a line and column for every value,
 * so that each mistake, also one found much later, can point at its cause.
 */
#pragma once

#include "cli.h"
#include "ravelin/manifest.h"

/* A place in the text, from 1; line 0: no place known. */
struct text_mark {
    int line;
    int column;
};

struct text_mistake {
    enum manifest_rule rule;
    struct text_mark mark;
    char *where;  /* "domain 'linux', memory"; may be "" */
    char *detail; /* the offending value; may be "" */
    char *fix;    /* replaces the rule's own fix; may be NULL */
};

/* The settings that name files, and become boot modules. */
enum text_file {
    TEXT_KERNEL,
    TEXT_RAMDISK,
    TEXT_FIRMWARE,
    TEXT_VGABIOS,
    TEXT_DISK,
    TEXT_CDROM,
    TEXT_FILE_COUNT,
};

/** @return which file setting @field is; TEXT_FILE_COUNT if it is none. */
enum text_file text_file_of(int field);

/* Where an entry and each of its settings stand. */
struct text_place {
    struct text_mark start;
    struct text_mark value[MANIFEST_FIELD_COUNT];
    bool is_wrong[MANIFEST_FIELD_COUNT]; /* a mistake was reported there */
};

/* A name that can only be resolved when all domains are known. */
struct text_reference {
    int domain; /* index of the watching domain; -1: of a v4v rule */
    int rule;   /* index of the v4v rule */
    int field;  /* MANIFEST_F_MONITORS, _FROM or _TO */
    char *name;
    struct text_mark mark;
};

struct text_manifest {
    char *path;
    char *build_dir; /* value of ${BUILD} */
    struct blob source;
    struct manifest m;
    struct text_place machine; /* sections machine and v4v */
    struct text_place domain[MANIFEST_DOMAINS_MAX];
    struct text_place rule[MANIFEST_RULES_MAX];
    /* Files of each domain, variables expanded, or NULL. */
    char *file[MANIFEST_DOMAINS_MAX][TEXT_FILE_COUNT];
    struct text_reference *reference;
    size_t reference_count;
    struct text_mistake *mistake;
    size_t mistake_count;
    unsigned int error_count;
    unsigned int warning_count;
};

/**
 * Reads and checks a manifest. Mistakes are collected in @t, all of them.
 *
 * @param with_files  also check that kernels and ramdisks can be read.
 * @return 0 if the file could be read (look at t->error_count); a negative
 *         errno of the host if not. Call text_free() in either case.
 */
rv_must_check int text_load(struct text_manifest *t, const char *path,
                            const char *build_dir, bool with_files);
void text_free(struct text_manifest *t);

/**
 * Adds a mistake and counts it.
 *
 * @param where, detail, fix  taken over (heap or NULL).
 */
void text_add_mistake(struct text_manifest *t, enum manifest_rule rule,
                      struct text_mark mark, char *where, char *detail,
                      char *fix);

/** Adds a mistake about a setting of domain @domain. Texts as above. */
void text_add_domain_mistake(struct text_manifest *t, int domain, int field,
                             enum manifest_rule rule, char *detail, char *fix);

/** Prints all mistakes, in the order of the text, with the lines quoted. */
void text_show_mistakes(const struct text_manifest *t, FILE *to, bool colour);

/** @return all mistakes as a JSON array. */
json_t *text_mistakes_json(const struct text_manifest *t);

/** Compiles to a flattened device tree. @return false if it does not fit. */
rv_must_check bool text_compile(const struct manifest *m, struct blob *out);

/**
 * The nearest of @count words to @word, if it is near enough to be a slip.
 * @return the word, or NULL.
 */
const char *suggest_word(const char *word, const char *const *words,
                         size_t count);
