/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chooses how pages are cleared. XCR0 may be a guest's at this moment and not
 * allow AVX; SSE is always enabled.
 */
#include "arch/host.h"
#include "cpu/feature.h"
#include "cpu/regs.h"

void page_clear_avx(void *page, size_t count);
void page_clear_sse(void *page, size_t count);

void arch_pages_clear(void *page, size_t count)
{
    if (count == 0) {
        return;
    }
    if (x86_features.xsave && (xgetbv(0) & XCR0_AVX) != 0) {
        page_clear_avx(page, count);
    } else {
        page_clear_sse(page, count);
    }
}

void arch_page_clear(void *page)
{
    arch_pages_clear(page, 1);
}
