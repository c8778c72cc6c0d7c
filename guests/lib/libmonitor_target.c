/* SPDX-License-Identifier: MIT */
/*
 * Memory, traps and page rights of the watched domain: the calls. Those of the
 * mem_event ABI are written out here, because the reference headers of 4.17 no
 * longer have them.
 */

#include "guest.h"
#include "libmonitor.h"

#define HVMOP_SET_MEM_ACCESS 12
#define HVMOP_GET_MEM_ACCESS 13
#define HVMOP_INJECT_TRAP 14

struct set_mem_access {
    uint16_t domid;
    uint16_t access;
    uint32_t count;
    uint64_t first_gfn;
};

struct get_mem_access {
    uint16_t domid;
    uint16_t access; /* out */
    uint32_t pad;
    uint64_t gfn;
};

struct inject_trap {
    uint16_t domid;
    uint16_t pad;
    uint32_t vcpu;
    uint32_t vector;
    uint32_t error_code;
    uint64_t cr2;
};

_Static_assert(sizeof(struct set_mem_access) == 16, "ABI of HVMOP 12");
_Static_assert(sizeof(struct get_mem_access) == 16, "ABI of HVMOP 13");
_Static_assert(sizeof(struct inject_trap) == 24, "ABI of HVMOP 14");

long monitor_inject(struct monitor *m, unsigned int vcpu, uint32_t vector,
                    uint32_t error_code, uint64_t cr2)
{
    struct inject_trap op = {
        .domid = (uint16_t)m->domid,
        .vcpu = vcpu,
        .vector = vector,
        .error_code = error_code,
        .cr2 = cr2,
    };

    return hvm_op(HVMOP_INJECT_TRAP, &op);
}

long monitor_access_set(struct monitor *m, unsigned int access, uint64_t gfn,
                        uint32_t count)
{
    struct set_mem_access op = {
        .domid = (uint16_t)m->domid,
        .access = (uint16_t)access,
        .count = count,
        .first_gfn = gfn,
    };

    return hvm_op(HVMOP_SET_MEM_ACCESS, &op);
}

long monitor_access_get(struct monitor *m, uint64_t gfn, unsigned int *access)
{
    struct get_mem_access op = {.domid = (uint16_t)m->domid, .gfn = gfn};
    long rc = hvm_op(HVMOP_GET_MEM_ACCESS, &op);

    *access = op.access;
    return rc;
}

/* ---- Memory -------------------------------------------------------------- */

static long memory_copy(struct monitor *m, unsigned int cmd, uint64_t gpa,
                        uint64_t buffer, size_t size)
{
    while (size) {
        struct ravelin_monitor_memory op = {
            .domid = (uint16_t)m->domid,
            .length = size < RAVELIN_MONITOR_MEMORY_MAX
                          ? (uint32_t)size
                          : RAVELIN_MONITOR_MEMORY_MAX,
            .gpa = gpa,
            .buffer = buffer,
        };
        long rc = hypercall2(__HYPERVISOR_ravelin_monitor_op, cmd, &op);

        if (rc) {
            return rc;
        }
        gpa += op.length;
        buffer += op.length;
        size -= op.length;
    }
    return 0;
}

long monitor_read(struct monitor *m, uint64_t gpa, void *to, size_t size)
{
    return memory_copy(m, RAVELIN_MONITOR_memory_read, gpa,
                       (uint64_t)(uintptr_t)to, size);
}

long monitor_write(struct monitor *m, uint64_t gpa, const void *from,
                   size_t size)
{
    return memory_copy(m, RAVELIN_MONITOR_memory_write, gpa,
                       (uint64_t)(uintptr_t)from, size);
}
