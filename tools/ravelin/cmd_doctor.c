/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin doctor: what this machine lacks to build, run and debug Ravelin, and
 * the command that gets it.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "options.h"
#include "process.h"

/* Free space that the build and a demo need. */
#define DISK_NEEDED_MIB 1024u

enum need { REQUIRED, OPTIONAL };

struct finding {
    const char *name;
    enum need need;
    bool is_ok;
    char *what; /* version, path or what is wrong */
    const char *fix;
};

struct doctor {
    struct finding *finding;
    size_t count;
    char *build_dir;
};

/* Takes @what over. */
static void add(struct doctor *d, const char *name, enum need need, bool is_ok,
                char *what, const char *fix)
{
    d->finding = xrealloc(d->finding, (d->count + 1) * sizeof(*d->finding));
    d->finding[d->count++] = (struct finding){name, need, is_ok, what, fix};
}

static const struct program {
    const char *name;
    const char *version_option; /* NULL: presence is enough */
    enum need need;
    const char *why;
    const char *fix;
} programs[] = {
    {"qemu-system-x86_64", "--version", REQUIRED, "runs the machine",
     "apt-get install qemu-system-x86"},
    {"gcc", "--version", REQUIRED, "builds the hypervisor",
     "apt-get install build-essential"},
    {"meson", "--version", REQUIRED, "builds the hypervisor",
     "apt-get install meson"},
    {"ninja", "--version", REQUIRED, "builds the hypervisor",
     "apt-get install ninja-build"},
    {"grub-mkrescue", "--version", OPTIONAL, "makes ISOs",
     "apt-get install grub-common grub-pc-bin"},
    {"xorriso", NULL, OPTIONAL, "makes ISOs", "apt-get install xorriso"},
    {"clang", "--version", OPTIONAL, "fuzzing, second compiler",
     "apt-get install clang"},
    {"bochs-bin", NULL, OPTIONAL, "the reference machine",
     "apt-get install bochs bochs-term"},
    {"gdb", "--version", OPTIONAL, "debugging", "apt-get install gdb"},
    {"tmux", "-V", OPTIONAL, "several consoles side by side",
     "apt-get install tmux"},
};

/* The first line of what a program prints about its version. */
static char *version_of(const struct program *p, const char *path)
{
    char *file = xstrdup(path);
    char *option = xstrdup(p->version_option == NULL ? "" : p->version_option);
    char *args[] = {file, option, NULL};
    char *text = NULL;

    if (p->version_option == NULL || process_run(args, &text) != 0) {
        free(text);
        free(option);
        return file;
    }
    text[strcspn(text, "\n")] = '\0';
    free(file);
    free(option);
    return text;
}

static void look_for_programs(struct doctor *d)
{
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        const struct program *p = &programs[i];
        char *path = program_find(p->name);

        add(d, p->name, p->need, path != NULL,
            path != NULL ? version_of(p, path)
                         : xprintf("not found (%s)", p->why),
            p->fix);
        free(path);
    }
}

static void look_for_svm(struct doctor *d)
{
    char program[] = "qemu-system-x86_64";
    char option[] = "-cpu";
    char help[] = "help";
    char *args[] = {program, option, help, NULL};
    char *text = NULL;
    int status = process_run(args, &text);
    bool ok = status == 0 && strstr(text, "svm") != NULL;

    if (status != 127) {
        add(d, "qemu: SVM under TCG", REQUIRED, ok,
            xstrdup(ok ? "known" : "this QEMU does not know SVM"),
            "apt-get install qemu-system-x86");
    }
    free(text);
}

static void look_for_kernel(struct doctor *d)
{
    glob_t found;
    bool exists = glob("/boot/vmlinuz-*-cloud-amd64", 0, NULL, &found) == 0;
    const char *last = exists ? found.gl_pathv[found.gl_pathc - 1] : NULL;
    bool ok = exists && access(last, R_OK) == 0;

    add(d, "Debian cloud kernel", REQUIRED, ok,
        ok       ? xstrdup(last)
        : exists ? xprintf("%s is not readable", last)
                 : xstrdup("not installed (guest of the demo)"),
        exists ? "make it readable: chmod a+r /boot/vmlinuz-*-cloud-amd64"
               : "apt-get install linux-image-cloud-amd64");
    if (exists) {
        globfree(&found);
    }
}

static void look_for_busybox(struct doctor *d)
{
    bool ok = access("/bin/busybox", X_OK) == 0;

    add(d, "busybox-static", REQUIRED, ok,
        xstrdup(ok ? "/bin/busybox" : "not found (the demo's user space)"),
        "apt-get install busybox-static");
}

static void look_for_headers(struct doctor *d)
{
    static const struct {
        const char *path;
        const char *name;
        enum need need;
        const char *fix;
    } files[] = {
        {"/usr/include/xen/xen.h", "libxen-dev", REQUIRED,
         "apt-get install libxen-dev"},
        {"/usr/include/libfdt.h", "libfdt-dev", REQUIRED,
         "apt-get install libfdt-dev"},
        {"/usr/include/cmocka.h", "libcmocka-dev", OPTIONAL,
         "apt-get install libcmocka-dev"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        bool ok = access(files[i].path, R_OK) == 0;

        add(d, files[i].name, files[i].need, ok,
            xstrdup(ok ? files[i].path : "not installed"), files[i].fix);
    }
}

static void look_at_disk(struct doctor *d)
{
    const char *where = dir_exists(d->build_dir) ? d->build_dir : ".";
    struct statvfs st;
    uint64_t mib = 0;

    if (statvfs(where, &st) == 0) {
        mib = ((uint64_t)st.f_bavail * st.f_frsize) >> 20;
    }
    add(d, "disk space", REQUIRED, mib >= DISK_NEEDED_MIB,
        xprintf("%llu MiB free", (unsigned long long)mib),
        "free at least 1 GiB where the build directory is");
}

static void look_for_image(struct doctor *d, const char *option)
{
    char *image = image_find(option, d->build_dir);
    bool ok = access(image, R_OK) == 0;

    add(d, "hypervisor image", OPTIONAL, ok,
        ok ? xstrdup(image) : xprintf("%s is not built yet", image), "make");
    free(image);
}

static size_t show_text(const struct doctor *d)
{
    bool tint = isatty(STDOUT_FILENO);
    size_t missing = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct finding *f = &d->finding[i];
        const char *mark = f->is_ok              ? "ok  "
                           : f->need == REQUIRED ? "MISS"
                                                 : "opt ";
        const char *colour = f->is_ok              ? "\033[32m"
                             : f->need == REQUIRED ? "\033[31m"
                                                   : "\033[33m";

        printf("%s%s%s  %-22s %s\n", tint ? colour : "", mark,
               tint ? "\033[0m" : "", f->name, f->what);
        if (!f->is_ok) {
            printf("      fix: %s\n", f->fix);
        }
        missing += !f->is_ok && f->need == REQUIRED;
    }
    if (missing == 0) {
        puts("\nNothing required is missing.");
    } else {
        printf("\n%zu required thing%s missing.\n", missing,
               missing == 1 ? " is" : "s are");
    }
    return missing;
}

static size_t show_json(const struct doctor *d)
{
    json_t *list = json_array();
    size_t missing = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct finding *f = &d->finding[i];

        json_array_append_new(
            list, json_pack("{s:s, s:b, s:b, s:s, s:s}", "name", f->name,
                            "required", (int)(f->need == REQUIRED), "ok",
                            (int)f->is_ok, "found", f->what, "fix", f->fix));
        missing += !f->is_ok && f->need == REQUIRED;
    }
    json_show(
        json_pack("{s:i, s:o}", "missing", (int)missing, "findings", list));
    return missing;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = state->input;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
    .parser = parse,
    .doc = "Tells what this machine lacks to build, run and debug Ravelin, "
           "with the command that gets it.\v"
           "Example:\n  ravelin doctor\n\n"
           "Exit status 3 if something required is missing.",
    .children = common_children,
};

int cmd_doctor(int argc, char **argv)
{
    struct common_options o = {.json = false};
    struct doctor d = {.count = 0};
    size_t missing;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    d.build_dir = build_dir_find(o.build_dir);
    look_for_programs(&d);
    look_for_svm(&d);
    look_for_kernel(&d);
    look_for_busybox(&d);
    look_for_headers(&d);
    look_at_disk(&d);
    look_for_image(&d, o.image);
    missing = o.json ? show_json(&d) : show_text(&d);
    for (size_t i = 0; i < d.count; i++) {
        free(d.finding[i].what);
    }
    free(d.finding);
    free(d.build_dir);
    return missing == 0 ? EXIT_OK : EXIT_LACKS;
}
