/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question that no feature bit answers: does an exception intercept of #BP
 * see INT3? On processors it does; QEMU's TCG delivers the exception without
 * asking. So a guest of two instructions is run once at boot, in real mode on a
 * page of its own: INT3, and a handler that halts. Which exit comes first is
 * the answer.
 * Ref: AMD APM Vol 2, 15.12.4 "#BP (Breakpoint)".
 */

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"
#include "svm/svm.h"

#define PAGE_COUNT 6u /* VMCB, four table levels, memory */
#define PAGE_ORDER 3u
#define ENTRY_ALL 0x7u /* present, writable, user */
#define EFER_SVME (1UL << 12)

#define OPCODE_INT3 0xccu
#define OPCODE_HLT 0xf4u
#define CODE_AT 0x500u
#define HANDLER_AT 0x600u
#define STACK_AT 0x7f0u
#define VECTOR_BP 3u

static bool bp_is_exception;

bool svm_breakpoint_is_exception(void)
{
    return bp_is_exception;
}

/* Each table's first entry leads to the next page, the last one to memory. */
static void tables_fill(uint8_t *pages)
{
    for (unsigned i = 1; i < PAGE_COUNT - 1; i++) {
        uint64_t *table = (void *)(pages + i * PAGE_SIZE);

        table[0] = host_pa(pages + (i + 1) * PAGE_SIZE).v | ENTRY_ALL;
    }
}

static void memory_fill(uint8_t *memory)
{
    const uint16_t handler[2] = {HANDLER_AT, 0};

    memcpy(memory + VECTOR_BP * sizeof(handler), handler, sizeof(handler));
    memory[CODE_AT] = OPCODE_INT3;
    memory[CODE_AT + 1] = OPCODE_HLT;
    memory[HANDLER_AT] = OPCODE_HLT;
}

/* IF is clear and interrupts are neither intercepted nor masked for the guest:
 * they wait until it is over. */
static void vmcb_fill(struct vmcb *vmcb, const uint8_t *pages)
{
    const struct vmcb_segment code = {0, 0x9b, 0xffff, 0};
    const struct vmcb_segment data = {0, 0x93, 0xffff, 0};

    vmcb->exceptions = 1u << VECTOR_BP;
    vmcb->intercepts1 = SVM_I1_HLT | SVM_I1_SHUTDOWN;
    vmcb->intercepts2 = SVM_I2_VMRUN;
    vmcb->asid = 1;
    vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
    vmcb->np_control = SVM_NP_ENABLE;
    vmcb->n_cr3 = host_pa(pages + PAGE_SIZE).v;
    vmcb->g_pat = 0x0007040600070406UL;
    vmcb->cs = code;
    vmcb->ds = vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = data;
    vmcb->idtr.limit = 0x3ff;
    vmcb->ldtr = (struct vmcb_segment){0, 0x82, 0xffff, 0};
    vmcb->tr = (struct vmcb_segment){0, 0x8b, 0xffff, 0};
    vmcb->efer = EFER_SVME;
    vmcb->cr0 = 0x60000010;
    vmcb->dr6 = 0xffff0ff0;
    vmcb->dr7 = 0x400;
    vmcb->rflags = 2;
    vmcb->rip = CODE_AT;
    vmcb->rsp = STACK_AT;
}

int svm_selftest(uint64_t host_area)
{
    uint8_t *pages = pages_alloc(PAGE_ORDER);
    struct vcpu_regs regs;
    struct vmcb *vmcb;

    if (!pages) {
        return -RV_ENOMEM;
    }
    memset(&regs, 0, sizeof(regs));
    vmcb = (void *)pages;
    tables_fill(pages);
    memory_fill(pages + (PAGE_COUNT - 1) * PAGE_SIZE);
    vmcb_fill(vmcb, pages);
    svm_switch(&regs, host_pa(vmcb).v, host_area);
    bp_is_exception =
        (uint32_t)vmcb->exitcode == SVM_EXIT_EXCEPTION + VECTOR_BP;
    pages_free(pages, PAGE_ORDER);
    return 0;
}
