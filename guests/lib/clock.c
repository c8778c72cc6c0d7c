/* SPDX-License-Identifier: MIT */
/*
 * Reading of the paravirtual clock with its version protocol: odd means that
 * an update is in progress, a changed number that the copy is torn.
 */

#include "guest.h"

void clock_read(struct vcpu_time_info *copy)
{
    volatile struct vcpu_time_info *t = &vcpu_info(cpu_index())->time;
    uint32_t version;

    do {
        version = t->version;
        asm volatile("" ::: "memory");
        *copy = *t;
        asm volatile("" ::: "memory");
    } while ((version & 1) || t->version != version);
}

uint64_t clock_scale(const struct vcpu_time_info *t, uint64_t ticks)
{
    uint64_t low, high;

    if (t->tsc_shift < 0) {
        ticks >>= -t->tsc_shift;
    } else {
        ticks <<= t->tsc_shift;
    }
    low = (uint64_t)(uint32_t)ticks * t->tsc_to_system_mul;
    high = (ticks >> 32) * t->tsc_to_system_mul;
    return high + (low >> 32);
}

uint64_t clock_ns(void)
{
    struct vcpu_time_info t;

    clock_read(&t);
    return t.system_time + clock_scale(&t, rdtsc() - t.tsc_timestamp);
}

uint64_t clock_wall(uint32_t *ns)
{
    shared_info_t *s = shared_info();
    uint32_t version;
    uint64_t sec;

    do {
        version = READ_ONCE(s->wc_version);
        asm volatile("" ::: "memory");
        sec = s->wc_sec;
#ifdef __i386__
        sec |= (uint64_t)s->arch.wc_sec_hi << 32;
#else
        sec |= (uint64_t)s->wc_sec_hi << 32;
#endif
        *ns = s->wc_nsec;
        asm volatile("" ::: "memory");
    } while ((version & 1) || READ_ONCE(s->wc_version) != version);
    return sec;
}

uint64_t clock_tsc_khz(void)
{
    struct vcpu_time_info t;
    uint64_t khz;

    clock_read(&t);
    khz = u64_divide(1000000ull << 32, t.tsc_to_system_mul, NULL);
    return t.tsc_shift < 0 ? khz << -t.tsc_shift : khz >> t.tsc_shift;
}

void clock_spin(uint64_t ns)
{
    uint64_t end = clock_ns() + ns;

    while (clock_ns() < end) {
        cpu_relax();
    }
}

void clock_sleep(uint64_t ns)
{
    struct sched_poll poll = {.timeout = clock_ns() + ns};

    sched_op(SCHEDOP_poll, &poll);
}
