/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds bundles and reads them back.
 */
#include "bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access_json.h"
#include "emulator.h"
#include "text.h"
#include "unpack.h"

#define BUNDLE_FORMAT 1
/* Hypervisor, its tables and the boot loader's copies. */
#define MEMORY_BASE_MIB 96u

struct build {
    const struct bundle_options *o;
    struct text_manifest text;
    json_t *modules;
    uint64_t module_bytes;
};

static int write_file(struct build *b, const char *name, const void *data,
                      size_t len)
{
    char *path = path_join(b->o->dir, name);
    int r = file_write(path, data, len);

    if (r != 0) {
        say("%s: %s", path, strerror(-r));
    }
    free(path);
    return r == 0 ? EXIT_OK : EXIT_FAILED;
}

static int add_module(struct build *b, const char *name, const char *source,
                      const struct blob *data)
{
    json_array_append_new(b->modules,
                          json_pack("{s:s, s:I, s:s}", "name", name, "bytes",
                                    (json_int_t)data->len, "source", source));
    b->module_bytes += data->len;
    if (!b->o->quiet) {
        fprintf(stderr, "  %-24s %9zu bytes  %s\n", name, data->len, source);
    }
    return write_file(b, name, data->data, data->len);
}

static void check_fit(struct build *b, uint32_t i, uint64_t load_end,
                      uint64_t ramdisk)
{
    const struct manifest_domain *d = &b->text.m.domain[i];

    if (load_end + ramdisk > d->memory) {
        text_add_domain_mistake(
            &b->text, (int)i, MANIFEST_F_MEMORY, MANIFEST_E_KERNEL_SIZE, NULL,
            xprintf("give the domain more than %lluM of memory",
                    (unsigned long long)((load_end + ramdisk) >> 20) + 1));
    }
}

/* Reads a file of domain @i; on failure adds a mistake and returns false. */
static bool read_source(struct build *b, uint32_t i, int field,
                        const char *path, struct blob *out)
{
    int r = file_read(path, out);

    if (r != 0) {
        text_add_domain_mistake(&b->text, (int)i, field,
                                MANIFEST_E_FILE_MISSING,
                                xprintf("%s: %s", path, strerror(-r)), NULL);
    }
    return r == 0;
}

static bool is_shared(const struct build *b, uint32_t i, size_t offset)
{
    const struct manifest *m = &b->text.m;
    const char *name = (const char *)&m->domain[i] + offset;

    for (uint32_t j = 0; j < i; j++) {
        if (strcmp((const char *)&m->domain[j] + offset, name) == 0) {
            return true;
        }
    }
    return false;
}

/* @return end of the kernel in the guest's memory; 0 on a mistake. */
static uint64_t add_kernel(struct build *b, uint32_t i, int *rc)
{
    const struct manifest_domain *d = &b->text.m.domain[i];
    struct blob file, elf = {0}, module = {0};
    const char *why = NULL;
    struct elf_facts facts;

    if (!read_source(b, i, MANIFEST_F_KERNEL, b->text.file[i][TEXT_KERNEL],
                     &file)) {
        return 0;
    }
    if (!unpack_kernel(&file, &elf, &why) ||
        !elf_trim(&elf, &module, &facts, &why)) {
        text_add_domain_mistake(&b->text, (int)i, MANIFEST_F_KERNEL,
                                MANIFEST_E_KERNEL_FORMAT, xstrdup(why), NULL);
        facts.load_end = 0;
    } else if (!is_shared(b, i, offsetof(struct manifest_domain, kernel))) {
        *rc = add_module(b, d->kernel, b->text.file[i][TEXT_KERNEL], &module);
    }
    blob_free(&file);
    blob_free(&elf);
    blob_free(&module);
    return facts.load_end;
}

/* A file that becomes a module as it is. @return its length; 0: none. */
static uint64_t add_file(struct build *b, uint32_t i, enum text_file which,
                         enum manifest_field field, int *rc)
{
    const char *path = b->text.file[i][which];
    size_t offset = manifest_field_lookup((int)field)->offset;
    struct blob file;
    uint64_t len;

    if (path == NULL || !read_source(b, i, (int)field, path, &file)) {
        return 0;
    }
    len = file.len;
    if (!is_shared(b, i, offset)) {
        *rc = add_module(b, (const char *)&b->text.m.domain[i] + offset, path,
                         &file);
    }
    blob_free(&file);
    return len;
}

static void check_image(struct build *b, uint32_t i, enum manifest_field field,
                        uint64_t len, uint64_t unit, uint64_t max)
{
    if (len % unit != 0 || len > max) {
        text_add_domain_mistake(
            &b->text, (int)i, (int)field,
            field == MANIFEST_F_FIRMWARE || field == MANIFEST_F_VGABIOS
                ? MANIFEST_E_FIRMWARE_FORMAT
                : MANIFEST_E_DISK_FORMAT,
            xprintf("%llu bytes", (unsigned long long)len), NULL);
    }
}

static void add_firmware(struct build *b, uint32_t i, int *rc)
{
    static const struct {
        enum text_file file;
        enum manifest_field field;
        uint64_t unit, max;
    } images[] = {
        {TEXT_FIRMWARE, MANIFEST_F_FIRMWARE, 64 << 10, 1 << 20},
        {TEXT_VGABIOS, MANIFEST_F_VGABIOS, 512, 64 << 10},
        {TEXT_DISK, MANIFEST_F_DISK, 512, UINT64_MAX},
        {TEXT_CDROM, MANIFEST_F_CDROM, 2048, UINT64_MAX},
    };

    for (size_t n = 0; n < ARRAY_SIZE(images) && *rc == EXIT_OK; n++) {
        uint64_t len = add_file(b, i, images[n].file, images[n].field, rc);

        check_image(b, i, images[n].field, len, images[n].unit, images[n].max);
    }
}

static int add_domains(struct build *b)
{
    int rc = EXIT_OK;

    for (uint32_t i = 0; rc == EXIT_OK && i < b->text.m.domain_count; i++) {
        uint64_t load_end, ramdisk;

        if (b->text.m.domain[i].firmware[0] != '\0') {
            add_firmware(b, i, &rc);
            continue;
        }
        load_end = add_kernel(b, i, &rc);
        ramdisk = rc == EXIT_OK
                      ? add_file(b, i, TEXT_RAMDISK, MANIFEST_F_RAMDISK, &rc)
                      : 0;
        if (load_end != 0) {
            check_fit(b, i, load_end, ramdisk);
        }
    }
    return rc;
}

static int add_manifest(struct build *b)
{
    struct blob fdt;
    int rc;

    if (!text_compile(&b->text.m, &fdt)) {
        say("%s: the compiled manifest is too large", b->o->manifest);
        return EXIT_FAILED;
    }
    rc = add_module(b, MANIFEST_MODULE, b->o->manifest, &fdt);
    blob_free(&fdt);
    return rc;
}

static int copy_image(struct build *b)
{
    char *path = image_find(b->o->image, b->o->build_dir);
    struct blob image;
    int r = file_read(path, &image);
    int rc;

    if (r != 0) {
        say("hypervisor image %s: %s\n"
            "  fix: build it with 'make', or name one with --image",
            path, strerror(-r));
        free(path);
        return EXIT_LACKS;
    }
    free(path);
    rc = write_file(b, "ravelin", image.data, image.len);
    blob_free(&image);
    return rc;
}

static json_t *domains_json(const struct manifest *m)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < m->domain_count; i++) {
        const struct manifest_domain *d = &m->domain[i];
        bool has_console = d->console != MANIFEST_CONSOLE_NONE &&
                           d->console != MANIFEST_CONSOLE_SERIAL;

        json_array_append_new(
            list,
            json_pack("{s:s, s:i, s:o, s:b, s:b, s:I, s:i}", "name", d->name,
                      "domid", (int)d->domid, "roles", roles_json(d->roles),
                      "console", (int)has_console, "serial",
                      (int)(d->console == MANIFEST_CONSOLE_SERIAL), "memory",
                      (json_int_t)d->memory, "vcpus", (int)d->vcpus));
    }
    return list;
}

/* Modules exist twice for a while: as loaded, and in their domain. */
static unsigned int machine_memory(const struct build *b)
{
    uint64_t bytes = 2 * b->module_bytes;

    for (uint32_t i = 0; i < b->text.m.domain_count; i++) {
        bytes += b->text.m.domain[i].memory;
    }
    return ((unsigned int)(bytes >> 20) + MEMORY_BASE_MIB + 63) / 64 * 64;
}

static int write_index(struct build *b)
{
    json_t *index = json_pack("{s:i, s:s, s:i, s:o, s:O}", "format",
                              BUNDLE_FORMAT, "manifest", b->o->manifest,
                              "memory_mib", (int)machine_memory(b), "domains",
                              domains_json(&b->text.m), "modules", b->modules);
    char *text = json_dumps(index, JSON_INDENT(2));
    int rc = text == NULL ? EXIT_FAILED
                          : write_file(b, "bundle.json", text, strlen(text));

    free(text);
    json_decref(index);
    return rc;
}

static int write_args(const struct bundle_options *o)
{
    struct emulator_options eo = {.program = "qemu-system-x86_64"};
    struct bundle bundle;
    char *text, *path;
    int r;

    if (!bundle_open(&bundle, o->dir)) {
        return EXIT_FAILED;
    }
    text = emulator_args_text(&bundle, &eo);
    path = bundle_path(&bundle, "run.args");
    r = file_write(path, text, strlen(text));
    if (r != 0) {
        say("%s: %s", path, strerror(-r));
    }
    free(path);
    free(text);
    bundle_close(&bundle);
    return r == 0 ? EXIT_OK : EXIT_FAILED;
}

static int build_files(struct build *b)
{
    int r = dir_make(b->o->dir);
    int rc;

    if (r != 0) {
        say("%s: %s", b->o->dir, strerror(-r));
        return EXIT_FAILED;
    }
    rc = copy_image(b);
    rc = rc != EXIT_OK ? rc : add_manifest(b);
    rc = rc != EXIT_OK ? rc : add_domains(b);
    if (rc == EXIT_OK && b->text.error_count == 0) {
        rc = write_index(b);
        rc = rc != EXIT_OK ? rc : write_args(b->o);
    }
    return rc;
}

int bundle_build(const struct bundle_options *o)
{
    struct build *b = xalloc(sizeof(*b));
    int r, rc = EXIT_OK;

    b->o = o;
    b->modules = json_array();
    r = text_load(&b->text, o->manifest, o->build_dir, true);
    if (r != 0) {
        say("%s: %s", o->manifest, strerror(-r));
        rc = EXIT_FAILED;
    } else if (b->text.error_count == 0) {
        rc = build_files(b);
    }
    if (b->text.mistake_count != 0) {
        text_show_mistakes(&b->text, stderr, isatty(STDERR_FILENO));
    }
    if (rc == EXIT_OK && b->text.error_count != 0) {
        rc = EXIT_FAILED;
    }
    text_free(&b->text);
    json_decref(b->modules);
    free(b);
    return rc;
}

char *bundle_path(const struct bundle *b, const char *name)
{
    return path_join(b->dir, name);
}

/* Names are parts of paths. */
static bool is_file_name(const char *name)
{
    return name != NULL && name[0] != '\0' && name[0] != '.' &&
           strchr(name, '/') == NULL;
}

static bool read_index(struct bundle *b, json_t *index)
{
    json_t *domains = json_object_get(index, "domains");
    json_t *modules = json_object_get(index, "modules");
    json_t *entry;
    size_t i;

    if (json_integer_value(json_object_get(index, "format")) != BUNDLE_FORMAT ||
        json_array_size(domains) > MANIFEST_DOMAINS_MAX ||
        json_array_size(modules) > ARRAY_SIZE(b->module)) {
        return false;
    }
    b->memory_mib =
        (unsigned int)json_integer_value(json_object_get(index, "memory_mib"));
    json_array_foreach(domains, i, entry)
    {
        struct bundle_domain *d = &b->domain[b->domain_count];
        const char *name;
        int has_console;

        if (json_unpack(entry, "{s:s, s:i, s:b}", "name", &name, "domid",
                        &d->domid, "console", &has_console) != 0 ||
            !is_file_name(name)) {
            return false;
        }
        d->name = xstrdup(name);
        d->has_console = has_console != 0;
        d->roles = roles_read(json_object_get(entry, "roles"));
        b->serial_is_owned |= json_is_true(json_object_get(entry, "serial"));
        b->domain_count++;
    }
    json_array_foreach(modules, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));

        if (!is_file_name(name)) {
            return false;
        }
        b->module[b->module_count++] = xstrdup(name);
    }
    return b->module_count > 0;
}

bool bundle_open(struct bundle *b, const char *dir)
{
    char *path = path_join(dir, "bundle.json");
    json_error_t error;
    json_t *index = json_load_file(path, 0, &error);
    bool ok;

    memset(b, 0, sizeof(*b));
    b->dir = xstrdup(dir);
    if (index == NULL) {
        say("%s: %s\n  fix: make the directory with 'ravelin build'", path,
            error.text);
        free(path);
        bundle_close(b);
        return false;
    }
    ok = read_index(b, index);
    if (!ok) {
        say("%s: not written by this version of 'ravelin build'", path);
        bundle_close(b);
    }
    json_decref(index);
    free(path);
    return ok;
}

int bundle_find_role(const struct bundle *b, uint32_t role)
{
    for (size_t i = 0; i < b->domain_count; i++) {
        if ((b->domain[i].roles & role) != 0 && b->domain[i].has_console) {
            return (int)i;
        }
    }
    return -1;
}

void bundle_close(struct bundle *b)
{
    for (size_t i = 0; i < b->domain_count; i++) {
        free(b->domain[i].name);
    }
    for (size_t i = 0; i < b->module_count; i++) {
        free(b->module[i]);
    }
    free(b->dir);
    memset(b, 0, sizeof(*b));
}
