/* SPDX-License-Identifier: MIT */
/*
 * IDT, task segments and the dispatch of exceptions. An unexpected exception
 * ends the guest with a dump and the verdict ERROR: it is a bug in the test
 * or the mark of a hypervisor that broke the guest's state.
 */

#include "guest.h"

struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_mid;
#ifdef __x86_64__
    uint32_t offset_high;
    uint32_t reserved;
#endif
} __attribute__((packed));

/* The hardware task state: only the ring-0 stack and the IST are used. */
struct task_state {
#ifdef __x86_64__
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
#else
    uint32_t back_link;
    uint32_t esp0, ss0;
    uint32_t unused[22];
    uint16_t trap, io_map;
#endif
} __attribute__((packed));

struct ex_entry {
    uint32_t from, to;
};

extern const struct ex_entry ex_table_start[], ex_table_end[];

static struct idt_gate idt[256] __attribute__((aligned(16)));
static struct task_state task[CPUS_MAX] __attribute__((aligned(16)));
static trap_handler_t handlers[256];
static volatile struct trap_record last[CPUS_MAX];
static bool dumping;
static uint8_t fault_stack[CPUS_MAX][STACK_SIZE]
    __attribute__((aligned(STACK_SIZE)));
/* Reached when a test runs code in user mode and traps back. */
static uint8_t ring0_stack[CPUS_MAX][STACK_SIZE]
    __attribute__((aligned(STACK_SIZE)));

void trap_dispatch(struct trap_frame *frame);

volatile struct trap_record *trap_last(void)
{
    return &last[cpu_index()];
}

void trap_handler_set(unsigned int vector, trap_handler_t handler)
{
    handlers[vector] = handler;
}

void trap_gate_set(unsigned int vector, uintptr_t entry, unsigned int dpl,
                   unsigned int ist)
{
    struct idt_gate g = {
        .offset_low = (uint16_t)entry,
        .selector = SEL_CODE,
        .ist = (uint8_t)ist,
        .type = (uint8_t)(0x8e | (dpl << 5)),
        .offset_mid = (uint16_t)(entry >> 16),
    };

    idt[vector] = g;
}

void trap_gate_present(unsigned int vector, bool present)
{
    idt[vector].type =
        (uint8_t)((idt[vector].type & 0x7f) | (present ? 0x80 : 0));
}

static void task_segment_init(unsigned int cpu)
{
    struct task_state *t = &task[cpu];
    uint64_t base = (uintptr_t)t;
    uint64_t *desc = &gdt_table[SEL_TSS(cpu) / 8];
    uintptr_t ring0_end = (uintptr_t)ring0_stack[cpu] + STACK_SIZE;

    *(uint32_t *)ring0_stack[cpu] = cpu;
    *(uint32_t *)fault_stack[cpu] = cpu;
#ifdef __x86_64__
    t->rsp[0] = ring0_end;
    t->ist[0] = (uintptr_t)fault_stack[cpu] + STACK_SIZE;
#else
    t->esp0 = ring0_end;
    t->ss0 = SEL_DATA;
#endif
    t->io_map = sizeof(*t);
    desc[0] = (sizeof(*t) - 1) | ((base & 0xffffff) << 16) | (0x89ull << 40) |
              ((base & 0xff000000) << 32);
    desc[1] = base >> 32;
    asm volatile("ltr %w0" ::"r"(SEL_TSS(cpu)));
}

void trap_init_cpu(unsigned int cpu)
{
    struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uintptr_t)idt};
    unsigned int i;

    if (cpu == 0) {
        for (i = 0; i < 256; i++) {
            trap_gate_set(i, trap_stub_table[i], 0, i == TRAP_DF ? 1 : 0);
        }
        trap_gate_set(TRAP_BP, trap_stub_table[TRAP_BP], 3, 0);
        trap_gate_set(TRAP_OF, trap_stub_table[TRAP_OF], 3, 0);
    }
    task_segment_init(cpu);
    asm volatile("lidt %0" ::"m"(idtr) : "memory");
    last[cpu].vector = TRAP_NONE;
}

static bool fixup_apply(struct trap_frame *frame)
{
    const struct ex_entry *e;

    for (e = ex_table_start; e < ex_table_end; e++) {
        if (frame->ip == e->from) {
            volatile struct trap_record *r = trap_last();

            r->vector = (unsigned int)frame->vector;
            r->error = frame->error;
            r->ip = frame->ip;
            r->cr2 = frame->vector == TRAP_PF ? read_cr2() : 0;
            frame->ip = e->to;
            return true;
        }
    }
    return false;
}

static void frame_dump(const struct trap_frame *f)
{
    printf("unexpected vector %lu error %lx at %lx:%lx flags %lx cr2 %lx\n",
           f->vector, f->error, f->cs, f->ip, f->flags, read_cr2());
    printf("ax %lx bx %lx cx %lx dx %lx si %lx di %lx bp %lx\n", f->ax, f->bx,
           f->cx, f->dx, f->si, f->di, f->bp);
}

void trap_dispatch(struct trap_frame *frame)
{
    trap_handler_t h = handlers[frame->vector & 0xff];

    if (h) {
        h(frame);
        return;
    }
    if (frame->vector < 32 && fixup_apply(frame)) {
        return;
    }
    if (dumping) {
        /* Even the dump faults: end where the first one is still visible. */
        struct sched_shutdown crash = {.reason = SHUTDOWN_crash};

        hypercall_raw(__HYPERVISOR_sched_op, SCHEDOP_shutdown,
                      (unsigned long)(uintptr_t)&crash, 0, 0, 0);
    }
    dumping = true;
    frame_dump(frame);
    report_error("unexpected exception or interrupt");
    report_end();
}

unsigned int rdmsr_safe(uint32_t msr, uint64_t *value)
{
    uint32_t lo = 0, hi = 0;
    unsigned int vector;

    vector = TRAP_OF_INSN("rdmsr", "+a"(lo), "+d"(hi) : "c"(msr) : "memory");
    *value = ((uint64_t)hi << 32) | lo;
    return vector;
}

unsigned int wrmsr_safe(uint32_t msr, uint64_t value)
{
    return TRAP_OF_INSN("wrmsr",
                        : "c"(msr), "a"((uint32_t)value),
                          "d"((uint32_t)(value >> 32))
                        : "memory");
}
