/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the parts of a session: the loop (session.c), what happens to output
 * (session_output.c) and to input (session_input.c).
 */
#pragma once

#include "frame.h"
#include "session.h"

/* Room for typed and pasted input that the machine has not taken yet. */
#define INPUT_QUEUE_MAX (1u << 20)

struct session;

struct session_domain {
    struct session *session;
    unsigned int channel; /* of the multiplexed line */
    int slot;             /* in the view; the same index as here */
    char *name;
    FILE *log;
    bool has_spoken;
    bool has_prompt;
    struct frame_reader frames;
};

struct session {
    const struct bundle *bundle;
    const struct session_options *o;
    struct session_result *result;
    struct emulator emulator;
    struct mux_reader mux;
    struct view view;
    struct attach attach;
    struct keys keys;
    struct queue input; /* encoded, for the machine */
    int input_channel;  /* where the machine's reader is, -1: unknown */
    double start;       /* monotonic seconds */
    bool is_over;
    bool is_terminal;
    bool has_output;   /* anything from the machine yet */
    struct queue dump; /* the last panic or crash dump */
    bool in_dump;
    size_t domain_count; /* entry 0 is the hypervisor */
    struct session_domain domain[VIEW_CHANNELS_MAX];
};

/** @return seconds since the session's start. */
double session_clock(void *ctx);

/** Ends the session with an exit code, if it has not ended before. */
void session_finish(struct session *s, int exit_code);

/** Adds the hypervisor and the bundle's domains, opens their logs. */
rv_must_check bool session_open_domains(struct session *s);

/** @return the entry with this name, or -1. */
int session_find(const struct session *s, const char *name);

/** Output of a channel (a mux_bytes_fn). */
void session_on_output(void *ctx, unsigned int channel, const char *bytes,
                       size_t len);

/** No more output will come. */
void session_end_output(struct session *s);

/** A complete line (a view_line_fn). */
void session_on_line(void *ctx, unsigned int slot, const char *line);

/** Takes the script further. */
void session_advance_script(struct session *s);

/** Sends input to a domain, or as much of it as there is room for. */
void session_send(struct session *s, int index, const char *bytes, size_t len);

/** Input from the user. */
void session_on_keys(struct session *s, const char *bytes, size_t len);

/** Time has passed. */
void session_on_tick(struct session *s);

/** Moves the keyboard to the first domain that takes input, or the named. */
rv_must_check bool session_first_focus(struct session *s);
