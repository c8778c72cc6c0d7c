/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bundle: the directory that 'ravelin build' makes and 'ravelin run' boots.
 *
 *   ravelin         hypervisor image
 *   manifest        compiled manifest
 *   <d>.kernel      kernel of domain d, loadable segments only
 *   <d>.ramdisk     its ramdisk
 *   <d>.firmware, <d>.vgabios, <d>.disk, <d>.cdrom
 *                   ROMs and drives of a domain that starts with firmware
 *   bundle.json     what is in it (struct bundle)
 *   run.args        the emulator's arguments, one per line
 *   logs/           written by 'ravelin run'
 *
 * Files are called like their boot modules, and the emulator runs inside the
 * directory: so the first word of a module's command line is its name with
 * every boot loader, those included that put the file's path there.
 */
#pragma once

#include "cli.h"
#include "ravelin/manifest.h"

struct bundle_domain {
    char *name;
    int domid;
    bool has_console; /* its output comes through the hypervisor's console */
    uint32_t roles;   /* ROLE_* */
};

struct bundle {
    char *dir;
    unsigned int memory_mib; /* that the machine needs */
    size_t domain_count;
    bool serial_is_owned; /* a domain has the line itself, without channels */
    struct bundle_domain domain[MANIFEST_DOMAINS_MAX];
    size_t module_count; /* the manifest first */
    char *module[6 * MANIFEST_DOMAINS_MAX + 1];
};

struct bundle_options {
    const char *manifest;
    const char *dir;
    const char *build_dir;
    const char *image;
    bool quiet; /* no progress on standard error */
};

/**
 * Builds a bundle. Mistakes are shown on standard error.
 * @return an exit code.
 */
rv_must_check int bundle_build(const struct bundle_options *o);

/** Reads bundle.json. @return false with a message if it cannot be used. */
rv_must_check bool bundle_open(struct bundle *b, const char *dir);
void bundle_close(struct bundle *b);

/** @return the first domain with this ROLE_* bit and a console, or -1. */
int bundle_find_role(const struct bundle *b, uint32_t role);

/** @return the file in the bundle, or in a directory of it. Heap. */
char *bundle_path(const struct bundle *b, const char *name);

/** Makes DIR/ravelin.iso with GRUB. @return an exit code. */
rv_must_check int bundle_iso(const struct bundle *b, const char *append);
