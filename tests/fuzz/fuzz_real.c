/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: any code in real mode, run by the emulator in slices with the
 * devices of a legacy platform, a disk and passing time. Whatever it does, the
 * hypervisor goes on, each slice ends, and in the end every frame is back.
 *
 * Input: a byte of settings, then the code at F000:0000.
 */
#include "fuzz.h"

#include <string.h>

#include "core_fixture.h"
#include "fake.h"
#include "ravelin/boot_info.h"
#include "ravelin/frame_pool.h"
#include "ravelin/legacy.h"
#include "ravelin/sched.h"
#include "ravelin/timer.h"
#include "ravelin/vmexit.h"

#define ROM_ORDER 4u
#define ROM_BYTES (PAGE_SIZE << ROM_ORDER)
#define DISK_ORDER 3u
#define MEMORY (2UL << 20)
#define SLICES 48u
#define SLICE_NS 300000u

static struct boot_info info;
static struct manifest_domain plan;
static uint8_t *rom, *disk;

static void module_add(const char *name, void *data, uint64_t size)
{
    struct boot_module *m = &info.module[info.module_count++];

    strcpy(m->name, name);
    m->base = host_pa(data);
    m->size = size;
}

static void machine_create(void)
{
    core_machine_create(1);
    rom = pages_alloc(ROM_ORDER);
    disk = pages_alloc(DISK_ORDER);
    require(rom != NULL && disk != NULL);
    module_add("rom", rom, ROM_BYTES);
    module_add("disk", disk, PAGE_SIZE << DISK_ORDER);
    manifest_domain_init(&plan);
    strcpy(plan.name, "pc");
    strcpy(plan.firmware, "rom");
    strcpy(plan.disk, "disk");
    plan.memory = MEMORY;
    plan.vcpus = 2;
    plan.emulate = MANIFEST_EMULATE_REAL;
}

static void rom_fill(const uint8_t *code, size_t size)
{
    static const uint8_t jump[] = {0xea, 0x00, 0x00, 0x00, 0xf0};

    memset(rom, 0xf4, ROM_BYTES);
    memcpy(rom, code, size < 0xfff0 ? size : 0xfff0);
    memcpy(rom + 0xfff0, jump, sizeof(jump));
}

static struct domain *pc_create(uint8_t settings)
{
    const struct domain_config config = {
        .name = plan.name,
        .id = 1,
        .vcpu_count = plan.vcpus,
        .max_pages = (MEMORY >> PAGE_SHIFT) + 64,
        .manifest = &plan,
        .crash_policy = MANIFEST_CRASH_PRESERVE,
    };
    struct domain *d;

    plan.console =
        settings & 1 ? MANIFEST_CONSOLE_SCREEN : MANIFEST_CONSOLE_NONE;
    plan.without = settings & 2 ? MANIFEST_DEV_IOAPIC | MANIFEST_DEV_XEN : 0;
    plan.without |=
        settings & 4 ? MANIFEST_DEV_PIC | MANIFEST_DEV_DEBUG_PORT : 0;
    require(domain_create(&config, &d) == 0);
    require(legacy_build_manifest(d, &plan, &info) == 0);
    require(domain_unpause(d) == 0);
    return d;
}

/* The CPU loop, but for what would enter the guest: protected mode is where
 * this test ends. */
static void pc_run(const struct domain *d)
{
    for (unsigned i = 0; i < SLICES && d->state == DOMAIN_RUNNING; i++) {
        struct vcpu *v = core_turn(0);

        fake_time_advance(SLICE_NS);
        if (v != NULL && vmentry_prepare(v)) {
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t frames;
    struct domain *d;

    if (rom == NULL) {
        machine_create();
    }
    if (size < 2) {
        return 0;
    }
    frames = frame_free_count();
    rom_fill(data + 1, size - 1);
    d = pc_create(data[0]);
    pc_run(d);
    core_domain_destroy(d);
    require(frame_free_count() == frames);
    return 0;
}
