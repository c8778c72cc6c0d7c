/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits by an access outside RAM or to a port. The short path serves plain
 * loads and stores, which is all that drivers use on device registers; the
 * rest goes through the emulator.
 *
 * Threat surface: address, size and data are the guest's.
 */

#include "ravelin/device_exit.h"
#include "ravelin/emul.h"
#include "ravelin/insn.h"
#include "ravelin/io_ports.h"
#include "ravelin/mmio.h"
#include "ravelin/monitor_access.h"
#include "ravelin/p2m.h"
#include "ravelin/vmexit.h"

#define PIT_COUNTER_0 0x40u
#define PIT_COUNTER_2 0x42u

void device_mmio(struct vcpu *v, gpa_t addr, unsigned size, bool write,
                 uint64_t *value)
{
    vcpu_tpr_pull(v);
    if (mmio_dispatch(v, addr, size, write, value) && !write) {
        *value = UINT64_MAX;
    }
}

/*
 * The counters of an absent interval timer read as zero, not as all ones: a
 * kernel that waits for a counter to leave 0xff (Linux's quick calibration)
 * would read the port a hundred thousand times before it gave up.
 */
void device_port(struct vcpu *v, uint16_t port, unsigned size, bool in,
                 uint32_t *value)
{
    if (io_port_dispatch(v, port, size, in, value) && in) {
        bool counter = port >= PIT_COUNTER_0 && port <= PIT_COUNTER_2;

        *value = counter ? 0 : UINT32_MAX >> (32 - size * 8);
    }
}

/* An access the map allows by now: another CPU changed it since the exit. */
static bool is_settled(const struct p2m_entry *entry, uint8_t access)
{
    return (entry->access & access) == access;
}

static bool is_ram(const struct p2m_entry *entry)
{
    return entry->type == P2M_RAM || entry->type == P2M_RAM_RO;
}

static void device_access(struct vcpu *v, const struct vmexit *exit)
{
    const struct emul_insn *insn = vcpu_insn_fetch(v, exit);
    gpa_t addr = exit->u.memory.gpa;
    struct emul_mmio access;

    if (!insn) {
        return;
    }
    if (!emul_mmio_decode(insn, v->regs.gpr, &access) ||
        (addr.v & ~PAGE_MASK) + access.size > PAGE_SIZE) {
        vcpu_emulate(v, insn);
        return;
    }
    device_mmio(v, addr, access.size, access.write, &access.value);
    if (!access.write) {
        emul_mmio_load(insn, v->regs.gpr, access.value);
    }
    vcpu_rip_advance(v, insn->len);
}

/* Fetching code or page tables from where no memory is cannot be continued. */
void memory_exit_handle(struct vcpu *v, const struct vmexit *exit)
{
    gpa_t addr = exit->u.memory.gpa;
    struct p2m_entry entry = p2m_lookup(&v->domain->p2m, gpa_to_gfn(addr));

    if (is_ram(&entry) && monitor_access_exit(v, exit)) {
        return;
    }
    if (!is_ram(&entry) && is_settled(&entry, exit->u.memory.access)) {
        return;
    }
    if (exit->u.memory.access == ACCESS_EXEC) {
        domain_crash(v->domain, v,
                     "instruction fetch at guest physical %lx: no memory or "
                     "no right to execute",
                     addr.v);
        return;
    }
    if (exit->u.memory.delivering) {
        domain_crash(v->domain, v,
                     "event delivery at guest physical %lx: no memory or no "
                     "right to %s",
                     addr.v,
                     exit->u.memory.access == ACCESS_WRITE ? "write" : "read");
        return;
    }
    if (exit->u.memory.table_walk) {
        domain_crash(v->domain, v,
                     "page table at guest physical %lx: no memory or "
                     "read-only",
                     addr.v);
        return;
    }
    device_access(v, exit);
}

void io_exit_handle(struct vcpu *v, const struct vmexit *exit)
{
    uint32_t value = (uint32_t)v->regs.gpr[REG_RAX];
    uint64_t mask = UINT32_MAX >> (32 - exit->u.io.size * 8);
    const struct emul_insn *insn;

    if (exit->u.io.string) {
        insn = vcpu_insn_fetch(v, exit);
        if (insn) {
            vcpu_emulate(v, insn);
        }
        return;
    }
    device_port(v, exit->u.io.port, exit->u.io.size, exit->u.io.in, &value);
    if (exit->u.io.in) {
        uint64_t *rax = &v->regs.gpr[REG_RAX];

        *rax = exit->u.io.size == 4 ? value : (*rax & ~mask) | (value & mask);
    }
    vcpu_insn_skip(v, exit);
}
