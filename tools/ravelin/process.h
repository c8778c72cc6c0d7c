/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a program to its end and keeps what it says.
 */
#pragma once

#include "cli.h"

/**
 * Runs args[0], found in $PATH, with standard output and error collected.
 *
 * @param output  what it printed, terminated; to be freed. May be NULL.
 * @return its exit status; 127 if it cannot be started, 128 + n after signal n.
 */
int process_run(char *const args[], char **output);
