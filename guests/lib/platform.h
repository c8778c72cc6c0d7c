/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor gives a PVH guest: start info, CPUID leaves, hypercall
 * page, shared info, HVM params.
 */
#ifndef GUEST_PLATFORM_H
#define GUEST_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/xen.h>

/** Reaches the point where hypercalls and the console work. */
void platform_init(void);

/** Structure that EBX pointed at when the guest started. */
const struct hvm_start_info *start_info(void);

/** First CPUID leaf of the hypervisor, a multiple of 0x100; 0 if none. */
uint32_t platform_leaf(void);

/** The guest's one shared info page. */
shared_info_t *shared_info(void);

/** vcpu_info of a vCPU: in the shared page, or where it was moved to. */
vcpu_info_t *vcpu_info(unsigned int cpu);

/** Moves it (VCPUOP_register_vcpu_info); once for each vCPU. */
long vcpu_info_move(unsigned int cpu, vcpu_info_t *to);

/**
 * Looks `key` up among the words `key=value` of the command line.
 *
 * @return start of the value, ended by a blank or the end; NULL if absent.
 */
const char *cmdline_value(const char *key);

/** Number after `key=` on the command line, or `fallback`. */
uint64_t cmdline_number(const char *key, uint64_t fallback);

/** HVM params of the calling domain. 0 or a negative errno. */
long hvm_param_get(uint32_t index, uint64_t *value);
long hvm_param_set(uint32_t index, uint64_t value);

/** Own domain id: CPUID first, else the one with which loopback works. */
unsigned int own_domid(void);

/** Waits until the reader of a console ring has taken everything. */
void console_drain(void);

#endif
