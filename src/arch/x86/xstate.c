/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XSAVE/XRSTOR (or FXSAVE/FXRSTOR) of everything a guest may have enabled. The
 * full mask is always saved: a guest that clears an XCR0 bit still owns the
 * registers behind it, and the next vCPU must not see them.
 * Ref: AMD APM Vol 2, 11.5 "XSAVE/XRSTOR Instructions"; Intel SDM Vol 1 ch. 13.
 */

#include "xstate.h"
#include "cpu/feature.h"
#include "cpu/regs.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"

/* x87, SSE, AVX, bound registers, the three AVX-512 parts, PKRU. Guests are
 * not offered the bound registers, but a processor that does not intercept
 * XSETBV (QEMU's TCG) lets them be enabled all the same. */
#define XSTATE_SUPPORTED 0x2ffUL
#define XSAVE_LEAF 0xdu
#define FXSAVE_FCW_OFFSET 0
#define FXSAVE_MXCSR_OFFSET 24
#define FCW_DEFAULT 0x037fu
#define MXCSR_DEFAULT 0x1f80u

static uint64_t xcr0_mask;
static unsigned area_order;

void xstate_init(void)
{
    uint32_t bytes = 512;
    uint32_t leaf = XSAVE_LEAF;
    uint32_t ecx = 0;
    uint32_t edx;

    if (x86_features.xsave) {
        xcr0_mask = x86_features.xcr0_mask & XSTATE_SUPPORTED;
        xstate_xcr0_set(xcr0_mask);
        __asm__ volatile("cpuid"
                         : "+a"(leaf), "=b"(bytes), "+c"(ecx), "=d"(edx));
    }
    while ((PAGE_SIZE << area_order) < bytes) {
        area_order++;
    }
}

uint64_t xstate_mask(void)
{
    return xcr0_mask;
}

void *xstate_alloc(void)
{
    return pages_alloc(area_order);
}

void xstate_free(void *area)
{
    if (area) {
        pages_free(area, area_order);
    }
}

void xstate_reset(void *area)
{
    uint8_t *bytes = area;
    uint16_t fcw = FCW_DEFAULT;
    uint32_t mxcsr = MXCSR_DEFAULT;

    memset(area, 0, PAGE_SIZE << area_order);
    memcpy(bytes + FXSAVE_FCW_OFFSET, &fcw, sizeof(fcw));
    memcpy(bytes + FXSAVE_MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
    if (xcr0_mask) {
        uint64_t xstate_bv = xcr0_mask & 3;

        memcpy(bytes + 512, &xstate_bv, sizeof(xstate_bv));
    }
}

void xstate_xcr0_set(uint64_t xcr0)
{
    __asm__ volatile("xsetbv"
                     :
                     : "c"(0), "a"((uint32_t)xcr0),
                       "d"((uint32_t)(xcr0 >> 32)));
}

uint64_t xstate_xcr0_get(void)
{
    uint32_t low;
    uint32_t high;

    if (!xcr0_mask) {
        return 0;
    }
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

void xstate_load(const void *area, uint64_t xcr0)
{
    if (!xcr0_mask) {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
        return;
    }
    xstate_xcr0_set(xcr0_mask);
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)xcr0_mask),
                       "d"((uint32_t)(xcr0_mask >> 32))
                     : "memory");
    xstate_xcr0_set(xcr0);
}

void xstate_save(void *area)
{
    if (!xcr0_mask) {
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
        return;
    }
    xstate_xcr0_set(xcr0_mask);
    __asm__ volatile("xsave64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)xcr0_mask),
                       "d"((uint32_t)(xcr0_mask >> 32))
                     : "memory");
}
