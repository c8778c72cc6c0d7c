/* SPDX-License-Identifier: MIT */
/*
 * Measurements between two domains.
 */
#ifndef PAIR_H
#define PAIR_H

#include "guest.h"

/** Asks and measures. */
void pair_ping(unsigned int peer);
/** Answers until it is told to end. */
void pair_pong(unsigned int peer);

#endif
