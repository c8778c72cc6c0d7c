/* SPDX-License-Identifier: MIT */
/*
 * Attack: exceptions without end, in four kinds (`kind=` on the command line).
 *   stack    each handler faults at once, until the stack is used up: the
 *            domain ends by a triple fault (or by running into a hole)
 *   hole     the IDT lies where there is no memory, so that delivery itself
 *            needs the hypervisor; the domain ends
 *   endless  the handler returns to the fault for ever; the domain lives and
 *            burns its own time only, until somebody destroys it
 *   timed    as endless, for `run=` milliseconds, then a verdict
 *
 * Environments: all.
 */

#include "guest.h"

const char test_title[] = "attack-exception-loop: exceptions without end";

/* Well above all RAM of a small domain, below the APIC. */
#define HOLE 0x70000000u

static volatile uint32_t count;
static uint64_t end;

extern uint8_t loop_recursive[];

asm(".text\n"
    "loop_recursive: ud2\n");

static void again(struct trap_frame *frame)
{
    count++;
    if (end && clock_ns() > end) {
        frame->ip += 2;
    }
}

static void until_stack_ends(void)
{
    trap_gate_set(TRAP_UD, (uintptr_t)loop_recursive, 0, 0);
    asm volatile("ud2");
}

static void idt_in_hole(void)
{
    struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) idt = {0xfff, HOLE};

    asm volatile("lidt %0; ud2" ::"m"(idt));
}

static void without_end(uint64_t run)
{
    end = run ? clock_ns() + run * MS : 0;
    trap_handler_set(TRAP_UD, again);
    asm volatile("ud2" ::: "memory");
    CHECK(count > 10);
    printf("%u exceptions\n", count);
}

void test_main(void)
{
    const char *kind = cmdline_value("kind");

    printf("Expect crash: %s\n", kind ? kind : "timed");
    console_drain();
    if (!kind || !strncmp(kind, "timed", 5)) {
        without_end(cmdline_number("run", 200));
    } else if (!strncmp(kind, "stack", 5)) {
        until_stack_ends();
    } else if (!strncmp(kind, "hole", 4)) {
        idt_in_hole();
    } else {
        without_end(0);
    }
}
