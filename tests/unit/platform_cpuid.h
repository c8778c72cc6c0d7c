/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two made-up processors for the tests: every feature bit set, so that what a
 * guest sees shows the policy alone.
 */
#pragma once

#include <string.h>

#include "ravelin/cpuid_policy.h"

#define PLATFORM_PATCHES_MAX 16u

struct platform_patch {
    uint32_t leaf;
    uint32_t subleaf;
    enum cpuid_reg reg;
    uint32_t clear;
    uint32_t set;
};

static enum cpuid_vendor platform_vendor;
static struct platform_patch platform_patch[PLATFORM_PATCHES_MAX];
static unsigned platform_patch_count;
static bool platform_tsc_stable;

static void platform_xstate(uint32_t subleaf, uint32_t out[4])
{
    /* size, offset, flags of components 0.. ; 0xd.0 and 0xd.1 are special */
    static const uint32_t component[12][3] = {
        [2] = {256, 576, 0}, [3] = {64, 960, 0},   [4] = {64, 1024, 0},
        [5] = {64, 1088, 0}, [6] = {512, 1152, 0}, [7] = {1024, 1664, 2},
        [9] = {8, 2688, 2},
    };

    if (subleaf == 0) {
        out[CPUID_EAX] = 0x2ff;
        out[CPUID_EBX] = 2696;
        out[CPUID_ECX] = 2696;
    } else if (subleaf == 1) {
        out[CPUID_EAX] = 0x1f;
    } else if (subleaf < 12) {
        out[CPUID_EAX] = component[subleaf][0];
        out[CPUID_EBX] = component[subleaf][1];
        out[CPUID_ECX] = component[subleaf][2];
    }
}

static void platform_vendor_text(uint32_t out[4])
{
    const char *text = platform_vendor == CPUID_VENDOR_INTEL
                           ? "GenuntelineI" /* EBX, ECX, EDX order */
                           : "AuthcAMDenti";

    memcpy(&out[CPUID_EBX], text, 12);
}

static void platform_leaf_basic(uint32_t leaf, uint32_t subleaf,
                                uint32_t out[4])
{
    bool intel = platform_vendor == CPUID_VENDOR_INTEL;

    switch (leaf) {
    case 0:
        out[CPUID_EAX] = intel ? 0x1f : 0x10;
        platform_vendor_text(out);
        break;
    case 1:
        out[CPUID_EAX] = 0x00a20f10;
        out[CPUID_EBX] = 0x05100800;
        out[CPUID_ECX] = out[CPUID_EDX] = 0xffffffff;
        break;
    case 4:
        if (intel && subleaf < 4) {
            out[CPUID_EAX] = 0xfc000000u | 0x3fc0000 |
                             (subleaf == 3 ? 3u : 1u + subleaf / 2) << 5 | 1;
        }
        break;
    case 5:
        memset(out, 0x55, 16);
        break;
    case 7:
        if (subleaf <= 1) {
            memset(out, 0xff, 16);
            out[CPUID_EAX] = subleaf == 0 ? 1 : 0xffffffff;
        }
        break;
    case 0xa:
        memset(out, 0xaa, 16);
        break;
    case 0xd:
        platform_xstate(subleaf, out);
        break;
    default:
        break;
    }
}

static void platform_leaf_extended(uint32_t leaf, uint32_t subleaf,
                                   uint32_t out[4])
{
    switch (leaf) {
    case 0x80000000:
        out[CPUID_EAX] = 0x80000023;
        break;
    case 0x80000001:
    case 0x80000007:
    case 0x8000000a:
        memset(out, 0xff, 16);
        break;
    case 0x80000002:
        memcpy(out, "Made-Up CPU 3000", 16);
        break;
    case 0x80000008:
        memset(out, 0xff, 16);
        out[CPUID_EAX] = 0x3030;
        break;
    case 0x8000001d:
        if (subleaf < 4) {
            out[CPUID_EAX] = (subleaf == 3 ? 3u : 1u + subleaf / 2) << 5 | 1;
        }
        break;
    case 0x8000001f:
        memset(out, 0xff, 16);
        break;
    case 0x80000021:
        out[CPUID_EAX] = 0xffffffff;
        break;
    default:
        break;
    }
}

static void platform_cpuid_read(uint32_t leaf, uint32_t subleaf,
                                uint32_t out[4])
{
    memset(out, 0, 16);
    if (leaf >= 0x80000000u) {
        platform_leaf_extended(leaf, subleaf, out);
    } else {
        platform_leaf_basic(leaf, subleaf, out);
    }
    for (unsigned i = 0; i < platform_patch_count; i++) {
        const struct platform_patch *p = &platform_patch[i];

        if (p->leaf == leaf && p->subleaf == subleaf) {
            out[p->reg] = (out[p->reg] & ~p->clear) | p->set;
        }
    }
}

/** A processor of that vendor with everything on. */
static inline void platform_cpuid_use(enum cpuid_vendor vendor)
{
    platform_vendor = vendor;
    platform_patch_count = 0;
    platform_tsc_stable = false;
    cpuid_host_init(platform_cpuid_read, 0xa201009, platform_tsc_stable);
}

/** Changes one register of one leaf. */
static inline void platform_cpuid_patch(uint32_t leaf, uint32_t subleaf,
                                        enum cpuid_reg reg, uint32_t clear,
                                        uint32_t set)
{
    platform_patch[platform_patch_count++] =
        (struct platform_patch){leaf, subleaf, reg, clear, set};
    cpuid_host_init(platform_cpuid_read, 0xa201009, platform_tsc_stable);
}
