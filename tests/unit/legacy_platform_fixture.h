/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain with firmware over the fake backend, its ROM made of a few
 * instructions.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "public/hvm/hvm_op.h"
#include "ravelin/emulate_real.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/legacy.h"
#include "ravelin/vlapic.h"
#include "ravelin/vmexit.h"

#include "platform_fixture.h"

#define ROM_ORDER 4u
#define ROM_BYTES (PAGE_SIZE << ROM_ORDER)
#define MEMORY (4UL << 20)
#define RESULT 0x500u
#define SLICES_MAX 2000u

static struct boot_info *info;
static struct manifest_domain plan;
static uint8_t *rom;
static struct domain *dom;
static struct vcpu *v;

static inline void module_add(const char *name, void *data, uint64_t size)
{
    struct boot_module *m = &info->module[info->module_count++];

    strcpy(m->name, name);
    m->base = host_pa(data);
    m->size = size;
}

static inline int setup(void **state)
{
    (void)state;
    core_machine_create(1);
    info = calloc(1, sizeof(*info));
    rom = pages_alloc(ROM_ORDER);
    assert_non_null(rom);
    module_add("rom", rom, ROM_BYTES);
    manifest_domain_init(&plan);
    strcpy(plan.name, "pc");
    strcpy(plan.firmware, "rom");
    plan.memory = MEMORY;
    plan.console = MANIFEST_CONSOLE_NONE;
    dom = NULL;
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    if (dom != NULL) {
        core_domain_destroy(dom);
    }
    pages_free(rom, ROM_ORDER);
    free(info);
    core_machine_destroy();
    return 0;
}

/* Code at the reset vector is a jump to F000:0000, where `code` is. */
static inline void rom_fill(const void *code, size_t n)
{
    static const uint8_t jump[] = {0xea, 0x00, 0x00, 0x00, 0xf0};

    memcpy(rom, code, n);
    memcpy(rom + 0xfff0, jump, sizeof(jump));
}

static inline int build(unsigned vcpus)
{
    struct domain_config config = {
        .name = plan.name,
        .id = 1,
        .vcpu_count = vcpus,
        .max_pages = (MEMORY >> PAGE_SHIFT) + 512,
        .manifest = &plan,
    };

    plan.vcpus = vcpus;
    assert_int_equal(domain_create(&config, &dom), 0);
    v = dom->vcpu[0];
    return legacy_build_manifest(dom, &plan, info);
}

static inline void built(void)
{
    assert_int_equal(build(1), 0);
    assert_int_equal(domain_unpause(dom), 0);
    assert_ptr_equal(core_turn(0), v);
}

static inline uint32_t port_in(uint16_t port, unsigned size)
{
    uint32_t value = 0;

    assert_int_equal(legacy_port(v, port, size, true, &value), 0);
    return value;
}

static inline void port_out(uint16_t port, unsigned size, uint32_t value)
{
    assert_int_equal(legacy_port(v, port, size, false, &value), 0);
}

static inline uint16_t result(void)
{
    uint16_t word;

    assert_int_equal(guest_phys_read(dom, &word, gpa(RESULT), 2), 0);
    return word;
}

/* The CPU loop's part: until the vCPU would enter the guest, or stands. */
static inline unsigned slices_run(void)
{
    unsigned n = 0;

    while (n < SLICES_MAX && !vmentry_prepare(v)) {
        n++;
        if (read_once(v->flags) != 0) {
            break;
        }
    }
    return n;
}

static inline void timer_start(void)
{
    static const uint8_t words[] = {0x11, 0x20, 0x04, 0x01, 0xfe};

    port_out(0x20, 1, words[0]);
    for (unsigned i = 1; i < sizeof(words); i++) {
        port_out(0x21, 1, words[i]);
    }
    port_out(0x43, 1, 0x34);
    port_out(0x40, 1, 0xa9);
    port_out(0x40, 1, 0x04); /* 1193: about a millisecond */
}
