/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest's domains at boot.
 */
#pragma once

struct boot_info;

/** Parses and checks the manifest, prints the access matrix, builds every
 * domain it names. A domain that cannot be built is reported and left out;
 * without a usable manifest there are none. Boot CPU. */
void boot_domains(const struct boot_info *info);

/** Starts those that the manifest wants running. */
void boot_domains_start(void);
