/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest time. One formula holds for all vCPUs of a domain from its creation on:
 * system time 0 is the guest TSC value at that moment, the factor comes from
 * the TSC's frequency. As it never changes, readings on different vCPUs cannot
 * contradict each other and TSC_STABLE is the truth.
 */

#include "ravelin/time_info.h"

#include "arch/host.h"
#include "ravelin/guest_copy.h"
#include "ravelin/msr_policy.h"
#include "ravelin/string.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL

uint64_t domain_time_ns(const struct domain *d)
{
    return arch_time_ns() - d->boot_time_ns;
}

uint64_t domain_time_to_host(const struct domain *d, uint64_t ns)
{
    uint64_t host = ns + d->boot_time_ns;

    return host < ns ? TIMER_NEVER : host;
}

/*
 * ns = ((ticks << shift) * mul) >> 32 with 2^31 <= mul < 2^32: ns per tick is
 * 10^6 / kHz, scaled by powers of two into [1/2, 1).
 */
static void scale_of(uint64_t khz, uint32_t *mul, int8_t *shift)
{
    uint64_t num = NS_PER_MS;
    uint64_t den = khz;
    int8_t s = 0;

    while (num >= den) {
        den <<= 1;
        s++;
    }
    while (num * 2 < den) {
        num <<= 1;
        s--;
    }
    *mul = (uint32_t)((num << 32) / den);
    *shift = s;
}

void time_scale_get(uint32_t *mul, int8_t *shift)
{
    scale_of(arch_tsc_khz(), mul, shift);
}

static void time_fill(const struct vcpu *v, struct vcpu_time_info *out)
{
    uint64_t host_tsc = arch_ns_to_tsc(v->domain->boot_time_ns);

    memset(out, 0, sizeof(*out));
    out->tsc_timestamp = host_tsc + msr_tsc_offset(v);
    time_scale_get(&out->tsc_to_system_mul, &out->tsc_shift);
    out->flags = XEN_PVCLOCK_TSC_STABLE_BIT;
}

/* The vCPU's own copy: odd version, fields, even version. */
static uint32_t shared_time_write(struct vcpu_time_info *to,
                                  const struct vcpu_time_info *from)
{
    uint32_t version = read_once(to->version) | 1u;

    write_once(to->version, version);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    write_once(to->tsc_timestamp, from->tsc_timestamp);
    write_once(to->system_time, from->system_time);
    write_once(to->tsc_to_system_mul, from->tsc_to_system_mul);
    write_once(to->tsc_shift, from->tsc_shift);
    write_once(to->flags, from->flags);
    store_release(&to->version, version + 1);
    return version + 1;
}

/* The second copy, at a virtual address of the vCPU that runs. */
static void area_time_write(struct vcpu *v, struct vcpu_time_info info,
                            uint32_t version)
{
    struct guest_ref ref = guest_ref(v->time_gva.v);

    info.version = version - 1;
    if (guest_copy_out(v, ref, &info.version, sizeof(info.version)) != 0) {
        return;
    }
    info.version = version;
    if (guest_copy_out(v, guest_ref_add(ref, 4), &info.pad0,
                       sizeof(info) - 4) == 0) {
        (void)!guest_copy_out(v, ref, &info.version, sizeof(info.version));
    }
}

void vcpu_time_publish(struct vcpu *v)
{
    struct vcpu_time_info info;
    struct vcpu_info *shared = v->vcpu_info;
    uint32_t version;

    static_assert(offsetof(struct vcpu_info, time) ==
                      offsetof(struct compat_vcpu_info, time),
                  "time info is at one place in both layouts");
    time_fill(v, &info);
    version = shared_time_write(&shared->time, &info);
    if (v->time_gva.v != 0 && this_cpu()->current == v) {
        area_time_write(v, info, version);
    }
}

/* wc_version, wc_sec and wc_nsec follow each other in both layouts. */
void domain_wallclock_publish(struct domain *d)
{
    uint64_t ns = d->boot_time_ns;
    uint64_t sec = arch_boot_wallclock_s() + ns / NS_PER_S;
    struct shared_info *wide = d->shared_info;
    struct compat_shared_info *narrow = d->shared_info;
    uint32_t *wc = d->is_32bit_abi ? &narrow->wc_version : &wide->wc_version;
    uint32_t *wc_high =
        d->is_32bit_abi ? &narrow->arch.wc_sec_hi : &wide->wc_sec_hi;

    spin_lock(&d->lock);
    d->wallclock_version += 2;
    write_once(wc[0], d->wallclock_version - 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    write_once(wc[1], (uint32_t)sec);
    write_once(wc[2], (uint32_t)(ns % NS_PER_S));
    write_once(*wc_high, (uint32_t)(sec >> 32));
    store_release(&wc[0], d->wallclock_version);
    spin_unlock(&d->lock);
}

void domain_time_republish(struct domain *d)
{
    domain_wallclock_publish(d);
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        vcpu_time_publish(d->vcpu[i]);
    }
}

void domain_abi_latch(struct domain *d, bool is_32bit)
{
    if (d->is_32bit_abi != is_32bit) {
        d->is_32bit_abi = is_32bit;
        domain_time_republish(d);
    }
}
