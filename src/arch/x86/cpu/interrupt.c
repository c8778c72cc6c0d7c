/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables and the dispatch of everything that interrupts the
 * hypervisor. Exceptions at places listed in the exception table continue at
 * their fix-up; any other exception is our bug and panics. Devices choose when
 * interrupts come, guests that own devices may influence it.
 */
#include "cpu/interrupt.h"

#include "boot/boot.h"
#include "cpu/cpu.h"
#include "cpu/extable.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "cpu/stop.h"
#include "cpu/vectors.h"
#include "platform/lapic.h"
#include "ravelin/atomic.h"
#include "ravelin/log.h"
#include "ravelin/panic.h"

#define VECTOR_COUNT 256u

/* Type and attribute byte: present, DPL 0, 64-bit interrupt gate. */
#define GATE_INTERRUPT 0x8eu

struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t attributes;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct rv_packed table_pointer {
    uint16_t limit;
    uint64_t base;
};

extern const uint8_t vector_stubs[];
void interrupt_dispatch(struct exception_frame *frame);

static struct idt_gate idt[VECTOR_COUNT] RV_RO_AFTER_INIT rv_aligned(16) = {0};
static interrupt_fn handlers[VECTOR_COUNT] RV_RO_AFTER_INIT = {0};
static uint64_t nmi_count;     /* atomic */
static uint64_t unknown_count; /* atomic; vectors without a handler */

static const char *const exception_name[] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "device not available",
    "double fault",
    "coprocessor",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection",
    "page fault",
    "reserved",
    "x87 error",
    "alignment check",
    "machine check",
    "SIMD error",
    "virtualization",
    "control protection",
};

static void gate_set(unsigned vector, unsigned ist)
{
    uint64_t stub =
        (uint64_t)vector_stubs + (uint64_t)vector * VECTOR_STUB_SIZE;

    idt[vector] = (struct idt_gate){
        .offset_low = (uint16_t)stub,
        .selector = SEL_CODE,
        .ist = (uint8_t)ist,
        .attributes = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
    };
}

void interrupt_init(void)
{
    for (unsigned v = 0; v < VECTOR_COUNT; v++) {
        gate_set(v, 0);
    }
    gate_set(VECTOR_DF, IST_DF);
    gate_set(VECTOR_NMI, IST_NMI);
    gate_set(VECTOR_MC, IST_MC);
}

/* 16-byte TSS descriptor. Ref: AMD APM Vol 2 4.8.3 "System Descriptors". */
static void tss_descriptor_set(struct x86_cpu *x)
{
    uint64_t base = (uint64_t)&x->tss;
    uint64_t limit = sizeof(x->tss) - 1;

    x->gdt[SEL_TSS / 8] = limit | (base & 0xffffff) << 16 | 0x89UL << 40 |
                          (base >> 24 & 0xff) << 56;
    x->gdt[SEL_TSS / 8 + 1] = base >> 32;
}

void interrupt_cpu_init(void)
{
    extern const uint64_t boot_gdt[];
    struct x86_cpu *x = this_x86_cpu();
    struct table_pointer gdt_pointer = {sizeof(x->gdt) - 1, (uint64_t)x->gdt};
    struct table_pointer idt_pointer = {sizeof(idt) - 1, (uint64_t)idt};

    x->gdt[SEL_CODE / 8] = boot_gdt[SEL_CODE / 8];
    x->gdt[SEL_DATA / 8] = boot_gdt[SEL_DATA / 8];
    x->tss.iomap_base = sizeof(x->tss);
    tss_descriptor_set(x);
    /* The selectors keep their meaning, so none needs to be reloaded. */
    __asm__ volatile("lgdt %0" : : "m"(gdt_pointer) : "memory");
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS) : "memory");
    __asm__ volatile("lidt %0" : : "m"(idt_pointer) : "memory");
}

void interrupt_handler_set(unsigned vector, interrupt_fn fn)
{
    BUG_ON(vector < VECTOR_FIRST_DEVICE || vector >= VECTOR_COUNT);
    handlers[vector] = fn;
}

uint64_t interrupt_nmi_count(void)
{
    return read_once(nmi_count);
}

static rv_noreturn void exception_panic(const struct exception_frame *frame)
{
    const char *name = "exception";

    if (frame->vector < ARRAY_SIZE(exception_name)) {
        name = exception_name[frame->vector];
    }
    if (frame->vector == VECTOR_PF) {
        panic_at(frame, "page fault at 0x%lx, error 0x%lx%s", read_cr2(),
                 frame->error,
                 stack_is_guard(read_cr2()) ? " (stack overflow)" : "");
    }
    panic_at(frame, "%s (vector %lu, error 0x%lx)%s", name, frame->vector,
             frame->error,
             frame->vector == VECTOR_DF && stack_is_guard(read_cr2())
                 ? ", stack overflow"
                 : "");
}

static void exception_dispatch(struct exception_frame *frame)
{
    uint64_t fixup;

    if (frame->vector == VECTOR_NMI) {
        stop_check(frame);
        __atomic_fetch_add(&nmi_count, 1, __ATOMIC_RELAXED);
        return;
    }
    fixup = extable_lookup(frame->rip);
    if (fixup == 0 || frame->vector == VECTOR_DF ||
        frame->vector == VECTOR_MC) {
        exception_panic(frame);
    }
    frame->rip = fixup;
}

void interrupt_dispatch(struct exception_frame *frame)
{
    if (frame->vector < VECTOR_FIRST_DEVICE) {
        exception_dispatch(frame);
    } else if (handlers[frame->vector] != NULL) {
        handlers[frame->vector](frame);
    } else {
        if (__atomic_fetch_add(&unknown_count, 1, __ATOMIC_RELAXED) == 0) {
            log_warn("interrupt with unknown vector 0x%lx", frame->vector);
        }
        lapic_eoi_if_in_service((unsigned)frame->vector);
    }
}
