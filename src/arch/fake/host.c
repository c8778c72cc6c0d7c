/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake physical machine behind arch/host.h, arch/startup.h and
 * arch/panic.h: a clock that tests move, and counters of everything the core
 * asked for.
 */

#include "arch/host.h"

#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/panic.h"
#include "arch/startup.h"
#include "arch_inline.h"
#include "fake.h"
#include "ravelin/atomic.h"

#define PHYS_BITS_DEFAULT 46u
#define NPT_LEAF_LEVEL_DEFAULT 3u
#define TSC_PER_NS (FAKE_TSC_KHZ / 1000000u)

__thread struct cpu *fake_this_cpu;
void (*fake_kick_hook)(struct cpu *target);
void (*fake_idle_hook)(struct cpu *self);
void (*fake_relax_hook)(void);
struct fake_power fake_power;
unsigned fake_phys_bits = PHYS_BITS_DEFAULT;
unsigned fake_npt_leaf_level = NPT_LEAF_LEVEL_DEFAULT;
char fake_panic_message[256];

/* atomic */
static uint64_t now_ns;
static uint64_t auto_ns;
static uint64_t random_state;

/* One per CPU id; atomic. */
struct counters {
    uint64_t deadline_ns;
    uint64_t kicks;
    uint64_t idles;
    uint64_t polls;
};
static struct counters counters[CPU_COUNT_MAX];

static __thread jmp_buf *panic_target;

void fake_machine_reset(void)
{
    write_once(now_ns, 0);
    write_once(auto_ns, 0);
    write_once(random_state, 1);
    memset(counters, 0, sizeof(counters));
    for (unsigned i = 0; i < CPU_COUNT_MAX; i++) {
        counters[i].deadline_ns = UINT64_MAX;
    }
    memset(&fake_power, 0, sizeof(fake_power));
    fake_kick_hook = NULL;
    fake_idle_hook = NULL;
    fake_relax_hook = NULL;
    fake_phys_bits = PHYS_BITS_DEFAULT;
    fake_npt_leaf_level = NPT_LEAF_LEVEL_DEFAULT;
}

/* ---- Time ---- */

void fake_time_advance(uint64_t ns)
{
    __atomic_fetch_add(&now_ns, ns, __ATOMIC_RELAXED);
}

void fake_time_auto_advance(uint64_t ns)
{
    write_once(auto_ns, ns);
}

uint64_t arch_time_ns(void)
{
    uint64_t step = read_once(auto_ns);

    return step ? __atomic_add_fetch(&now_ns, step, __ATOMIC_RELAXED)
                : read_once(now_ns);
}

uint32_t arch_tsc_khz(void)
{
    return FAKE_TSC_KHZ;
}

uint64_t arch_ns_to_tsc(uint64_t ns)
{
    return ns * TSC_PER_NS;
}

uint64_t arch_tsc_to_ns(uint64_t tsc)
{
    return tsc / TSC_PER_NS;
}

uint64_t arch_tsc_read(void)
{
    return arch_ns_to_tsc(arch_time_ns());
}

uint64_t arch_boot_wallclock_s(void)
{
    return FAKE_WALLCLOCK_S;
}

/* ---- CPUs ---- */

void arch_timer_arm(uint64_t deadline_ns)
{
    write_once(counters[this_cpu()->id].deadline_ns, deadline_ns);
}

uint64_t fake_timer_deadline(const struct cpu *c)
{
    return read_once(counters[c->id].deadline_ns);
}

void arch_cpu_kick(struct cpu *target)
{
    __atomic_fetch_add(&counters[target->id].kicks, 1, __ATOMIC_RELAXED);
    if (fake_kick_hook) {
        fake_kick_hook(target);
    }
}

uint64_t fake_kick_count(const struct cpu *c)
{
    return read_once(counters[c->id].kicks);
}

void arch_cpu_idle(void)
{
    struct cpu *self = this_cpu();

    __atomic_fetch_add(&counters[self->id].idles, 1, __ATOMIC_RELAXED);
    if (fake_idle_hook) {
        fake_idle_hook(self);
    }
}

uint64_t fake_idle_count(const struct cpu *c)
{
    return read_once(counters[c->id].idles);
}

void arch_irq_poll(void)
{
    __atomic_fetch_add(&counters[this_cpu()->id].polls, 1, __ATOMIC_RELAXED);
}

uint64_t fake_irq_poll_count(const struct cpu *c)
{
    return read_once(counters[c->id].polls);
}

void cpu_relax(void)
{
    if (fake_relax_hook) {
        fake_relax_hook();
    } else {
        sched_yield();
    }
}

/* Reproducible on purpose. */
/* No x87 state is kept: what a processor has after FNINIT. */
uint16_t arch_fpu_control(enum arch_fpu_op op)
{
    return op == ARCH_FNSTCW ? 0x37f : 0;
}

static uint8_t fake_fpu_image[512];

void arch_fpu_image_save(void *image)
{
    static const uint32_t mxcsr_mask = 0xffff;

    memcpy(fake_fpu_image + 28, &mxcsr_mask, sizeof(mxcsr_mask));
    memcpy(image, fake_fpu_image, sizeof(fake_fpu_image));
}

void arch_fpu_image_load(const void *image)
{
    memcpy(fake_fpu_image, image, sizeof(fake_fpu_image));
}

uint64_t arch_random64(void)
{
    uint64_t n = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15UL,
                                    __ATOMIC_RELAXED);

    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9UL;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebUL;
    return n ^ (n >> 31);
}

/* ---- Start and end ---- */

unsigned arch_cpus_start(const struct boot_info *info rv_unused)
{
    return cpu_count();
}

void arch_init_data_seal(void)
{
}

uint64_t arch_boot_wait_ticks(void)
{
    return 0;
}

unsigned arch_phys_bits(void)
{
    return fake_phys_bits;
}

void machine_poweroff(unsigned code)
{
    fake_power.poweroff_count++;
    fake_power.poweroff_code = code;
}

void machine_reboot(void)
{
    fake_power.reboot_count++;
}

void arch_panic_stop_others(void)
{
}

void arch_panic_dump(const struct exception_frame *frame rv_unused)
{
}

rv_noreturn void arch_panic_end(const char *message)
{
    (void)snprintf(fake_panic_message, sizeof(fake_panic_message), "%s",
                   message);
    if (panic_target) {
        longjmp(*panic_target, 1);
    }
    fprintf(stderr, "panic: %s\n", message);
    abort();
}

bool fake_panics(void (*fn)(void *ctx), void *ctx)
{
    jmp_buf here;
    bool panicked = true;

    fake_panic_message[0] = '\0';
    panic_target = &here;
    if (setjmp(here) == 0) {
        fn(ctx);
        panicked = false;
    }
    panic_target = NULL;
    return panicked;
}
