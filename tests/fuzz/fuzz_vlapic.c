/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the interrupt controllers of a domain with three vCPUs, driven
 * by any sequence of register accesses, MSRs, messages, pins, acceptances and
 * passing time. After each step the state must be one the architecture allows.
 *
 * Input: commands of eight bytes: operation, vCPU, register (2), value (4).
 */
#include "fuzz.h"

#include <string.h>

#include "core_fixture.h"

#include "arch/host.h"
#include "fake.h"
#include "ravelin/domain.h"
#include "ravelin/mmio.h"
#include "ravelin/sched.h"
#include "ravelin/timer.h"
#include "ravelin/vioapic.h"
#include "ravelin/vlapic.h"

#define VCPUS 3u
#define COMMANDS_MAX 4096u

struct command {
    uint8_t op;
    uint8_t vcpu;
    uint16_t reg;
    uint32_t value;
};

static struct domain *dom;

static void machine_create(void)
{
    core_machine_create(1);
    dom = core_domain(VCPUS);
}

static void domain_reset(void)
{
    if (dom == NULL) {
        machine_create();
    }
    vioapic_destroy(dom);
    require(vioapic_create(dom) == 0);
    for (unsigned i = 0; i < VCPUS; i++) {
        vlapic_reset(dom->vcpu[i]);
        vcpu_flags_clear(dom->vcpu[i], VCPU_DOWN);
    }
}

/* ---- What must hold ---- */

static int set_highest(struct vcpu *v, uint32_t base)
{
    for (int i = 7; i >= 0; i--) {
        uint32_t word = vlapic_mmio_read(v, base + (uint32_t)i * 16);

        if (word != 0) {
            return i * 32 + 31 - __builtin_clz(word);
        }
    }
    return -1;
}

static void require_sane(struct vcpu *v)
{
    int pending = vlapic_irq_pending(v);
    int threshold = vlapic_tpr_threshold(v);

    require(pending == -1 || (pending >= 16 && pending <= 255));
    require(threshold >= -1 && threshold <= 14);
    require(pending == -1 || threshold == -1);
    require(pending == -1 || vlapic_is_enabled(v));
    require(vlapic_cr8_get(v) <= 15);
    if (threshold >= 0) {
        require((int)vlapic_cr8_get(v) > threshold);
    }
    if (vlapic_mmio_is_mapped(v)) {
        int isr = set_highest(v, 0x100);
        int ppr = (int)vlapic_mmio_read(v, 0xa0);

        require(ppr >> 4 >= (isr < 0 ? 0 : isr >> 4));
        require(pending == -1 || pending >> 4 > ppr >> 4);
        require((vlapic_mmio_read(v, 0x280) & ~0xe0u) == 0);
        require(vlapic_mmio_read(v, 0x380) >= vlapic_mmio_read(v, 0x390));
    }
}

/* ---- Commands ---- */

static void time_pass(uint32_t value)
{
    fake_time_advance(value);
    timers_run();
}

static void command_run(const struct command *c)
{
    struct vcpu *v = dom->vcpu[c->vcpu % VCPUS];
    uint64_t wide = (uint64_t)c->value << (c->vcpu >> 2 & 0x20) | c->reg;
    uint64_t value = c->value;
    int pending;

    switch (c->op % 12) {
    case 0:
        vlapic_mmio_write(v, c->reg & 0xff0u, c->value);
        break;
    case 1:
        (void)vlapic_mmio_read(v, c->reg & 0xff0u);
        break;
    case 2:
        (void)!vlapic_msr_write(v, 0x800u + (c->reg & 0x3ffu), value);
        break;
    case 3:
        (void)!vlapic_msr_read(v, c->reg, &value);
        break;
    case 4:
        (void)!vlapic_msr_write(v, 0x1b, 0xfee00000u | (c->value & 0xfffu));
        break;
    case 5:
        (void)!vlapic_msr_write(v, 0x6e0, wide);
        break;
    case 6:
        pending = vlapic_irq_pending(v);
        if (pending >= 0) {
            vlapic_irq_accept(v, (uint8_t)pending);
        }
        break;
    case 7:
        vioapic_mmio_write(dom, 0, c->reg);
        vioapic_mmio_write(dom, 0x10, c->value);
        (void)vioapic_mmio_read(dom, 0x10);
        break;
    case 8:
        vioapic_irq_set(dom, c->reg, (c->value & 1u) != 0);
        break;
    case 9:
        vlapic_deliver(dom, c->value, (c->reg & 1u) != 0, c->reg >> 1 & 7u,
                       (uint8_t)(c->reg >> 4), (c->reg >> 12 & 1u) != 0);
        break;
    case 10:
        time_pass(c->value);
        break;
    default:
        (void)!mmio_dispatch(
            v, gpa(0xfec00000u + c->reg + (c->value & 1u) * 0x200000u),
            c->value >> 1 & 15u, (c->value & 32u) != 0, &value);
        break;
    }
}

static void vcpus_step(void)
{
    for (unsigned i = 0; i < VCPUS; i++) {
        struct vcpu *v = dom->vcpu[i];

        if (v->init_pending && (v->flags & VCPU_DOWN) == 0) {
            vlapic_init_process(v);
            require(!v->init_pending);
        }
        require_sane(v);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command c;

    domain_reset();
    for (unsigned n = 0; n < COMMANDS_MAX && size >= sizeof(c); n++) {
        memcpy(&c, data, sizeof(c));
        data += sizeof(c);
        size -= sizeof(c);
        command_run(&c);
        vcpus_step();
    }
    return 0;
}
