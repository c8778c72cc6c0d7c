/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See manifest_tree.h.
 */
#include "manifest_tree.h"

#include <stdlib.h>
#include <string.h>

struct manifest tree_manifest;

struct tree *tree_new(void)
{
    struct tree *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    assert_int_equal(fdt_create(t->bytes, TREE_ROOM), 0);
    assert_int_equal(fdt_finish_reservemap(t->bytes), 0);
    return t;
}

void tree_begin(struct tree *t, const char *name)
{
    assert_int_equal(fdt_begin_node(t->bytes, name), 0);
}

void tree_end(struct tree *t)
{
    assert_int_equal(fdt_end_node(t->bytes), 0);
}

void tree_put(struct tree *t, const char *key, const void *data, int len)
{
    assert_int_equal(fdt_property(t->bytes, key, data, len), 0);
}

void tree_put_text(struct tree *t, const char *key, const char *text)
{
    tree_put(t, key, text, (int)strlen(text) + 1);
}

void tree_put_u32(struct tree *t, const char *key, uint32_t value)
{
    assert_int_equal(fdt_property_u32(t->bytes, key, value), 0);
}

void tree_put_u64(struct tree *t, const char *key, uint64_t value)
{
    assert_int_equal(fdt_property_u64(t->bytes, key, value), 0);
}

void tree_root(struct tree *t)
{
    tree_begin(t, "");
    tree_put_text(t, "compatible", MANIFEST_COMPATIBLE);
}

void tree_required_settings(struct tree *t, const char *name)
{
    tree_put_text(t, "name", name);
    tree_put_text(t, "kernel", "x.kernel");
    tree_put_u64(t, "memory", 16u << 20);
}

struct tree *tree_open_domain(void)
{
    struct tree *t = tree_new();

    tree_root(t);
    tree_begin(t, "domains");
    tree_begin(t, "domain@0");
    tree_required_settings(t, "one");
    return t;
}

void tree_finish(struct tree *t)
{
    assert_int_equal(fdt_finish(t->bytes), 0);
}

void tree_close_domain(struct tree *t)
{
    tree_end(t);
    tree_end(t);
    tree_end(t);
    tree_finish(t);
}

enum manifest_rule tree_parse(struct tree *t)
{
    struct manifest_error err;
    int rc = manifest_parse(t->bytes, TREE_ROOM, &tree_manifest, &err);

    if (rc == 0) {
        assert_int_equal(err.rule, MANIFEST_OK);
    } else {
        assert_int_equal(rc, -RV_EINVAL);
        assert_int_not_equal(err.rule, MANIFEST_OK);
        assert_non_null(manifest_rule_lookup(err.rule));
    }
    free(t);
    return err.rule;
}
