/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU as a child process: its command line, its start, and what its exit
 * status means. Never uses hardware virtualisation of the host.
 */
#pragma once

#include <sys/types.h>

#include "bundle.h"

struct emulator_options {
    const char *program;     /* "qemu-system-x86_64" or a path */
    unsigned int smp;        /* CPUs that run guests; 0: 2 */
    unsigned int memory_mib; /* 0: what the bundle asks for */
    unsigned int gdb_port;   /* 0: no gdb stub */
    bool icount;             /* the TSC counts instructions */
    const char *append;      /* more words for the hypervisor, or NULL */
};

struct emulator {
    pid_t pid;
    int to_fd;    /* the machine's serial line, non-blocking */
    int from_fd;  /* likewise */
    int error_fd; /* what QEMU itself has to say */
};

/* The words of a command; the list ends with NULL. */
struct words {
    char **list;
    size_t count;
};

/** Takes @word, from the heap, over. */
void words_add(struct words *w, char *word);

/**
 * The PC that everything here is run in and compared with, but for what it
 * boots: all devices are named, the serial line is standard input and output.
 * @return words to add to; the list is freed with emulator_args_free().
 */
struct words emulator_machine(const char *program, unsigned int smp,
                              unsigned int memory_mib);

/** @return the argument vector, to be freed with emulator_args_free(). */
char **emulator_args(const struct bundle *b, const struct emulator_options *o);
void emulator_args_free(char **args);

/** @return the arguments as text, one per line. Heap. */
char *emulator_args_text(const struct bundle *b,
                         const struct emulator_options *o);

/**
 * Starts QEMU inside the bundle's directory. It ends when this process ends.
 * @return false with a message.
 */
rv_must_check bool emulator_start(struct emulator *e, const struct bundle *b,
                                  const struct emulator_options *o);

/**
 * Starts any emulator command in @dir, with the serial line on its standard
 * input and output. @return false with a message.
 */
rv_must_check bool emulator_start_args(struct emulator *e, const char *dir,
                                       char **args);

/** Ends QEMU if it still runs, and collects it. @return its wait status. */
int emulator_stop(struct emulator *e);

/** How a machine ended. */
enum machine_end {
    MACHINE_POWEROFF, /* as asked by the hypervisor */
    MACHINE_FAILED,   /* the hypervisor gave a failure code: it panicked */
    MACHINE_LOST,     /* QEMU died, or refused its arguments */
};

/**
 * Judges a wait status. QEMU's status is odd when the machine wrote a code to
 * the debug exit port: (code << 1) | 1; 0 after an ACPI power-off.
 *
 * @param talked  the hypervisor had said something before. QEMU's own errors
 *                have status 1 as well, which only this tells apart.
 * @param code    set to the code for MACHINE_FAILED.
 */
enum machine_end emulator_judge(int status, bool talked, unsigned int *code);
