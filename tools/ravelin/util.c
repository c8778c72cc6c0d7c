/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory, files and paths for the verbs. Output files appear under their name
 * only when complete, so that an interrupted build leaves no half image.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void say(const char *fmt, ...)
{
    va_list args;

    fputs("ravelin: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

static void *or_die(void *p)
{
    if (p == NULL) {
        say("out of memory");
        exit(EXIT_LACKS);
    }
    return p;
}

void *xalloc(size_t size)
{
    return or_die(calloc(1, size == 0 ? 1 : size));
}

void *xrealloc(void *p, size_t size)
{
    return or_die(realloc(p, size == 0 ? 1 : size));
}

char *xstrdup(const char *s)
{
    return or_die(strdup(s));
}

char *xstrndup(const char *s, size_t len)
{
    return or_die(strndup(s, len));
}

char *xprintf(const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    int n;

    va_start(args, fmt);
    n = vasprintf(&text, fmt, args);
    va_end(args);
    return or_die(n < 0 ? NULL : text);
}

void blob_free(struct blob *b)
{
    free(b->data);
    b->data = NULL;
    b->len = 0;
}

int file_read(const char *path, struct blob *out)
{
    size_t room = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    out->data = NULL;
    out->len = 0;
    if (fd < 0) {
        return -errno;
    }
    do {
        if (room - out->len < 2) {
            room = room == 0 ? 65536 : room * 2;
            out->data = xrealloc(out->data, room);
        }
        n = read(fd, out->data + out->len, room - out->len - 1);
        if (n > 0) {
            out->len += (size_t)n;
        }
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0) {
        int r = -errno;

        blob_free(out);
        close(fd);
        return r;
    }
    close(fd);
    out->data[out->len] = '\0';
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int file_write(const char *path, const void *data, size_t len)
{
    char *temp = xprintf("%s.%d", path, (int)getpid());
    int r;
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0) {
        r = -errno;
        free(temp);
        return r;
    }
    r = write_all(fd, data, len);
    if (close(fd) != 0 && r == 0) {
        r = -errno;
    }
    if (r == 0 && rename(temp, path) != 0) {
        r = -errno;
    }
    if (r != 0) {
        unlink(temp);
    }
    free(temp);
    return r;
}

bool dir_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int dir_make(const char *path)
{
    char *copy = xstrdup(path);
    int r = 0;

    for (char *p = copy + 1; r == 0 && copy[0] != '\0'; p++) {
        char c = *p;

        if (c != '/' && c != '\0') {
            continue;
        }
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && !dir_exists(copy)) {
            r = -errno;
        }
        *p = c;
        if (c == '\0') {
            break;
        }
    }
    free(copy);
    return r;
}

char *path_join(const char *dir, const char *name)
{
    if (name[0] == '/') {
        return xstrdup(name);
    }
    return xprintf("%s/%s", dir, name);
}

char *path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        return xstrdup(".");
    }
    return slash == path ? xstrdup("/")
                         : xstrndup(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

char *program_find(const char *name)
{
    const char *path = getenv("PATH");
    const char *end;

    if (strchr(name, '/') != NULL) {
        return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
    }
    for (; path != NULL && *path != '\0'; path = *end ? end + 1 : end) {
        char *full;

        end = strchrnul(path, ':');
        full = xprintf("%.*s/%s", (int)(end - path), path, name);
        if (access(full, X_OK) == 0) {
            return full;
        }
        free(full);
    }
    return NULL;
}

/* The nearest directory above this program that ninja builds in, or NULL. */
static char *build_dir_of_program(void)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    while (n > 0) {
        char *mark;
        char *slash;

        exe[n] = '\0';
        slash = strrchr(exe, '/');
        if (slash == NULL) {
            return NULL;
        }
        *slash = '\0';
        n = slash - exe;
        mark = xprintf("%s/build.ninja", exe);
        if (access(mark, R_OK) == 0) {
            free(mark);
            return xstrdup(exe);
        }
        free(mark);
    }
    return NULL;
}

/* Manifests name files relative to themselves, so ${BUILD} must not be. */
static char *path_absolute(const char *path)
{
    char *absolute = realpath(path, NULL);

    return absolute != NULL ? absolute : xstrdup(path);
}

char *build_dir_find(const char *option)
{
    const char *env = getenv("RAVELIN_BUILD");
    char *dir;

    if (option != NULL) {
        return path_absolute(option);
    }
    if (env != NULL && env[0] != '\0') {
        return path_absolute(env);
    }
    dir = build_dir_of_program();
    return dir != NULL ? dir : xstrdup("build");
}

char *image_find(const char *option, const char *build_dir)
{
    const char *env = getenv("RAVELIN_IMAGE");

    if (option != NULL) {
        return xstrdup(option);
    }
    if (env != NULL && env[0] != '\0') {
        return xstrdup(env);
    }
    return path_join(build_dir, "image/ravelin");
}

void json_show(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(value);
}
