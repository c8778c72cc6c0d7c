/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bootable ISO of a bundle: GRUB loads the hypervisor by multiboot2, with
 * the bundle's files as modules. The console is plain by default, because on a
 * real serial line nobody takes the channels apart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle.h"
#include "process.h"

static char *grub_config(const struct bundle *b, const char *append)
{
    char *config;
    char *text = xprintf("serial --unit=0 --speed=115200\n"
                         "terminal_input serial console\n"
                         "terminal_output serial console\n"
                         "set timeout=0\n"
                         "menuentry \"Ravelin\" {\n"
                         "    multiboot2 /boot/ravelin %s\n",
                         append != NULL ? append : "console=plain");

    for (size_t i = 0; i < b->module_count; i++) {
        char *longer = xprintf("%s    module2 /boot/%s %s\n", text,
                               b->module[i], b->module[i]);

        free(text);
        text = longer;
    }
    config = xprintf("%s}\n", text);
    free(text);
    return config;
}

/* Hard links would do, but the bundle may lie across file systems. */
static bool stage_file(const struct bundle *b, const char *stage,
                       const char *name)
{
    char *from = bundle_path(b, name);
    char *to = xprintf("%s/boot/%s", stage, name);
    struct blob data = {0};
    int r = file_read(from, &data);

    if (r == 0) {
        r = file_write(to, data.data, data.len);
    }
    if (r != 0) {
        say("%s: %s", from, strerror(-r));
    }
    blob_free(&data);
    free(from);
    free(to);
    return r == 0;
}

static bool stage_all(const struct bundle *b, const char *stage,
                      const char *append)
{
    char *grub = xprintf("%s/boot/grub", stage);
    char *config = grub_config(b, append);
    char *path = xprintf("%s/grub.cfg", grub);
    int r = dir_make(grub);
    bool ok;

    if (r == 0) {
        r = file_write(path, config, strlen(config));
    }
    if (r != 0) {
        say("%s: %s", path, strerror(-r));
    }
    ok = r == 0 && stage_file(b, stage, "ravelin");
    for (size_t i = 0; ok && i < b->module_count; i++) {
        ok = stage_file(b, stage, b->module[i]);
    }
    free(grub);
    free(config);
    free(path);
    return ok;
}

static void unstage(const struct bundle *b, const char *stage)
{
    const char *dirs[] = {"boot/grub", "boot", ""};
    char *path = xprintf("%s/boot/ravelin", stage);

    unlink(path);
    free(path);
    path = xprintf("%s/boot/grub/grub.cfg", stage);
    unlink(path);
    free(path);
    for (size_t i = 0; i < b->module_count; i++) {
        path = xprintf("%s/boot/%s", stage, b->module[i]);
        unlink(path);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        path = xprintf("%s/%s", stage, dirs[i]);
        rmdir(path);
        free(path);
    }
}

static int run_grub(const char *iso, const char *stage)
{
    char program[] = "grub-mkrescue";
    char option[] = "-o";
    char *out = xstrdup(iso);
    char *from = xstrdup(stage);
    char *args[] = {program, option, out, from, NULL};
    char *output = NULL;
    int status = process_run(args, &output);

    if (status == 127) {
        say("grub-mkrescue cannot be started\n"
            "  fix: apt-get install grub-common grub-pc-bin xorriso");
    } else if (status != 0) {
        say("grub-mkrescue failed with status %d:\n%s", status, output);
    }
    free(output);
    free(out);
    free(from);
    return status == 0 ? EXIT_OK : status == 127 ? EXIT_LACKS : EXIT_FAILED;
}

int bundle_iso(const struct bundle *b, const char *append)
{
    char *stage = bundle_path(b, "iso");
    char *iso = bundle_path(b, "ravelin.iso");
    int rc = EXIT_FAILED;

    if (stage_all(b, stage, append)) {
        rc = run_grub(iso, stage);
    }
    unstage(b, stage);
    free(stage);
    free(iso);
    return rc;
}
