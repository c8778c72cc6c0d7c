/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor a domain sees. Built once per domain from a snapshot of the
 * host's CPUID: features by an allow-list (cpuid_features.def), topology from
 * the vCPU count, Xen's leaves at 0x40000000. What the guest may set in CR4,
 * EFER and XCR0 follows from the same words, so the two cannot disagree.
 *
 * Threat surface: leaf and subleaf are the guest's; lookups only index bounded
 * tables.
 */
#pragma once

#include "ravelin/domain.h"

/* One CPUID result: EAX, EBX, ECX, EDX. */
struct cpuid_leaf {
    uint32_t r[4];
};
enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

/* Every feature known by name, allowed or not: word * 32 + bit. */
enum cpuid_word {
    CPUID_W_1D,   /* 1 EDX */
    CPUID_W_1C,   /* 1 ECX */
    CPUID_W_7B,   /* 7.0 EBX */
    CPUID_W_7C,   /* 7.0 ECX */
    CPUID_W_7D,   /* 7.0 EDX */
    CPUID_W_71A,  /* 7.1 EAX */
    CPUID_W_D1A,  /* 0xd.1 EAX */
    CPUID_W_81D,  /* 0x80000001 EDX */
    CPUID_W_81C,  /* 0x80000001 ECX */
    CPUID_W_87D,  /* 0x80000007 EDX */
    CPUID_W_88B,  /* 0x80000008 EBX */
    CPUID_W_821A, /* 0x80000021 EAX */
    CPUID_WORD_COUNT
};
enum cpuid_feature {
#define CPUID_FEATURE(word, bit, name, rule) \
    CPUID_F_##name = CPUID_W_##word * 32 + (bit),
#include "ravelin/cpuid_features.def"
#undef CPUID_FEATURE
};

enum cpuid_vendor {
    CPUID_VENDOR_INTEL,
    CPUID_VENDOR_AMD, /* and Hygon */
    CPUID_VENDOR_OTHER,
};

typedef void (*cpuid_read_fn)(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/**
 * Takes the snapshot of the host's CPUID that all policies derive from. Once,
 * on the boot CPU, before the first cpuid_policy_create().
 * @param read        executes CPUID.
 * @param microcode   microcode revision of the host, for MSR 0x8b.
 * @param tsc_stable  the host's TSC is known to run at one constant rate on
 *                    all CPUs, whether or not CPUID says so.
 */
void cpuid_host_init(cpuid_read_fn read, uint32_t microcode, bool tsc_stable);
uint32_t cpuid_host_microcode(void);

/**
 * Builds d->cpuid from id, roles, vcpu_count, tsc_offset and boot_time_ns of
 * `d`, which must be set and must not change later.
 * @return 0; -ENOMEM.
 */
int rv_must_check cpuid_policy_create(struct domain *d);
/** Frees it; no vCPU of `d` runs. NULL-safe. */
void cpuid_policy_destroy(struct domain *d);

/** What CPUID returns to `v` now. Leaves that do not exist are zero. */
void cpuid_policy_get(const struct vcpu *v, uint32_t leaf, uint32_t subleaf,
                      uint32_t out[4]);
bool cpuid_policy_has(const struct domain *d, enum cpuid_feature feature);
enum cpuid_vendor cpuid_policy_vendor(const struct domain *d);
/** Guest-physical address width, bits. */
unsigned cpuid_policy_phys_bits(const struct domain *d);

/** Bits a guest may set; all others are reserved (#GP). EFER without LMA,
 * which only hardware changes. XCR0 0: no XSAVE. */
uint64_t cpuid_policy_cr4_mask(const struct domain *d);
uint64_t cpuid_policy_efer_mask(const struct domain *d);
uint64_t cpuid_policy_xcr0_mask(const struct domain *d);
/** May XCR0 become `value`: only allowed bits, x87 set, AVX with SSE, AVX-512
 * as a whole? */
bool cpuid_policy_xcr0_is_valid(const struct domain *d, uint64_t value);
/** Bytes of XSAVE area (standard format) for the components in `xcr0`. */
uint32_t cpuid_policy_xsave_size(uint64_t xcr0);
