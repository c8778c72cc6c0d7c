/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the YAML document section by section and hands each setting to its
 * decoder. libyaml's document form is used because every node carries its
 * line and column.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text_private.h"

static const char *const root_keys[] = {"machine", "domains", "v4v"};

struct text_mark text_mark_of(const yaml_node_t *node)
{
    return (struct text_mark){
        .line = (int)node->start_mark.line + 1,
        .column = (int)node->start_mark.column + 1,
    };
}

const char *text_scalar(const yaml_node_t *node)
{
    const char *text;

    if (node == NULL || node->type != YAML_SCALAR_NODE) {
        return NULL;
    }
    text = (const char *)node->data.scalar.value;
    return strlen(text) == node->data.scalar.length ? text : NULL;
}

char *text_where(const struct text_scope *s, const char *key)
{
    const char *comma = key[0] == '\0' ? "" : ", ";

    switch (s->scope) {
    case MANIFEST_IN_DOMAIN:
        if (s->t->m.domain[s->domain].name[0] == '\0') {
            return xprintf("domain %d%s%s", s->domain + 1, comma, key);
        }
        return xprintf("domain '%s'%s%s", s->t->m.domain[s->domain].name, comma,
                       key);
    case MANIFEST_IN_RULE:
        return xprintf("rule %d%s%s", s->rule + 1, comma, key);
    case MANIFEST_IN_V4V:
        return xprintf("v4v%s%s", comma, key);
    default:
        return xprintf("machine%s%s", comma, key);
    }
}

/* A tag that the author wrote, not one that YAML gives by itself. */
static bool has_own_tag(const yaml_node_t *node)
{
    const char *tag = (const char *)node->tag;

    return tag != NULL && strcmp(tag, YAML_STR_TAG) != 0 &&
           strcmp(tag, YAML_SEQ_TAG) != 0 && strcmp(tag, YAML_MAP_TAG) != 0;
}

static void check_tags(struct text_manifest *t, yaml_document_t *doc)
{
    yaml_node_t *node;

    for (int i = 1; (node = yaml_document_get_node(doc, i)) != NULL; i++) {
        if (has_own_tag(node)) {
            text_add_mistake(t, MANIFEST_E_YAML_FEATURE, text_mark_of(node),
                             xstrdup(""), xstrdup((const char *)node->tag),
                             NULL);
        }
    }
}

static void unknown_key(struct text_scope *s, const char *key,
                        struct text_mark mark, const char *also)
{
    const char *keys[MANIFEST_FIELD_COUNT + 1];
    size_t n = 0;
    const char *near;

    for (int i = 0; i < MANIFEST_FIELD_COUNT; i++) {
        const struct manifest_field_info *f = manifest_field_lookup(i);

        if (f->scope == s->scope) {
            keys[n++] = f->key;
        }
    }
    if (also != NULL) {
        keys[n++] = also;
    }
    near = suggest_word(key, keys, n);
    text_add_mistake(s->t, MANIFEST_E_KEY_UNKNOWN, mark, text_where(s, ""),
                     xstrdup(key),
                     near != NULL ? xprintf("did you mean '%s'?", near) : NULL);
}

static bool expect_mapping(struct text_scope *s, const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE) {
        return true;
    }
    text_add_mistake(s->t, MANIFEST_E_VALUE_TYPE, text_mark_of(node),
                     text_where(s, ""), NULL,
                     xstrdup("write settings as 'name: value' lines"));
    /* Nothing was read, so nothing more is to be said about it. */
    for (int i = 0; i < MANIFEST_FIELD_COUNT; i++) {
        s->place->is_wrong[i] = true;
    }
    return false;
}

static void check_required(struct text_scope *s, const bool *seen)
{
    for (int i = 0; i < MANIFEST_FIELD_COUNT; i++) {
        const struct manifest_field_info *f = manifest_field_lookup(i);

        if (f->scope == s->scope && f->required && !seen[i]) {
            s->place->is_wrong[i] = true;
            text_add_mistake(s->t, MANIFEST_E_KEY_MISSING, s->place->start,
                             text_where(s, ""), xstrdup(f->key),
                             xprintf("add '%s:'", f->key));
        }
    }
}

/* One "key: value" of a section with settings. */
static void read_setting(struct text_scope *s, yaml_node_t *key_node,
                         yaml_node_t *value, bool *seen)
{
    const char *key = text_scalar(key_node);
    int field = key == NULL ? MANIFEST_NOWHERE
                            : manifest_field_find(s->scope, key, strlen(key));

    if (field < 0) {
        unknown_key(s, key == NULL ? "" : key, text_mark_of(key_node),
                    s->scope == MANIFEST_IN_V4V ? "rules" : NULL);
        return;
    }
    if (seen[field]) {
        text_add_mistake(s->t, MANIFEST_E_KEY_REPEATED, text_mark_of(key_node),
                         text_where(s, ""), xstrdup(key), NULL);
        return;
    }
    seen[field] = true;
    s->place->value[field] = text_mark_of(value);
    text_decode(s, field, value);
}

/*
 * Reads a section. The name comes first, wherever it stands, so that every
 * other mistake can say whose setting it is.
 */
static void read_settings(struct text_scope *s, yaml_node_t *node,
                          const char *not_a_setting)
{
    bool seen[MANIFEST_FIELD_COUNT] = {false};
    yaml_node_pair_t *pair;

    s->place->start = text_mark_of(node);
    if (!expect_mapping(s, node)) {
        return;
    }
    for (int names = 1; names >= 0; names--) {
        for (pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            yaml_node_t *key = yaml_document_get_node(s->doc, pair->key);
            const char *text = text_scalar(key);

            if (text != NULL && not_a_setting != NULL &&
                strcmp(text, not_a_setting) == 0) {
                continue;
            }
            if ((text != NULL && strcmp(text, "name") == 0) == (names == 1)) {
                read_setting(s, key,
                             yaml_document_get_node(s->doc, pair->value), seen);
            }
        }
    }
    check_required(s, seen);
}

/* Calls @read for each entry of a list of at most @max. */
static void read_list(struct text_scope *s, yaml_node_t *node, uint32_t max,
                      enum manifest_rule too_many,
                      void (*read)(struct text_scope *s, yaml_node_t *node,
                                   uint32_t index))
{
    yaml_node_item_t *item;
    uint32_t i = 0;

    if (node->type != YAML_SEQUENCE_NODE) {
        text_add_mistake(s->t, MANIFEST_E_VALUE_TYPE, text_mark_of(node),
                         xstrdup(""), NULL,
                         xstrdup("write a list, each entry with '- '"));
        return;
    }
    for (item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++, i++) {
        yaml_node_t *entry = yaml_document_get_node(s->doc, *item);

        if (i == max) {
            text_add_mistake(s->t, too_many, text_mark_of(entry), xstrdup(""),
                             NULL, NULL);
            return;
        }
        read(s, entry, i);
    }
}

static void read_domain(struct text_scope *s, yaml_node_t *node, uint32_t i)
{
    struct manifest_domain *d = &s->t->m.domain[i];

    manifest_domain_init(d);
    s->t->m.domain_count = i + 1;
    s->scope = MANIFEST_IN_DOMAIN;
    s->domain = (int)i;
    s->base = d;
    s->place = &s->t->domain[i];
    read_settings(s, node, NULL);
}

static void read_rule(struct text_scope *s, yaml_node_t *node, uint32_t i)
{
    s->t->m.rule_count = i + 1;
    s->scope = MANIFEST_IN_RULE;
    s->rule = (int)i;
    s->base = &s->t->m.rule[i];
    s->place = &s->t->rule[i];
    read_settings(s, node, NULL);
}

static void read_v4v(struct text_scope *s, yaml_node_t *node)
{
    yaml_node_pair_t *pair;

    s->scope = MANIFEST_IN_V4V;
    s->base = &s->t->m.machine;
    s->place = &s->t->machine;
    read_settings(s, node, "rules");
    if (node->type != YAML_MAPPING_NODE) {
        return;
    }
    for (pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const char *key =
            text_scalar(yaml_document_get_node(s->doc, pair->key));

        if (key != NULL && strcmp(key, "rules") == 0) {
            read_list(s, yaml_document_get_node(s->doc, pair->value),
                      MANIFEST_RULES_MAX, MANIFEST_E_RULE_COUNT, read_rule);
        }
    }
}

static void read_section(struct text_scope *s, const char *key,
                         struct text_mark mark, yaml_node_t *value)
{
    s->domain = s->rule = -1;
    if (strcmp(key, "machine") == 0) {
        s->scope = MANIFEST_IN_MACHINE;
        s->base = &s->t->m.machine;
        s->place = &s->t->machine;
        read_settings(s, value, NULL);
    } else if (strcmp(key, "domains") == 0) {
        read_list(s, value, MANIFEST_DOMAINS_MAX, MANIFEST_E_DOMAIN_COUNT,
                  read_domain);
    } else if (strcmp(key, "v4v") == 0) {
        read_v4v(s, value);
    } else {
        const char *near = suggest_word(key, root_keys, ARRAY_SIZE(root_keys));

        text_add_mistake(
            s->t, MANIFEST_E_NODE_UNKNOWN, mark, xstrdup(""), xstrdup(key),
            near != NULL ? xprintf("did you mean '%s'?", near) : NULL);
    }
}

static void read_root(struct text_manifest *t, yaml_document_t *doc)
{
    struct text_scope s = {.t = t, .doc = doc, .domain = -1, .rule = -1};
    yaml_node_t *root = yaml_document_get_root_node(doc);
    struct text_mark top = {1, 1};
    yaml_node_pair_t *pair;
    uint32_t seen = 0;

    if (root == NULL || root->type != YAML_MAPPING_NODE) {
        text_add_mistake(t, MANIFEST_E_NODE_MISSING, top, xstrdup(""),
                         xstrdup("domains"), NULL);
        return;
    }
    for (pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        yaml_node_t *key_node = yaml_document_get_node(doc, pair->key);
        const char *key = text_scalar(key_node);
        uint32_t bit = 0;

        for (size_t i = 0; key != NULL && i < ARRAY_SIZE(root_keys); i++) {
            bit |= strcmp(key, root_keys[i]) == 0 ? 1u << i : 0;
        }
        if ((seen & bit) != 0) {
            text_add_mistake(t, MANIFEST_E_NODE_ORDER, text_mark_of(key_node),
                             xstrdup(""), xstrdup(key), NULL);
            continue;
        }
        seen |= bit;
        read_section(&s, key == NULL ? "" : key, text_mark_of(key_node),
                     yaml_document_get_node(doc, pair->value));
    }
    if (t->m.domain_count == 0) {
        text_add_mistake(t, MANIFEST_E_DOMAIN_COUNT, text_mark_of(root),
                         xstrdup(""), NULL, NULL);
    }
}

static void syntax_mistake(struct text_manifest *t, const yaml_parser_t *p)
{
    struct text_mark mark = {(int)p->problem_mark.line + 1,
                             (int)p->problem_mark.column + 1};

    text_add_mistake(t, MANIFEST_E_YAML_SYNTAX, mark, xstrdup(""),
                     xstrdup(p->problem != NULL ? p->problem : ""), NULL);
}

static void read_yaml(struct text_manifest *t)
{
    yaml_document_t doc, next;
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser)) {
        say("out of memory");
        exit(EXIT_LACKS);
    }
    yaml_parser_set_input_string(&parser, t->source.data, t->source.len);
    if (!yaml_parser_load(&parser, &doc)) {
        syntax_mistake(t, &parser);
        yaml_parser_delete(&parser);
        return;
    }
    check_tags(t, &doc);
    read_root(t, &doc);
    if (!yaml_parser_load(&parser, &next)) {
        syntax_mistake(t, &parser);
    } else {
        yaml_node_t *more = yaml_document_get_root_node(&next);

        if (more != NULL) {
            text_add_mistake(t, MANIFEST_E_YAML_FEATURE, text_mark_of(more),
                             xstrdup(""), NULL, NULL);
        }
        yaml_document_delete(&next);
    }
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
}

/* A mistake of meaning, found in the struct: back to its place in the text. */
static void on_check(void *ctx, const struct manifest_error *err)
{
    struct text_manifest *t = ctx;
    struct text_scope s = {.t = t, .domain = err->domain, .rule = err->item};
    const struct manifest_field_info *f = manifest_field_lookup(err->field);
    struct text_mark mark;

    if (err->domain >= 0) {
        /* The text form names the domain anyway. */
        bool is_own_name =
            strcmp(err->detail, t->m.domain[err->domain].name) == 0;

        text_add_domain_mistake(t, err->domain, err->field, err->rule,
                                xstrdup(is_own_name ? "" : err->detail), NULL);
        return;
    }
    s.scope = MANIFEST_IN_RULE;
    s.place = &t->rule[err->item];
    /* A rule that was not understood says nothing about other rules. */
    for (int i = 0; i < MANIFEST_FIELD_COUNT; i++) {
        if (s.place->is_wrong[i]) {
            return;
        }
    }
    mark = s.place->value[err->field];
    text_add_mistake(t, err->rule, mark.line != 0 ? mark : s.place->start,
                     text_where(&s, f->key), xstrdup(err->detail), NULL);
}

int text_load(struct text_manifest *t, const char *path, const char *build_dir,
              bool with_files)
{
    int r;

    memset(t, 0, sizeof(*t));
    t->path = xstrdup(path);
    t->build_dir = xstrdup(build_dir);
    manifest_init(&t->m);
    r = file_read(path, &t->source);
    if (r != 0) {
        return r;
    }
    read_yaml(t);
    text_resolve_references(t);
    text_resolve_modules(t, with_files);
    manifest_assign_domids(&t->m);
    /* The number of errors is t's own: some point at values already refused. */
    if (manifest_check(&t->m, on_check, t) != 0 && t->error_count == 0) {
        return -EINVAL;
    }
    return 0;
}

void text_free(struct text_manifest *t)
{
    for (size_t i = 0; i < t->mistake_count; i++) {
        free(t->mistake[i].where);
        free(t->mistake[i].detail);
        free(t->mistake[i].fix);
    }
    for (size_t i = 0; i < t->reference_count; i++) {
        free(t->reference[i].name);
    }
    for (size_t i = 0; i < MANIFEST_DOMAINS_MAX; i++) {
        for (size_t n = 0; n < TEXT_FILE_COUNT; n++) {
            free(t->file[i][n]);
        }
    }
    free(t->mistake);
    free(t->reference);
    free(t->path);
    free(t->build_dir);
    blob_free(&t->source);
}
