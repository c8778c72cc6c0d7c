/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where each CPU's stacks are: one slot of address space per CPU, with the main
 * stack and the three interrupt stacks each above an unmapped guard page. An
 * overflow thus faults at once, and the double fault handler, on a stack of its
 * own, can say what happened.
 */
#include "arch/startup.h"
#include "arch_inline.h"
#include "boot/boot.h"
#include "cpu/percpu.h"
#include "ravelin/panic.h"

#define STACK_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

/* Pages of a slot: a guard, then a stack, four times. */
static const struct {
    unsigned first;
    unsigned count;
} slot_stack[1 + IST_COUNT] = {
    {1, 4},  /* main */
    {6, 2},  /* IST_DF */
    {9, 2},  /* IST_NMI */
    {12, 2}, /* IST_MC */
};

static uint64_t slot_base(unsigned cpu)
{
    return LAYOUT_STACK_BASE + cpu * LAYOUT_STACK_SLOT;
}

static uint64_t stack_map(unsigned cpu, unsigned which)
{
    uint64_t size = slot_stack[which].count * PAGE_SIZE;
    uint64_t va = slot_base(cpu) + slot_stack[which].first * PAGE_SIZE;
    void *memory = arch_early_alloc(size);

    if (memory == NULL) {
        panic("no memory for the stacks of CPU %u", cpu);
    }
    paging_map_pages(va, host_pa(memory), size, STACK_FLAGS);
    return va + size;
}

void stacks_init(struct cpu *cpu)
{
    struct x86_cpu *x = cpu->arch;

    cpu->stack_top = (void *)stack_map(cpu->id, 0);
    for (unsigned ist = 1; ist <= IST_COUNT; ist++) {
        x->tss.ist[ist - 1] = stack_map(cpu->id, ist);
    }
}

static bool in_slots(uint64_t address)
{
    return address >= LAYOUT_STACK_BASE && address < slot_base(CPU_COUNT_MAX);
}

bool stack_bounds(uint64_t address, uint64_t *low, uint64_t *high)
{
    extern uint8_t boot_stack[];
    uint64_t page =
        (address - LAYOUT_STACK_BASE) % LAYOUT_STACK_SLOT / PAGE_SIZE;

    if (!in_slots(address)) {
        *low = (uint64_t)boot_stack;
        *high = *low + BOOT_STACK_SIZE;
        return address >= *low && address < *high;
    }
    for (size_t i = 0; i < ARRAY_SIZE(slot_stack); i++) {
        if (page - slot_stack[i].first < slot_stack[i].count) {
            *low = (address & ~(LAYOUT_STACK_SLOT - 1)) +
                   slot_stack[i].first * PAGE_SIZE;
            *high = *low + slot_stack[i].count * PAGE_SIZE;
            return true;
        }
    }
    return false;
}

bool stack_is_guard(uint64_t address)
{
    uint64_t low;
    uint64_t high;

    return in_slots(address) && !stack_bounds(address, &low, &high);
}
