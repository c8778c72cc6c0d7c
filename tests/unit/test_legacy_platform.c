/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain with firmware over the fake backend: what the builder puts where,
 * which port reaches which device, how interrupts get to the vCPU, resets, and
 * slices of emulated real mode, here with ROMs of a few instructions.
 */
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

static void module_add(const char *name, void *data, uint64_t size)
{
    struct boot_module *m = &info->module[info->module_count++];

    strcpy(m->name, name);
    m->base = host_pa(data);
    m->size = size;
}

static int setup(void **state)
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

static int teardown(void **state)
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
static void rom_fill(const void *code, size_t n)
{
    static const uint8_t jump[] = {0xea, 0x00, 0x00, 0x00, 0xf0};

    memcpy(rom, code, n);
    memcpy(rom + 0xfff0, jump, sizeof(jump));
}

static int build(unsigned vcpus)
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

static void built(void)
{
    assert_int_equal(build(1), 0);
    assert_int_equal(domain_unpause(dom), 0);
    assert_ptr_equal(core_turn(0), v);
}

static uint32_t port_in(uint16_t port, unsigned size)
{
    uint32_t value = 0;

    assert_int_equal(legacy_port(v, port, size, true, &value), 0);
    return value;
}

static void port_out(uint16_t port, unsigned size, uint32_t value)
{
    assert_int_equal(legacy_port(v, port, size, false, &value), 0);
}

static uint16_t result(void)
{
    uint16_t word;

    assert_int_equal(guest_phys_read(dom, &word, gpa(RESULT), 2), 0);
    return word;
}

/* The CPU loop's part: until the vCPU would enter the guest, or stands. */
static unsigned slices_run(void)
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

/* ---- The builder ---- */

static void legacy_build_manifest_rom_is_below_4g_and_below_1m(void **state)
{
    uint8_t got[16];

    (void)state;
    rom_fill("\xf4", 1);
    built();
    assert_int_equal(guest_phys_read(dom, got, gpa(0xfffffff0), 16), 0);
    assert_memory_equal(got, rom + 0xfff0, 16);
    assert_int_equal(guest_phys_read(dom, got, gpa(0xffff0), 16), 0);
    assert_memory_equal(got, rom + 0xfff0, 16);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(0xfffff)).type, P2M_RAM_RO);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(0xff)).type, P2M_RAM);
    assert_int_equal(v->regs.rip, 0xfff0);
    assert_int_equal(v->flags & VCPU_DOWN, 0);
}

static void legacy_build_manifest_bad_modules_are_refused(void **state)
{
    (void)state;
    info->module[0].size = 1000;
    assert_int_equal(build(1), -RV_EINVAL);
    core_domain_destroy(dom);
    strcpy(plan.firmware, "absent");
    assert_int_equal(build(1), -RV_ENOENT);
    core_domain_destroy(dom);
    strcpy(plan.firmware, "rom");
    strcpy(plan.disk, "absent");
    assert_int_equal(build(1), -RV_EINVAL);
}

static void legacy_build_manifest_other_vcpus_wait(void **state)
{
    (void)state;
    assert_int_equal(build(2), 0);
    assert_int_not_equal(dom->vcpu[1]->flags & VCPU_DOWN, 0);
    assert_int_equal(dom->vcpu[1]->apic_id, 1);
}

/* Whatever allocation fails, everything comes back. */
static void legacy_build_manifest_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    strcpy(plan.disk, "disk");
    module_add("disk", rom, ROM_BYTES);
    plan.console = MANIFEST_CONSOLE_SCREEN;
    plan.emulate = MANIFEST_EMULATE_REAL;
    for (int64_t n = 0;; n += 7) {
        struct domain_config config = {
            .name = "pc",
            .id = 1,
            .vcpu_count = 2,
            .max_pages = (MEMORY >> PAGE_SHIFT) + 512,
            .manifest = &plan,
        };
        uint64_t before;
        int rc;

        assert_int_equal(domain_create(&config, &dom), 0);
        before = frame_alloc_count();
        frame_pool_fail_after(n);
        rc = legacy_build_manifest(dom, &plan, info);
        frame_pool_fail_after(-1);
        core_domain_destroy(dom);
        dom = NULL;
        if (rc == 0 && frame_alloc_count() - before <= (uint64_t)n) {
            break;
        }
    }
}

/* ---- Ports ---- */

static void legacy_port_reaches_devices_by_width(void **state)
{
    uint32_t value = 0x12345678;

    (void)state;
    built();
    port_out(0x21, 1, 0x5a);
    assert_int_equal(port_in(0x21, 1), 0x5a);
    /* A word: both bytes, in order. */
    port_out(0x20, 2, 0xa50b);
    assert_int_equal(port_in(0x21, 1), 0xa5);
    /* Configuration space takes words as they are. */
    port_out(0xcf8, 4, 0x80000000);
    assert_int_equal(port_in(0xcfc, 4), 0x12378086);
    assert_int_equal(port_in(0xcfe, 2), 0x1237);
    /* Nobody at home. */
    assert_int_equal(legacy_port(v, 0x2e8, 1, true, &value), -RV_ENOENT);
    assert_int_equal(value, 0x12345678);
}

static void legacy_port_devices_can_be_left_out(void **state)
{
    uint32_t value = 0;

    (void)state;
    plan.without = MANIFEST_DEV_PIT | MANIFEST_DEV_PCI | MANIFEST_DEV_FW_CFG;
    built();
    assert_int_equal(legacy_port(v, 0x40, 1, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0xcf8, 4, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0x510, 2, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0x70, 1, true, &value), 0);
}

static void legacy_port_power_off_ends_the_domain(void **state)
{
    (void)state;
    built();
    port_out(0xcf8, 4, 0x80000b40);
    port_out(0xcfc, 4, 0x601);
    port_out(0xcf8, 4, 0x80000b80);
    port_out(0xcfc, 4, 1);
    port_out(0x604, 2, 0x2000);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_POWEROFF);
}

static void legacy_port_power_management_begins_at_its_base(void **state)
{
    uint32_t value = 0;

    (void)state;
    built();
    port_out(0xcf8, 4, 0x80000b40);
    port_out(0xcfc, 4, 0x601);
    port_out(0xcf8, 4, 0x80000b80);
    port_out(0xcfc, 4, 1);
    assert_int_equal(legacy_port(v, 0x63f, 1, true, &value), 0);
    assert_int_equal(legacy_port(v, 0x640, 1, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0x5ff, 1, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0x5ff, 4, true, &value), -RV_ENOENT);
}

static void legacy_port_string_firmware_reads_many_bytes(void **state)
{
    uint8_t got[4];

    (void)state;
    built();
    port_out(0x510, 2, 0);
    assert_int_equal(legacy_port_string(v, 0x511, 1, true, got, 4), 4);
    assert_memory_equal(got, "QEMU", 4);
    assert_int_equal(legacy_port_string(v, 0x60, 1, true, got, 4), 0);
}

/* ---- Interrupts ---- */

static void timer_start(void)
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

static void legacy_intr_timer_comes_through_lint0(void **state)
{
    (void)state;
    built();
    timer_start();
    /* The control word has raised the timer's output, which is an edge. */
    assert_int_equal(vcpu_irq_accept(v), 0x20);
    port_out(0x20, 1, 0x20);
    assert_false(legacy_intr_is_pending(v));
    platform_time_set(platform_time() + 2000000);
    assert_true(legacy_intr_is_pending(v));
    assert_true(vcpu_irq_is_pending(v));

    /* Closed by the guest, the request stays at the 8259. */
    vlapic_mmio_write(v, 0xf0, 0x1ff);
    vlapic_mmio_write(v, 0x350, 0x10700);
    assert_false(vcpu_irq_is_pending(v));
    vlapic_mmio_write(v, 0x350, 0x700);
    assert_int_equal(vcpu_irq_accept(v), 0x20);
    assert_false(legacy_intr_is_pending(v));
}

static void legacy_intr_others_get_none(void **state)
{
    (void)state;
    assert_int_equal(build(2), 0);
    timer_start();
    platform_time_set(platform_time() + 2000000);
    assert_true(legacy_intr_is_pending(v));
    assert_false(legacy_intr_is_pending(dom->vcpu[1]));
}

/* ---- Reset ---- */

static void legacy_attend_reset_starts_everything_again(void **state)
{
    uint64_t resets;

    (void)state;
    rom_fill("\xf4", 1);
    built();
    resets = fake_vcpu(v)->reset_count;
    port_out(0x21, 1, 0x5a);
    assert_int_equal(guest_phys_clear(dom, gpa(0xf0000), 16), 0);
    v->regs.rip = 0x1234;
    port_out(0x64, 1, 0xfe);
    assert_true(v->attention);
    legacy_attend(v);
    assert_int_equal(fake_vcpu(v)->reset_count, resets + 1);
    assert_int_equal(v->regs.rip, 0xfff0);
    assert_int_equal(v->flags & VCPU_DOWN, 0);
    assert_int_not_equal(port_in(0x21, 1), 0x5a);

    uint8_t first;

    assert_int_equal(guest_phys_read(dom, &first, gpa(0xf0000), 1), 0);
    assert_int_equal(first, 0xf4);
    assert_int_equal(dom->state, DOMAIN_RUNNING);
}

static void legacy_attend_reset_of_an_enlightened_guest_ends_it(void **state)
{
    (void)state;
    built();
    dom->shared_info_gfn = gfn(3);
    port_out(0x92, 1, 1);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_REBOOT);
}

/* ---- Halting ---- */

static void vcpu_halt_with_interrupts_closed_is_the_end(void **state)
{
    (void)state;
    assert_int_equal(build(2), 0);
    vcpu_flags_clear(dom->vcpu[1], VCPU_DOWN);
    v->regs.rflags = 2;
    vcpu_halt(v);
    assert_int_not_equal(v->flags & VCPU_DOWN, 0);
    assert_int_equal(dom->state, DOMAIN_BUILDING);
    dom->vcpu[1]->regs.rflags = 2;
    vcpu_halt(dom->vcpu[1]);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_POWEROFF);
}

/* ---- Emulated real mode ---- */

static void emulated(const void *code, size_t n)
{
    plan.emulate = MANIFEST_EMULATE_REAL;
    rom_fill(code, n);
    built();
}

static void emulate_real_run_program_runs_to_its_halt(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0,       /* xor ax, ax */
        0x8e, 0xd8,       /* mov ds, ax */
        0xb9, 0x10, 0x00, /* mov cx, 16 */
        0x01, 0xc8,       /* add ax, cx */
        0xe2, 0xfc,       /* loop -4 */
        0xa3, 0x00, 0x05, /* mov [0x500], ax */
        0xf4,             /* hlt */
    };

    (void)state;
    emulated(code, sizeof(code));
    assert_int_equal(slices_run(), 1);
    assert_int_equal(result(), 136);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(fake_vcpu(v)->enter_count, 0);
}

static void emulate_real_run_endless_loop_comes_back_each_slice(void **state)
{
    static const uint8_t code[] = {0xeb, 0xfe};
    uint64_t polls;

    (void)state;
    emulated(code, sizeof(code));
    polls = fake_irq_poll_count(this_cpu());
    for (unsigned i = 1; i <= 3; i++) {
        assert_false(vmentry_prepare(v));
        assert_int_equal(fake_irq_poll_count(this_cpu()), polls + i);
        assert_int_equal(v->flags, 0);
    }
}

static void emulate_real_run_protected_mode_goes_to_the_processor(void **state)
{
    static const uint8_t code[] = {
        0x0f, 0x20, 0xc0, /* mov eax, cr0 */
        0x0c, 0x01,       /* or al, 1 */
        0x0f, 0x22, 0xc0, /* mov cr0, eax */
        0xeb, 0xfe,       /* jmp $ */
    };

    (void)state;
    emulated(code, sizeof(code));
    assert_int_equal(slices_run(), 1);
    assert_int_equal(v->paging.cr0 & 1, 1);
    assert_int_equal(v->regs.rip, 8);
    assert_false(emulate_real_is_due(v));

    /* And back: the exit of a CR0 write brings the emulator in again. */
    assert_true(fake_vcpu(v)->intercepts.cr0_write);
    assert_true(vmentry_prepare(v));
    hv->creg_set(v, CREG_CR0, 0x10);
    v->attention = true;
    assert_false(vmentry_prepare(v));
}

/* With a selector in DS whose RPL no real-mode descriptor allows, the emulator
 * goes on until DS is loaded. */
static void emulate_real_run_segments_settle_first(void **state)
{
    static const uint8_t code[] = {
        0xb8, 0x03, 0x00,                         /* mov ax, 3 */
        0x8e, 0xd8,                               /* mov ds, ax */
        0x2e, 0x66, 0x0f, 0x01, 0x16, 0x40, 0x00, /* lgdt [cs:0x40] */
        0x0f, 0x20, 0xc0,                         /* mov eax, cr0 */
        0x0c, 0x01,                               /* or al, 1 */
        0x0f, 0x22, 0xc0,                         /* mov cr0, eax */
        0xb8, 0x08, 0x00,                         /* mov ax, 8 */
        0x8e, 0xd8,                               /* mov ds, ax */
        0xeb, 0xfe,                               /* jmp $ */
    };
    static const uint8_t table[] = {0x0f, 0x00, 0x50, 0x00, 0x0f, 0x00};
    static const uint8_t data[] = {0xff, 0xff, 0x00, 0x00,
                                   0x00, 0x93, 0xcf, 0x00};

    (void)state;
    memcpy(rom + 0x40, table, sizeof(table));
    memcpy(rom + 0x58, data, sizeof(data));
    emulated(code, sizeof(code));
    assert_int_equal(slices_run(), 1);
    assert_int_equal(v->regs.rip, 0x19);
    assert_false(emulate_real_is_due(v));
}

static void emulate_real_run_interrupts_are_delivered(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0,                         /* xor ax, ax */
        0x8e, 0xd8,                         /* mov ds, ax */
        0x8e, 0xd0,                         /* mov ss, ax */
        0xbc, 0x00, 0x70,                   /* mov sp, 0x7000 */
        0xc7, 0x06, 0x80, 0x00, 0x1b, 0x00, /* mov [0x20 * 4], handler */
        0x8c, 0x0e, 0x82, 0x00,             /* mov [0x20 * 4 + 2], cs */
        0xfb,                               /* sti */
        0xf4,                               /* hlt */
        0xfa,                               /* cli */
        0xf4,                               /* hlt */
        0x90, 0x90, 0x90, 0x90,
        /* handler, at 0x1b: */
        0xff, 0x06, 0x00, 0x05, /* inc word [0x500] */
        0xcf,                   /* iret */
    };

    (void)state;
    emulated(code, sizeof(code));
    timer_start();
    (void)vcpu_irq_accept(v);
    port_out(0x20, 1, 0x20);
    slices_run();
    assert_true(v->halted);
    assert_int_equal(result(), 0);
    platform_time_set(platform_time() + 2000000);
    assert_int_equal(v->flags, 0);
    slices_run();
    assert_int_equal(result(), 1);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
}

static void emulate_real_run_reset_is_the_last_instruction(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0,                   /* xor ax, ax */
        0x8e, 0xd8,                   /* mov ds, ax */
        0xff, 0x06, 0x00, 0x05,       /* inc word [0x500] */
        0x83, 0x3e, 0x00, 0x05, 0x03, /* cmp word [0x500], 3 */
        0x74, 0x05,                   /* je +5 */
        0xb0, 0xfe,                   /* mov al, 0xfe */
        0xe6, 0x64,                   /* out 0x64, al */
        0xf4,                         /* hlt: never reached before the reset */
        0xf4,                         /* hlt */
    };

    (void)state;
    emulated(code, sizeof(code));
    slices_run();
    assert_int_equal(result(), 3);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
}

/* A request that its level keeps up and that nobody has to end, and a gate that
 * leaves interrupts open: without a limit they would follow each other for
 * ever between two instructions. */
static void emulate_real_run_endless_interrupts_come_to_an_end(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0,                               /* xor ax, ax */
        0x8e, 0xd0,                               /* mov ss, ax */
        0xbc, 0x00, 0x70,                         /* mov sp, 0x7000 */
        0xb8, 0x03, 0x00,                         /* mov ax, 3 */
        0x8e, 0xd8,                               /* mov ds, ax */
        0x2e, 0x66, 0x0f, 0x01, 0x16, 0x40, 0x00, /* lgdt [cs:0x40] */
        0x2e, 0x66, 0x0f, 0x01, 0x1e, 0x48, 0x00, /* lidt [cs:0x48] */
        0x0f, 0x20, 0xc0,                         /* mov eax, cr0 */
        0x0c, 0x01,                               /* or al, 1 */
        0xfb,                                     /* sti */
        0x0f, 0x22, 0xc0,                         /* mov cr0, eax */
        0xeb, 0xfe,                               /* jmp $ */
    };
    static const uint8_t gdtr[] = {0x0f, 0x00, 0x50, 0x00, 0x0f, 0x00};
    static const uint8_t idtr[] = {0xff, 0x01, 0x00, 0x01, 0x0f, 0x00};
    static const uint8_t segment[] = {0xff, 0xff, 0x00, 0x00,
                                      0x0f, 0x9b, 0x00, 0x00};
    static const uint8_t gate[] = {0x25, 0x00, 0x08, 0x00,
                                   0x00, 0x8f, 0x00, 0x00};

    (void)state;
    memcpy(rom + 0x40, gdtr, sizeof(gdtr));
    memcpy(rom + 0x48, idtr, sizeof(idtr));
    memcpy(rom + 0x58, segment, sizeof(segment));
    memcpy(rom + 0x100 + 0x24 * 8, gate, sizeof(gate));
    emulated(code, sizeof(code));
    port_out(0x20, 1, 0x11);
    port_out(0x21, 1, 0x20);
    port_out(0x21, 1, 0x04);
    port_out(0x21, 1, 0x03); /* automatic end of interrupt */
    port_out(0x21, 1, 0xef);
    port_out(0x4d0, 1, 0x10);
    port_out(0x3fc, 1, 0x08);
    port_out(0x3f9, 1, 0x02); /* the transmitter is empty */
    assert_true(vcpu_irq_is_pending(v));
    slices_run();
    assert_true(vcpu_irq_is_pending(v));
    assert_int_not_equal(v->regs.gpr[REG_RSP] & 0xffff, 0x7000);
    assert_int_equal(dom->state, DOMAIN_RUNNING);
}

/* Each access takes its time here; 64 KiB of them in one go would take
 * seconds. */
static void emulate_real_run_slow_devices_end_the_slice(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xc0,       /* xor ax, ax */
        0x8e, 0xd8,       /* mov ds, ax */
        0xba, 0x80, 0x00, /* mov dx, 0x80 */
        0xb9, 0x64, 0x00, /* mov cx, 100 */
        0xf3, 0x6e,       /* rep outsb */
        0xf4,             /* hlt */
    };

    (void)state;
    emulated(code, sizeof(code));
    fake_time_auto_advance(30000);
    assert_false(vmentry_prepare(v));
    assert_in_range(v->regs.gpr[REG_RCX] & 0xffff, 90, 99);
    slices_run();
    fake_time_auto_advance(0);
    assert_int_equal(v->regs.gpr[REG_RCX] & 0xffff, 0);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
}

static void emulate_real_run_x87_and_image_are_executed(void **state)
{
    static const uint8_t code[] = {
        0xdb, 0xe3,                   /* fninit */
        0x31, 0xc0,                   /* xor ax, ax */
        0x8e, 0xd8,                   /* mov ds, ax */
        0xd9, 0x3e, 0x00, 0x05,       /* fnstcw [0x500] */
        0x0f, 0xae, 0x06, 0x00, 0x06, /* fxsave [0x600] */
        0x0f, 0xae, 0x0e, 0x00, 0x06, /* fxrstor [0x600] */
        0xf4,
    };

    (void)state;
    emulated(code, sizeof(code));
    slices_run();
    assert_int_equal(result(), 0x37f);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_POWEROFF);
}

static void emulate_real_run_what_it_cannot_run_is_named(void **state)
{
    static const uint8_t code[] = {0x0f, 0x58, 0xc1}; /* addps */

    (void)state;
    emulated(code, sizeof(code));
    slices_run();
    assert_int_equal(dom->shutdown_code, SHUTDOWN_CRASH);
}

static void emulate_real_run_no_handlers_is_a_triple_fault(void **state)
{
    static const uint8_t code[] = {
        0x2e, 0x0f, 0x01, 0x1e, 0x08, 0x00, /* lidt [cs:8] */
        0x0f, 0x0b,                         /* ud2 */
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };

    (void)state;
    emulated(code, sizeof(code));
    slices_run();
    assert_int_equal(dom->shutdown_code, SHUTDOWN_CRASH);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(legacy_build_manifest_rom_is_below_4g_and_below_1m),
        CASE(legacy_build_manifest_bad_modules_are_refused),
        CASE(legacy_build_manifest_other_vcpus_wait),
        CASE(legacy_build_manifest_out_of_memory_leaks_nothing),
        CASE(legacy_port_reaches_devices_by_width),
        CASE(legacy_port_devices_can_be_left_out),
        CASE(legacy_port_power_off_ends_the_domain),
        CASE(legacy_port_power_management_begins_at_its_base),
        CASE(legacy_port_string_firmware_reads_many_bytes),
        CASE(legacy_intr_timer_comes_through_lint0),
        CASE(legacy_intr_others_get_none),
        CASE(legacy_attend_reset_starts_everything_again),
        CASE(legacy_attend_reset_of_an_enlightened_guest_ends_it),
        CASE(vcpu_halt_with_interrupts_closed_is_the_end),
        CASE(emulate_real_run_program_runs_to_its_halt),
        CASE(emulate_real_run_endless_loop_comes_back_each_slice),
        CASE(emulate_real_run_protected_mode_goes_to_the_processor),
        CASE(emulate_real_run_segments_settle_first),
        CASE(emulate_real_run_interrupts_are_delivered),
        CASE(emulate_real_run_reset_is_the_last_instruction),
        CASE(emulate_real_run_endless_interrupts_come_to_an_end),
        CASE(emulate_real_run_slow_devices_end_the_slice),
        CASE(emulate_real_run_x87_and_image_are_executed),
        CASE(emulate_real_run_what_it_cannot_run_is_named),
        CASE(emulate_real_run_no_handlers_is_a_triple_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
