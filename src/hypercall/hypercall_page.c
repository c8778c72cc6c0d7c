/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of stubs a guest calls instead of knowing which processor it runs
 * on: entry n is at offset 32 * n. The bytes mean the same in 32-bit and in
 * 64-bit code.
 */
#include "handlers.h"
#include "ravelin/string.h"

#define STUB_SIZE 32u
#define STUB_COUNT (PAGE_SIZE / STUB_SIZE)

/* mov $number, %eax; vmmcall or vmcall; ret; then breakpoints. */
static void stub_write(uint8_t *stub, uint32_t number)
{
    memset(stub, 0xcc, STUB_SIZE);
    if (number == __HYPERVISOR_iret) {
        /* Only paravirtual guests return that way. */
        stub[0] = 0x0f;
        stub[1] = 0x0b;
        return;
    }
    stub[0] = 0xb8;
    memcpy(&stub[1], &number, sizeof(number));
    memcpy(&stub[5], hv->hypercall_insn, sizeof(hv->hypercall_insn));
    stub[8] = 0xc3;
}

int hypercall_page_write(struct domain *d, gfn_t g)
{
    gpa_t base = gfn_to_gpa(g);
    uint8_t stub[STUB_SIZE];

    for (uint32_t i = 0; i < STUB_COUNT; i++) {
        int rc;

        stub_write(stub, i);
        rc = guest_phys_write(d, gpa(base.v + i * STUB_SIZE), stub,
                              sizeof(stub));
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
