/* SPDX-License-Identifier: MIT */
/*
 * A domain builder in a guest: creates a PVH domain from an ELF image in
 * memory, serves its console ring, and ends it. For control domains.
 */
#ifndef GUEST_DOMAIN_H
#define GUEST_DOMAIN_H

#include <stddef.h>
#include <stdint.h>

#include "domctl.h"

struct xencons_interface;

struct domain_plan {
    const void *elf;
    size_t elf_size;
    const char *cmdline;
    unsigned int pages; /* RAM from address 0 */
    unsigned int vcpus;
};

struct domain {
    unsigned int id;
    unsigned int slot; /* of the window, for the console ring */
    unsigned int console_port;
    struct xencons_interface *ring;
};

/**
 * Creates a domain, loads it and leaves it paused.
 *
 * @param slot  window slot that maps its console while the domain lives; below
 *              WINDOW_SLOTS - 1.
 * @return 0 or a negative errno; then the domain does not exist.
 */
long domain_create(const struct domain_plan *plan, unsigned int slot,
                   struct domain *d);

/** Unmaps and destroys it. 0 or a negative errno. */
long domain_destroy(struct domain *d);

/** Takes up to `size` bytes that the domain has printed. */
size_t domain_console_read(struct domain *d, char *buf, size_t size);

#define WINDOW_SLOTS 16

/** Maps a frame of another domain; NULL if refused. */
void *window_map(unsigned int slot, unsigned int domid, unsigned long gfn);
long window_unmap(unsigned int slot);

#endif
