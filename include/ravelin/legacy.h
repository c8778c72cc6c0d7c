/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The platform of a domain that starts like a PC: firmware at the reset
 * vector, an 8259 pair, timers, drives, a text screen. Devices are plain
 * structures (legacy_*.h); this is what joins them to a domain's ports,
 * interrupts, timers and console, and what a reset does to all of it.
 *
 * Threat surface: every port and every value is the guest's. A domain without
 * firmware has no platform, and its exits never come here.
 */
#pragma once

#include "ravelin/boot_info.h"
#include "ravelin/domain.h"
#include "ravelin/manifest.h"

/* Guest-physical layout: RAM from 0 to at most LEGACY_RAM_LOW_END, the rest
 * from 4 GiB on; the ROM ends at 4 GiB and shows again below 1 MiB. */
#define LEGACY_RAM_LOW_END 0xc0000000UL
#define LEGACY_RAM_HIGH 0x100000000UL
#define LEGACY_ROM_SIZE_MAX (1UL << 20)
#define LEGACY_ROM_UNIT (64UL << 10)
#define LEGACY_SHADOW_END 0x100000UL
#define LEGACY_SHADOW_SIZE (128UL << 10)
#define LEGACY_MEMORY_MIN (2UL << 20)

/** Frames that `m` needs beside its memory: ROM, and changes to its disk. */
uint64_t legacy_pages_extra(const struct manifest_domain *m,
                            const struct boot_info *info);

/**
 * Builds a domain in state BUILDING, just created, from the modules that `m`
 * names: memory, ROM, devices, vCPU 0 at the reset vector and not down.
 * @return 0; -ENOENT a module is missing; -EINVAL bad ROM, memory or image;
 *         -ENOMEM; -E2BIG. The reason is in the log. On error the domain is
 *         partly built and can only be destroyed.
 */
int rv_must_check legacy_build_manifest(struct domain *d,
                                        const struct manifest_domain *m,
                                        const struct boot_info *info);

/** Lets go of what the platform of `d` holds: pinned frames, disk copies. In
 * steps; -ERESTART: call again. No vCPU of `d` runs. Harmless without one. */
int rv_must_check legacy_release(struct domain *d);
/** Frees the platform; `d` is dead. NULL-safe. */
void legacy_free(struct domain *d);

/**
 * One port access of a guest with a platform.
 * @param v  current on this CPU; its domain may be shut down afterwards.
 * @return 0; -ENOENT no device there, *value untouched.
 */
int rv_must_check legacy_port(struct vcpu *v, uint16_t port, unsigned size,
                              bool in, uint32_t *value);
/**
 * Moves up to `n` bytes at once for a string instruction on `port`, as if by
 * single accesses of `size` bytes.
 * @return bytes moved; 0: use single accesses.
 */
size_t legacy_port_string(struct vcpu *v, uint16_t port, unsigned size, bool in,
                          uint8_t *buf, size_t n);

/** Does the 8259 pair request an interrupt of `v` that its local APIC lets
 * through? Lock-free. */
bool legacy_intr_is_pending(const struct vcpu *v);
/** Acknowledges and returns the vector; it is being injected. */
uint8_t legacy_intr_accept(struct vcpu *v);

/** Console input waits for `d`. */
void legacy_input(struct domain *d);

/** Acts on a reset that a device asked for; before `v` enters. */
void legacy_attend(struct vcpu *v);

/** Adds what the platform knows to a crash dump. Lock-free; nothing for a
 * domain without platform. */
void legacy_dump(const struct domain *d);
