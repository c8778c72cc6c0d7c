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
#define DEBIAN_SEABIOS "debian:seabios"
#define DEBIAN_SEABIOS_FILE "/usr/share/seabios/bios-256k.bin"
#define DEBIAN_VGABIOS "debian:vgabios"
#define DEBIAN_VGABIOS_FILE "/usr/share/seabios/vgabios-isavga.bin"

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
    if (strcmp(file, DEBIAN_SEABIOS) == 0) {
        path = xstrdup(DEBIAN_SEABIOS_FILE);
    } else if (strcmp(file, DEBIAN_VGABIOS) == 0) {
        path = xstrdup(DEBIAN_VGABIOS_FILE);
    } else {
        dir = path_dir(t->path);
        path = path_join(dir, file);
        free(dir);
    }
    r = with_files ? file_error(path) : 0;
    if (r != 0) {
        text_add_domain_mistake(t, (int)i, field, MANIFEST_E_FILE_MISSING,
                                xprintf("%s: %s", path, strerror(r)),
                                strcmp(path, DEBIAN_SEABIOS_FILE) == 0 ||
                                        strcmp(path, DEBIAN_VGABIOS_FILE) == 0
                                    ? xstrdup("apt-get install seabios")
                                    : NULL);
        free(path);
        return NULL;
    }
    return path;
}

static const struct file_setting {
    int field;
    const char *suffix; /* of the module's name */
    bool is_private;    /* written to: a module for each domain */
} file_settings[TEXT_FILE_COUNT] = {
    [TEXT_KERNEL] = {MANIFEST_F_KERNEL, "kernel", false},
    [TEXT_RAMDISK] = {MANIFEST_F_RAMDISK, "ramdisk", false},
    [TEXT_FIRMWARE] = {MANIFEST_F_FIRMWARE, "firmware", false},
    [TEXT_VGABIOS] = {MANIFEST_F_VGABIOS, "vgabios", false},
    [TEXT_DISK] = {MANIFEST_F_DISK, "disk", true},
    [TEXT_CDROM] = {MANIFEST_F_CDROM, "cdrom", false},
};

enum text_file text_file_of(int field)
{
    unsigned int file = 0;

    while (file < TEXT_FILE_COUNT && file_settings[file].field != field) {
        file++;
    }
    return (enum text_file)file;
}

/*
 * Domains that use the same file share a module, which is called after the
 * first of them; but for disks, which are written to.
 */
static void name_module(struct text_manifest *t, uint32_t i,
                        enum text_file file)
{
    const struct file_setting *f = &file_settings[file];
    size_t offset = manifest_field_lookup(f->field)->offset;
    char *to = (char *)&t->m.domain[i] + offset;
    const char *path = t->file[i][file];
    char *name;

    for (uint32_t j = 0; j < i && !f->is_private; j++) {
        if (t->file[j][file] != NULL && path != NULL &&
            strcmp(t->file[j][file], path) == 0) {
            memcpy(to, (char *)&t->m.domain[j] + offset, MANIFEST_MODULE_MAX);
            return;
        }
    }
    name = xprintf("%s.%s",
                   t->m.domain[i].name[0] != '\0' ? t->m.domain[i].name : "x",
                   f->suffix);
    memcpy(to, name, rv_min(strlen(name) + 1, (size_t)MANIFEST_MODULE_MAX));
    to[MANIFEST_MODULE_MAX - 1] = '\0';
    free(name);
}

/* With files unresolved, a mistake about them was reported already. */
static void resolve_module(struct text_manifest *t, uint32_t i,
                           enum text_file file, bool with_files)
{
    char **name = &t->file[i][file];
    char *path;

    if (*name != NULL) {
        path = resolve_file(t, i, file_settings[file].field, *name, with_files);
        free(*name);
        *name = path;
        name_module(t, i, file);
    } else if (t->domain[i].value[file_settings[file].field].line != 0) {
        name_module(t, i, file);
    }
}

/* Debian's firmware has a BIOS for its screen beside it. */
static void default_vgabios(struct text_manifest *t, uint32_t i)
{
    const struct manifest_domain *d = &t->m.domain[i];
    const char *firmware = t->file[i][TEXT_FIRMWARE];

    if (firmware != NULL && strcmp(firmware, DEBIAN_SEABIOS) == 0 &&
        t->file[i][TEXT_VGABIOS] == NULL &&
        d->console != MANIFEST_CONSOLE_COM1 &&
        (d->without & MANIFEST_DEV_SCREEN) == 0) {
        t->file[i][TEXT_VGABIOS] = xstrdup(DEBIAN_VGABIOS);
    }
}

void text_resolve_modules(struct text_manifest *t, bool with_files)
{
    for (uint32_t i = 0; i < t->m.domain_count; i++) {
        default_vgabios(t, i);
        for (unsigned int file = 0; file < TEXT_FILE_COUNT; file++) {
            resolve_module(t, i, (enum text_file)file, with_files);
        }
    }
}
