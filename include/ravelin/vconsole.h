/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Console of a domain. Output comes from the console_io hypercall or from the
 * HVM console ring, whose other end the hypervisor serves; input goes into the
 * ring, or waits for console_io. Both sides end at one channel of
 * ravelin/console.h.
 *
 * Threat surface: the ring page with its indices; a guest that corrupts them
 * loses its own output and input, nothing else.
 */
#pragma once

#include "ravelin/domain.h"
#include "ravelin/evtchn.h"

/**
 * Gives `d` a console without a ring and opens its channel.
 * @return 0; -ENOMEM; -EEXIST it has one; -ENOSPC no channel left.
 */
int rv_must_check vconsole_create(struct domain *d);
/**
 * Pins the ring page at `g`, binds its event channel and sets the parameters
 * CONSOLE_PFN and CONSOLE_EVTCHN. The page's indices are reset.
 * @return 0; -ENODEV no console; -EEXIST it has a ring; -EINVAL no RAM frame
 *         at `g`; -ENOSPC, -ENOMEM no event channel.
 */
int rv_must_check vconsole_ring_attach(struct domain *d, gfn_t g);
/** Takes the rest of the output, closes the channel, frees. NULL-safe; the
 * domain's vCPUs do not run any more. */
void vconsole_destroy(struct domain *d);

/**
 * Puts bytes on the channel without waiting.
 * @return bytes taken; `n` if the domain has no console (they are dropped).
 */
size_t vconsole_write(struct domain *d, const char *buf, size_t n);
/** Takes up to `n` bytes of waiting input that no ring has taken. */
size_t vconsole_read(struct domain *d, char *buf, size_t n);

/** Input for a channel; a console_input_fn for console_input_poll(). What does
 * not fit is dropped. */
void vconsole_input(unsigned channel, const char *buf, size_t n);
/** Moves ring output that the line could not take earlier. From the timer and
 * idle paths of any CPU; a few instructions when nothing waits. */
void vconsole_poll(void);
