/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds QEMU's command line and runs it. The serial line is a pair of pipes,
 * so nobody has to own a terminal; the caller multiplexes it.
 */
#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_CPUS 2u

void words_add(struct words *w, char *word)
{
    w->list = xrealloc(w->list, (w->count + 2) * sizeof(char *));
    w->list[w->count++] = word;
    w->list[w->count] = NULL;
}

/* Names of modules have no commas, which QEMU would take for separators. */
static char *module_list(const struct bundle *b)
{
    char *list = xstrdup(b->module[0]);

    for (size_t i = 1; i < b->module_count; i++) {
        char *longer = xprintf("%s,%s", list, b->module[i]);

        free(list);
        list = longer;
    }
    return list;
}

struct words emulator_machine(const char *program, unsigned int smp,
                              unsigned int memory_mib)
{
    static const char *const machine[] = {
        "-nodefaults",
        "-no-user-config",
        "-machine",
        "pc",
        "-accel",
        "tcg",
        "-cpu",
        "max",
        "-display",
        "none",
        "-no-reboot",
        "-chardev",
        "stdio,id=com1,signal=off",
        "-serial",
        "chardev:com1",
    };
    struct words w = {NULL, 0};

    words_add(&w, xstrdup(program));
    for (size_t i = 0; i < ARRAY_SIZE(machine); i++) {
        words_add(&w, xstrdup(machine[i]));
    }
    words_add(&w, xstrdup("-smp"));
    words_add(&w, xprintf("%u", smp));
    words_add(&w, xstrdup("-m"));
    words_add(&w, xprintf("%u", memory_mib));
    return w;
}

/* TCG's first processor runs no guest if it has company. */
static unsigned int processors(unsigned int guest_cpus)
{
    return guest_cpus == 1 ? 1 : guest_cpus + 1;
}

char **emulator_args(const struct bundle *b, const struct emulator_options *o)
{
    struct words a = emulator_machine(
        o->program, processors(o->smp != 0 ? o->smp : DEFAULT_CPUS),
        o->memory_mib != 0 ? o->memory_mib : b->memory_mib);

    words_add(&a, xstrdup("-device"));
    words_add(&a, xstrdup("isa-debug-exit,iobase=0xf4,iosize=4"));
    if (o->icount) {
        words_add(&a, xstrdup("-icount"));
        words_add(&a, xstrdup("shift=0,sleep=off"));
        /* RDRAND too, so that two runs count the same. */
        words_add(&a, xstrdup("-seed"));
        words_add(&a, xstrdup("1"));
    }
    if (o->gdb_port != 0) {
        words_add(&a, xstrdup("-S"));
        words_add(&a, xstrdup("-gdb"));
        words_add(&a, xprintf("tcp:127.0.0.1:%u", o->gdb_port));
    }
    words_add(&a, xstrdup("-kernel"));
    words_add(&a, xstrdup("ravelin"));
    words_add(&a, xstrdup("-append"));
    words_add(&a, xprintf("console=mux debug-exit=0xf4%s%s",
                          o->append != NULL ? " " : "",
                          o->append != NULL ? o->append : ""));
    words_add(&a, xstrdup("-initrd"));
    words_add(&a, module_list(b));
    return a.list;
}

void emulator_args_free(char **args)
{
    for (char **a = args; *a != NULL; a++) {
        free(*a);
    }
    free(args);
}

char *emulator_args_text(const struct bundle *b,
                         const struct emulator_options *o)
{
    char **args = emulator_args(b, o);
    char *text = xstrdup("");

    for (char **a = args; *a != NULL; a++) {
        char *longer = xprintf("%s%s\n", text, *a);

        free(text);
        text = longer;
    }
    emulator_args_free(args);
    return text;
}

/* In the child, between fork and exec. */
static void become_emulator(const char *dir, char **args, int in, int out,
                            int err, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    /* Its own group: the terminal's interrupt key is for us to handle. */
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || chdir(dir) != 0 || dup2(in, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) {
        _exit(126);
    }
    execvp(args[0], args);
    dprintf(STDERR_FILENO, "%s: %s\n", args[0], strerror(errno));
    _exit(127);
}

static bool make_pipes(int pipes[3][2])
{
    for (int i = 0; i < 3; i++) {
        pipes[i][0] = pipes[i][1] = -1;
    }
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) != 0) {
            return false;
        }
    }
    return true;
}

static void close_pipes(int pipes[3][2])
{
    for (int i = 0; i < 3; i++) {
        for (int end = 0; end < 2; end++) {
            if (pipes[i][end] >= 0) {
                close(pipes[i][end]);
            }
        }
    }
}

/* A program with a relative path is meant from here, not from the bundle. */
static char *absolute_program(const char *program)
{
    char *full;

    if (strchr(program, '/') == NULL || program[0] == '/') {
        return xstrdup(program);
    }
    full = realpath(program, NULL);
    return full != NULL ? full : xstrdup(program);
}

bool emulator_start_args(struct emulator *e, const char *dir, char **args)
{
    pid_t parent = getpid();
    int pipes[3][2];

    e->pid = -1;
    if (!make_pipes(pipes)) {
        say("no pipe: %s", strerror(errno));
        close_pipes(pipes);
        return false;
    }
    fflush(NULL);
    e->pid = fork();
    if (e->pid == 0) {
        become_emulator(dir, args, pipes[0][0], pipes[1][1], pipes[2][1],
                        parent);
    }
    if (e->pid < 0) {
        say("cannot start a process: %s", strerror(errno));
        close_pipes(pipes);
        return false;
    }
    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);
    e->to_fd = pipes[0][1];
    e->from_fd = pipes[1][0];
    e->error_fd = pipes[2][0];
    fcntl(e->to_fd, F_SETFL, O_NONBLOCK);
    fcntl(e->from_fd, F_SETFL, O_NONBLOCK);
    fcntl(e->error_fd, F_SETFL, O_NONBLOCK);
    return true;
}

bool emulator_start(struct emulator *e, const struct bundle *b,
                    const struct emulator_options *o)
{
    struct emulator_options real = *o;
    char *program = absolute_program(o->program);
    char **args;
    bool ok;

    real.program = program;
    args = emulator_args(b, &real);
    ok = emulator_start_args(e, b->dir, args);
    emulator_args_free(args);
    free(program);
    return ok;
}

int emulator_stop(struct emulator *e)
{
    int status = 0;

    if (e->pid <= 0) {
        return 0;
    }
    kill(e->pid, SIGKILL);
    while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR) {
    }
    e->pid = -1;
    close(e->to_fd);
    close(e->from_fd);
    close(e->error_fd);
    return status;
}

enum machine_end emulator_judge(int status, bool talked, unsigned int *code)
{
    unsigned int value;

    *code = 0;
    if (!WIFEXITED(status)) {
        return MACHINE_LOST;
    }
    value = (unsigned int)WEXITSTATUS(status);
    if (value == 0 || (value == 1 && talked)) {
        return MACHINE_POWEROFF;
    }
    if (value % 2 == 0 || !talked) {
        return MACHINE_LOST;
    }
    *code = value >> 1;
    return MACHINE_FAILED;
}
