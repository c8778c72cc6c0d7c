/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the parts of the YAML reader: the walk over sections (text_load.c)
 * and the decoders for single values (text_value.c).
 */
#pragma once

#include <yaml.h>

#include "text.h"

/* The section that is being read. */
struct text_scope {
    struct text_manifest *t;
    yaml_document_t *doc;
    enum manifest_scope scope;
    int domain; /* index, or -1 */
    int rule;   /* index, or -1 */
    void *base; /* the struct that the section fills */
    struct text_place *place;
};

struct text_mark text_mark_of(const yaml_node_t *node);

/** @return "domain 'x'" or "rule 3" or the section's name; heap. */
char *text_where(const struct text_scope *s, const char *key);

/** The text of a scalar without NULs inside; NULL for anything else. */
const char *text_scalar(const yaml_node_t *node);

/** Decodes the value of a setting into its member, or adds a mistake. */
void text_decode(struct text_scope *s, int field, yaml_node_t *node);

/** Expands ${...} in a file name; adds a mistake and returns NULL on error. */
char *text_expand(struct text_scope *s, int field, const char *value,
                  struct text_mark mark);

/** Resolves names of domains that settings refer to. */
void text_resolve_references(struct text_manifest *t);

/** Names the boot modules and checks that their files can be read. */
void text_resolve_modules(struct text_manifest *t, bool with_files);
