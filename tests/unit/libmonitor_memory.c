/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that libmonitor's walks need, over an array.
 */
#include "libmonitor_memory.h"

#include <string.h>
#include <xen/errno.h>

struct libmonitor_memory libmonitor_memory;

void libmonitor_memory_reset(void)
{
    memset(&libmonitor_memory, 0, sizeof(libmonitor_memory));
    libmonitor_memory.monitor.tables = libmonitor_memory.tables;
}

static int is_ram(uint64_t gpa, size_t size)
{
    return gpa <= MEMORY_SIZE && size <= MEMORY_SIZE - gpa;
}

long monitor_read(struct monitor *m, uint64_t gpa, void *to, size_t size)
{
    (void)m;
    libmonitor_memory.read_count++;
    if (!is_ram(gpa, size)) {
        return -XEN_EFAULT;
    }
    memcpy(to, libmonitor_memory.ram + gpa, size);
    return 0;
}

long monitor_write(struct monitor *m, uint64_t gpa, const void *from,
                   size_t size)
{
    (void)m;
    if (!is_ram(gpa, size)) {
        return -XEN_EFAULT;
    }
    memcpy(libmonitor_memory.ram + gpa, from, size);
    return 0;
}

long monitor_access_set(struct monitor *m, unsigned int access, uint64_t gfn,
                        uint32_t count)
{
    (void)m;
    (void)gfn;
    libmonitor_memory.protected_frames += count;
    libmonitor_memory.protected_access = access;
    return 0;
}
