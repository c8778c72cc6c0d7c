/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of a running machine. Everything is non-blocking and happens in
 * this one thread; the terminal is restored on every way out.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "session_private.h"
#include "terminal.h"

/* How long QEMU may take to exit after it has closed the line. */
#define EXIT_WAIT_MS 5000

enum { FD_FROM, FD_ERROR, FD_TO, FD_SIGNAL, FD_KEYS, FD_COUNT };

static double now_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double session_clock(void *ctx)
{
    const struct session *s = ctx;

    return now_seconds() - s->start;
}

void session_finish(struct session *s, int exit_code)
{
    if (!s->is_over) {
        s->is_over = true;
        s->result->exit_code = exit_code;
    }
}

static int open_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void close_signals(int fd)
{
    sigset_t set;

    close(fd);
    sigfillset(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void on_signal(struct session *s, int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return;
    }
    if (info.ssi_signo == SIGWINCH) {
        view_resize(&s->view, terminal_columns());
        return;
    }
    view_note(&s->view, "ended by signal %u", info.ssi_signo);
    session_finish(s, 128 + (int)info.ssi_signo);
}

/* Reads all there is. @return false at the end of the stream. */
static bool read_line(struct session *s)
{
    char bytes[16384];
    ssize_t n = read(s->emulator.from_fd, bytes, sizeof(bytes));

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    mux_feed(&s->mux, bytes, (size_t)n);
    return n > 0;
}

static void read_errors(struct session *s)
{
    char bytes[1024];
    ssize_t n = read(s->emulator.error_fd, bytes, sizeof(bytes));

    while (n > 0 && bytes[n - 1] == '\n') {
        n--;
    }
    if (n > 0) {
        view_note(&s->view, "emulator: %.*s", (int)n, bytes);
        view_event(&s->view, "emulator",
                   json_pack("{s:s%}", "text", bytes, (size_t)n));
    }
}

static void read_keys(struct session *s, int *fd)
{
    char bytes[4096];
    ssize_t n = read(*fd, bytes, sizeof(bytes));

    if (n > 0) {
        session_on_keys(s, bytes, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        *fd = -1;
    }
}

/* Waits for QEMU to exit by itself; its status says how the machine ended. */
static int collect_status(struct session *s)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int status;

    for (int ms = 0; ms < EXIT_WAIT_MS; ms += 10) {
        pid_t pid = waitpid(s->emulator.pid, &status, WNOHANG);

        if (pid == s->emulator.pid) {
            read_errors(s);
            s->emulator.pid = -1;
            close(s->emulator.to_fd);
            close(s->emulator.from_fd);
            close(s->emulator.error_fd);
            return status;
        }
        nanosleep(&pause, NULL);
    }
    return emulator_stop(&s->emulator);
}

static void machine_ended(struct session *s)
{
    int status = collect_status(s);
    struct script *script = s->o->script;
    bool is_unfinished = script != NULL && script->done < script->step_count;
    unsigned int code;
    enum machine_end end = emulator_judge(status, s->has_output, &code);

    if (end == MACHINE_FAILED || s->result->panicked) {
        view_note(&s->view, "the hypervisor panicked (code 0x%x)", code);
        session_finish(s, EXIT_PANIC);
    } else if (end == MACHINE_LOST) {
        view_note(&s->view, "the emulator ended unexpectedly (status 0x%x)",
                  (unsigned int)status);
        session_finish(s, WIFEXITED(status) && WEXITSTATUS(status) == 127
                              ? EXIT_LACKS
                              : EXIT_PANIC);
    } else {
        view_note(&s->view, "the machine has powered off");
        session_finish(s, is_unfinished ? EXIT_FAILED : EXIT_OK);
    }
}

static void check_time(struct session *s)
{
    struct script *script = s->o->script;

    session_on_tick(s);
    if (s->o->timeout > 0 && session_clock(s) > s->o->timeout) {
        view_note(&s->view, "time ran out after %.1f s", s->o->timeout);
        session_finish(s, script != NULL && script->done < script->step_count
                              ? EXIT_FAILED
                              : EXIT_TIMEOUT);
    }
}

static void fill_poll(struct session *s, struct pollfd *fds, int signal_fd,
                      int key_fd)
{
    short keys = s->input.len < INPUT_QUEUE_MAX / 2 ? POLLIN : 0;

    fds[FD_FROM] = (struct pollfd){s->emulator.from_fd, POLLIN, 0};
    fds[FD_ERROR] = (struct pollfd){s->emulator.error_fd, POLLIN, 0};
    fds[FD_TO] =
        (struct pollfd){s->input.len > 0 ? s->emulator.to_fd : -1, POLLOUT, 0};
    fds[FD_SIGNAL] = (struct pollfd){signal_fd, POLLIN, 0};
    fds[FD_KEYS] = (struct pollfd){key_fd, keys, 0};
}

static void loop(struct session *s, int signal_fd)
{
    struct pollfd fds[FD_COUNT + ATTACH_CLIENTS_MAX + 1];
    int key_fd = s->o->is_interactive ? STDIN_FILENO : -1;

    while (!s->is_over) {
        size_t more = attach_poll_fill(&s->attach, fds + FD_COUNT);

        fill_poll(s, fds, signal_fd, key_fd);
        if (poll(fds, FD_COUNT + more, 100) < 0 && errno != EINTR) {
            break;
        }
        if (fds[FD_SIGNAL].revents != 0) {
            on_signal(s, signal_fd);
        }
        if ((fds[FD_ERROR].revents & POLLIN) != 0) {
            read_errors(s);
        }
        if ((fds[FD_TO].revents & POLLOUT) != 0) {
            queue_flush(&s->input, s->emulator.to_fd);
        }
        if (fds[FD_KEYS].revents != 0) {
            read_keys(s, &key_fd);
        }
        attach_poll_done(&s->attach, fds + FD_COUNT, more);
        if (fds[FD_FROM].revents != 0 && !read_line(s)) {
            session_advance_script(s);
            machine_ended(s);
        }
        session_advance_script(s);
        check_time(s);
    }
}

static void show_unmet(struct session *s)
{
    struct script *script = s->o->script;
    const struct script_step *step;

    if (script == NULL || script->done >= script->step_count) {
        return;
    }
    step = &script->step[script->done];
    view_note(&s->view, "step %zu of %zu was not met: %s:%s", script->done + 1,
              script->step_count, step->domain, step->text);
    view_event(&s->view, "unmet",
               json_pack("{s:i, s:s, s:s}", "step", (int)script->done + 1,
                         "domain", step->domain, "text", step->text));
}

static void show_end(struct session *s)
{
    bool hidden = s->o->mode == VIEW_QUIET || s->o->mode == VIEW_JSON;

    session_end_output(s);
    view_end(&s->view);
    show_unmet(s);
    if (s->dump.len > 0 && hidden) {
        fwrite(s->dump.data, 1, s->dump.len, stderr);
    }
    if (s->dump.len > 0) {
        char *path = bundle_path(s->bundle, "logs/hypervisor.log");

        view_note(&s->view, "dump of the %s: see %s",
                  s->result->panicked ? "hypervisor" : "crashed domain", path);
        free(path);
    }
    view_event(&s->view, "end",
               json_pack("{s:i, s:b, s:i}", "exit_code", s->result->exit_code,
                         "panicked", (int)s->result->panicked, "crashes",
                         (int)s->result->crash_count));
}

static bool is_domain(void *ctx, const char *name)
{
    return session_find(ctx, name) > 0;
}

static void on_attached_input(void *ctx, const char *name, const char *bytes,
                              size_t len)
{
    struct session *s = ctx;
    int index = session_find(s, name);

    if (index > 0) {
        session_send(s, index, bytes, len);
    }
}

static void session_init(struct session *s, const struct bundle *b,
                         const struct session_options *o,
                         struct session_result *result)
{
    memset(result, 0, sizeof(*result));
    s->bundle = b;
    s->o = o;
    s->result = result;
    s->input_channel = -1;
    s->start = now_seconds();
    s->mux.on_bytes = session_on_output;
    s->mux.ctx = s;
    s->view.mode = o->mode;
    s->view.out = stdout;
    s->view.focus = -1;
    s->view.columns = terminal_columns();
    s->view.on_line = session_on_line;
    s->view.clock = session_clock;
    s->view.ctx = s;
    s->attach.listener = -1;
    s->attach.is_domain = is_domain;
    s->attach.on_input = on_attached_input;
    s->attach.ctx = s;
    s->emulator.pid = -1;
}

/* Every name in the script must be known, or it would wait in vain. */
static bool script_is_possible(const struct session *s)
{
    const struct script *script = s->o->script;

    for (size_t i = 0; script != NULL && i < script->step_count; i++) {
        if (session_find(s, script->step[i].domain) < 0) {
            say("there is no domain '%s'", script->step[i].domain);
            return false;
        }
    }
    return true;
}

static void session_free(struct session *s)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        if (s->domain[i].log != NULL) {
            fclose(s->domain[i].log);
        }
        free(s->domain[i].name);
    }
    attach_close(&s->attach);
    queue_free(&s->input);
    queue_free(&s->dump);
    view_free(&s->view);
    free(s);
}

static void run_machine(struct session *s)
{
    int signal_fd = open_signals();

    if (!emulator_start(&s->emulator, s->bundle, &s->o->emulator)) {
        session_finish(s, EXIT_LACKS);
        close_signals(signal_fd);
        return;
    }
    s->is_terminal = s->o->is_interactive && terminal_raw();
    if (s->is_terminal) {
        view_note(&s->view, "Ctrl-] ? tells the keys, Ctrl-] q ends");
    }
    loop(s, signal_fd);
    emulator_stop(&s->emulator);
    s->result->seconds = session_clock(s);
    show_end(s);
    terminal_restore();
    close_signals(signal_fd);
}

void session_run(const struct bundle *b, const struct session_options *o,
                 struct session_result *result)
{
    struct session *s = xalloc(sizeof(*s));

    session_init(s, b, o, result);
    if (!session_open_domains(s)) {
        session_finish(s, EXIT_FAILED);
    } else if (!session_first_focus(s) || !script_is_possible(s)) {
        session_finish(s, EXIT_USAGE);
    } else if (!attach_listen(&s->attach, b->dir)) {
        session_finish(s, EXIT_FAILED);
    } else {
        run_machine(s);
    }
    session_free(s);
}
