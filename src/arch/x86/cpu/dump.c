/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and call chain for a panic. The frame chain is followed only
 * upwards and only inside the stack it started on, since whatever led to the
 * panic may have overwritten it.
 */
#include "boot/boot.h"
#include "cpu/cpu.h"
#include "cpu/interrupt.h"
#include "cpu/regs.h"
#include "ravelin/cpu.h"
#include "ravelin/log.h"
#include "ravelin/symbols.h"

#define FRAMES_MAX 24u

struct stack_frame {
    uint64_t caller_rbp;
    uint64_t return_address;
};

/* `back`: 1 for return addresses, as the call may be a function's last
 * instruction. */
static void frame_line(const char *what, uint64_t address, unsigned back)
{
    char text[SYMBOLS_TEXT_MAX];

    symbols_format(text, sizeof(text), address - back);
    log_error("  %s 0x%016lx %s", what, address, text);
}

static void backtrace(uint64_t rbp, uint64_t rsp)
{
    uint64_t low;
    uint64_t high;

    /* After an overflow only rbp is still inside. */
    if (!stack_bounds(rsp, &low, &high) && !stack_bounds(rbp, &low, &high)) {
        log_error("  stack pointer 0x%016lx is on no stack", rsp);
        return;
    }
    low = rv_max(low, rsp);
    for (unsigned i = 0; i < FRAMES_MAX; i++) {
        const struct stack_frame *f = (const struct stack_frame *)rbp;

        if (rbp < low || rbp % sizeof(uint64_t) != 0 ||
            rbp > high - sizeof(*f)) {
            return;
        }
        frame_line("called from", f->return_address, 1);
        low = rbp + sizeof(*f);
        rbp = f->caller_rbp;
    }
}

static void registers(const struct exception_frame *f)
{
    log_error("rax %016lx rbx %016lx rcx %016lx", f->rax, f->rbx, f->rcx);
    log_error("rdx %016lx rsi %016lx rdi %016lx", f->rdx, f->rsi, f->rdi);
    log_error("rbp %016lx rsp %016lx r8  %016lx", f->rbp, f->rsp, f->r8);
    log_error("r9  %016lx r10 %016lx r11 %016lx", f->r9, f->r10, f->r11);
    log_error("r12 %016lx r13 %016lx r14 %016lx", f->r12, f->r13, f->r14);
    log_error("r15 %016lx rip %016lx flags %08lx", f->r15, f->rip, f->rflags);
}

void cpu_dump(const struct exception_frame *frame)
{
    log_error("CPU %u, current vcpu %p", this_cpu()->id,
              (void *)this_cpu()->current);
    log_error("cr0 %08lx cr2 %016lx cr3 %08lx cr4 %08lx", read_cr0(),
              read_cr2(), read_cr3(), read_cr4());
    if (frame != NULL) {
        registers(frame);
        frame_line("at", frame->rip, 0);
        backtrace(frame->rbp, frame->rsp);
    } else {
        uint64_t rbp = (uint64_t)__builtin_frame_address(0);

        backtrace(rbp, rbp);
    }
}
