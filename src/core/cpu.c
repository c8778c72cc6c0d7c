/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of physical CPUs. It is filled at boot, one CPU at a time, and only
 * read afterwards. No guest input comes here.
 */

#include "ravelin/cpu.h"
#include "ravelin/panic.h"

static struct cpu *cpu_table[CPU_COUNT_MAX];
static unsigned cpu_table_count;

struct cpu *cpu_by_id(unsigned id)
{
    return id < cpu_count() ? cpu_table[id] : NULL;
}

unsigned cpu_count(void)
{
    return load_acquire(&cpu_table_count);
}

void cpu_register(struct cpu *cpu)
{
    unsigned id = cpu_count();

    BUG_ON(cpu->id != id || id >= CPU_COUNT_MAX);
    cpu_table[id] = cpu;
    store_release(&cpu_table_count, id + 1);
}

void cpu_table_reset(void)
{
    store_release(&cpu_table_count, 0);
}
