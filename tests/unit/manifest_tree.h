/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manifest blobs under construction, written node by node with libfdt, so that
 * a test can make any tree, also one that the compiler of manifests never
 * would.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libfdt.h>

#include "ravelin/errno.h"
#include "ravelin/manifest.h"

#define TREE_ROOM 65536

/* 8-byte aligned as the parser demands. */
struct tree {
    _Alignas(8) char bytes[TREE_ROOM];
};

struct tree *tree_new(void);
void tree_begin(struct tree *t, const char *name);
void tree_end(struct tree *t);
void tree_put(struct tree *t, const char *key, const void *data, int len);
void tree_put_text(struct tree *t, const char *key, const char *text);
void tree_put_u32(struct tree *t, const char *key, uint32_t value);
void tree_put_u64(struct tree *t, const char *key, uint64_t value);
void tree_finish(struct tree *t);

/** Opens the root node and says which format this is. */
void tree_root(struct tree *t);
/** What every domain must have. */
void tree_required_settings(struct tree *t, const char *name);
/** A tree with root, section domains and one domain with its required settings
 * open; tree_close_domain() closes all three and finishes the tree. */
struct tree *tree_open_domain(void);
void tree_close_domain(struct tree *t);

/** What the last tree said. */
extern struct manifest tree_manifest;
/** Parses and frees. @return the broken rule. */
enum manifest_rule tree_parse(struct tree *t);
