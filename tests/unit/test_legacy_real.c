/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slices of emulated real mode in a domain with firmware.
 */
#include "legacy_platform_fixture.h"

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
