/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child process with its output in a string.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *collect(int fd)
{
    char *text = xalloc(1);
    size_t len = 0;
    char part[4096];
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) > 0 ||
           (n < 0 && errno == EINTR)) {
        if (n < 0) {
            continue;
        }
        text = xrealloc(text, len + (size_t)n + 1);
        for (ssize_t i = 0; i < n; i++) {
            text[len++] = part[i];
        }
        text[len] = '\0';
    }
    return text;
}

int process_run(char *const args[], char **output)
{
    int status = 0;
    int fd[2];
    char *text;
    pid_t pid;

    if (pipe2(fd, O_CLOEXEC) != 0) {
        return 127;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);

        dup2(null, STDIN_FILENO);
        dup2(fd[1], STDOUT_FILENO);
        dup2(fd[1], STDERR_FILENO);
        execvp(args[0], args);
        _exit(127);
    }
    close(fd[1]);
    text = collect(fd[0]);
    close(fd[0]);
    if (output != NULL) {
        *output = text;
    } else {
        free(text);
    }
    if (pid < 0) {
        return 127;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
