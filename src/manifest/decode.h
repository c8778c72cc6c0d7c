/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One property of the blob into one member of the struct, by the schema.
 * Private to the blob parser.
 */
#pragma once

#include "ravelin/manifest.h"

struct manifest_parser {
    const void *fdt; /* structurally checked */
    struct manifest *m;
    struct manifest_error *err;
    int domain; /* index being parsed, or MANIFEST_NOWHERE */
    int item;   /* v4v rule being parsed, or MANIFEST_NOWHERE */
};

/**
 * Records the first mistake.
 *
 * @param node    offset of the node, or MANIFEST_NOWHERE.
 * @param detail  untrusted bytes to show, may be NULL.
 * @return -RV_EINVAL, always.
 */
rv_must_check int manifest_parser_fail(struct manifest_parser *p, int node,
                                       enum manifest_rule rule, int field,
                                       const char *detail, size_t len);

/**
 * Decodes a property into its member of @base.
 *
 * @param value  @len bytes inside the blob, 4-byte aligned at best.
 * @return 0; -RV_EINVAL with the error recorded, @base then unspecified.
 */
rv_must_check int manifest_decode(struct manifest_parser *p, int node,
                                  int field, const void *value, size_t len,
                                  void *base);
