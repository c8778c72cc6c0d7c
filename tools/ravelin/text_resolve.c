/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the text names and the struct needs as something else: names of domains
 * become indexes, files become boot modules, variables become paths.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text_private.h"

#define DEBIAN_CLOUD "debian:linux-cloud"
#define DEBIAN_CLOUD_FILES "/boot/vmlinuz-*-cloud-amd64"

static const char *variable_value(const struct text_manifest *t,
                                  const char *name, size_t len, char **dir)
{
    if (len == 5 && memcmp(name, "BUILD", 5) == 0) {
        return t->build_dir;
    }
    if (len == 12 && memcmp(name, "MANIFEST_DIR", 12) == 0) {
        return *dir = path_dir(t->path);
    }
    return NULL;
}

/* The newest installed kernel; NULL if there is none. */
static char *newest_cloud_kernel(void)
{
    glob_t found;
    char *best = NULL;

    if (glob(DEBIAN_CLOUD_FILES, 0, NULL, &found) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (best == NULL || strverscmp(best, found.gl_pathv[i]) < 0) {
            best = found.gl_pathv[i];
        }
    }
    best = xstrdup(best);
    globfree(&found);
    return best;
}

static char *append(char *text, const char *more, size_t len)
{
    char *longer = xprintf("%s%.*s", text, (int)len, more);

    free(text);
    return longer;
}

char *text_expand(struct text_scope *s, int field, const char *value,
                  struct text_mark mark)
{
    char *text = xstrdup("");
    char *dir = NULL;

    while (*value != '\0') {
        size_t plain = strcspn(value, "$");
        const char *end;
        const char *expanded;

        text = append(text, value, plain);
        value += plain;
        if (*value == '\0') {
            break;
        }
        end = value[1] == '{' ? strchr(value, '}') : NULL;
        expanded = end == NULL
                       ? NULL
                       : variable_value(s->t, value + 2,
                                        (size_t)(end - value - 2), &dir);
        if (expanded == NULL) {
            s->place->is_wrong[field] = true;
            text_add_mistake(s->t, MANIFEST_E_VARIABLE_UNKNOWN, mark,
                             text_where(s, manifest_field_lookup(field)->key),
                             xstrdup(value), NULL);
            free(text);
            return NULL;
        }
        text = append(text, expanded, strlen(expanded));
        free(dir);
        dir = NULL;
        value = end + 1;
    }
    return text;
}

static int domain_index(const struct text_manifest *t, const char *name)
{
    for (uint32_t i = 0; i < t->m.domain_count; i++) {
        if (strcmp(t->m.domain[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static char *suggest_domain(const struct text_manifest *t, const char *name)
{
    const char *names[MANIFEST_DOMAINS_MAX];
    const char *near;

    for (uint32_t i = 0; i < t->m.domain_count; i++) {
        names[i] = t->m.domain[i].name;
    }
    near = suggest_word(name, names, t->m.domain_count);
    return near != NULL ? xprintf("did you mean '%s'?", near) : NULL;
}

static void unknown_domain(struct text_manifest *t,
                           const struct text_reference *r)
{
    struct text_scope s = {.t = t, .domain = r->domain, .rule = r->rule};
    bool is_rule = r->rule >= 0;

    s.scope = is_rule ? MANIFEST_IN_RULE : MANIFEST_IN_DOMAIN;
    s.place = is_rule ? &t->rule[r->rule] : &t->domain[r->domain];
    s.place->is_wrong[r->field] = true;
    text_add_mistake(
        t, is_rule ? MANIFEST_E_RULE_UNKNOWN_DOMAIN : MANIFEST_E_TARGET_UNKNOWN,
        r->mark, text_where(&s, manifest_field_lookup(r->field)->key),
        xstrdup(r->name), suggest_domain(t, r->name));
}

void text_resolve_references(struct text_manifest *t)
{
    for (size_t i = 0; i < t->reference_count; i++) {
        const struct text_reference *r = &t->reference[i];
        int index = domain_index(t, r->name);

        if (index < 0) {
            unknown_domain(t, r);
        } else if (r->rule >= 0) {
            struct manifest_rule_entry *rule = &t->m.rule[r->rule];

            *(r->field == MANIFEST_F_FROM ? &rule->from.domain
                                          : &rule->to.domain) = (uint32_t)index;
        } else {
            t->m.domain[r->domain].monitors |= 1u << index;
            t->m.domain[r->domain].roles |= ROLE_MONITOR;
        }
    }
}

/* @return 0 if @path is a file that can be read; else an errno. */
static int file_error(const char *path)
{
    if (access(path, R_OK) != 0) {
        return errno;
    }
    return dir_exists(path) ? EISDIR : 0;
}

/* Turns the text's file into a path; NULL with a mistake if there is none. */
static char *resolve_file(struct text_manifest *t, uint32_t i, int field,
                          const char *file, bool with_files)
{
    char *dir, *path;
    int r;

    if (strcmp(file, DEBIAN_CLOUD) == 0) {
        path = newest_cloud_kernel();
        if (path == NULL && with_files) {
            text_add_domain_mistake(
                t, (int)i, field, MANIFEST_E_FILE_MISSING,
                xstrdup(DEBIAN_CLOUD_FILES),
                xstrdup("apt-get install linux-image-cloud-amd64"));
        }
        return path;
    }
    dir = path_dir(t->path);
    path = path_join(dir, file);
    free(dir);
    r = with_files ? file_error(path) : 0;
    if (r != 0) {
        text_add_domain_mistake(t, (int)i, field, MANIFEST_E_FILE_MISSING,
                                xprintf("%s: %s", path, strerror(r)), NULL);
        free(path);
        return NULL;
    }
    return path;
}

/*
 * Domains that use the same file share a module, which is called after the
 * first of them.
 */
static void name_module(struct text_manifest *t, uint32_t i, char **files,
                        int field, const char *suffix)
{
    size_t offset = manifest_field_lookup(field)->offset;
    char *to = (char *)&t->m.domain[i] + offset;
    char *name;

    for (uint32_t j = 0; j < i; j++) {
        if (files[j] != NULL && files[i] != NULL &&
            strcmp(files[j], files[i]) == 0) {
            memcpy(to, (char *)&t->m.domain[j] + offset, MANIFEST_MODULE_MAX);
            return;
        }
    }
    name = xprintf("%s.%s",
                   t->m.domain[i].name[0] != '\0' ? t->m.domain[i].name : "x",
                   suffix);
    memcpy(to, name, rv_min(strlen(name) + 1, (size_t)MANIFEST_MODULE_MAX));
    to[MANIFEST_MODULE_MAX - 1] = '\0';
    free(name);
}

static void resolve_module(struct text_manifest *t, uint32_t i, char **files,
                           int field, const char *suffix, bool with_files)
{
    if (files[i] != NULL) {
        char *path = resolve_file(t, i, field, files[i], with_files);

        free(files[i]);
        files[i] = path;
        name_module(t, i, files, field, suffix);
    } else if (field == MANIFEST_F_KERNEL) {
        t->domain[i].is_wrong[field] = true;
    }
}

void text_resolve_modules(struct text_manifest *t, bool with_files)
{
    for (uint32_t i = 0; i < t->m.domain_count; i++) {
        resolve_module(t, i, t->kernel, MANIFEST_F_KERNEL, "kernel",
                       with_files);
        resolve_module(t, i, t->ramdisk, MANIFEST_F_RAMDISK, "ramdisk",
                       with_files);
    }
}
