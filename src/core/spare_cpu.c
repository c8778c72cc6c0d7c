/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One emulator cannot be trusted with a guest on the boot CPU. In QEMU's TCG,
 * loading FPU state on any CPU rewrites a word of CPU 0, without a lock, that
 * also says whether CPU 0 uses nested paging. With CPUs in threads of their own
 * a world switch on CPU 0 is thereby undone now and then: the guest runs
 * without nested paging, or the hypervisor with it (docs/decisions/0002). A
 * CPU 0 that never enters a guest has nothing to lose there.
 */

#include "ravelin/spare_cpu.h"
#include "arch/host.h"
#include "ravelin/cpu.h"
#include "ravelin/log.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"

#define LEAF_EMULATOR 0x40000000u
#define BOOT_CPU_MASK 1UL

static bool runs_on_tcg(void)
{
    uint32_t out[4];
    char signature[12];

    arch_cpuid(LEAF_EMULATOR, 0, out);
    memcpy(signature, &out[1], sizeof(signature));
    return memcmp(signature, "TCGTCGTCGTCG", sizeof(signature)) == 0;
}

void boot_cpu_spare(void)
{
    if (cpu_count() > 1 && runs_on_tcg()) {
        sched_cpus_spare(BOOT_CPU_MASK);
        log_info("cpu0 runs no guest: this is QEMU's TCG");
    }
}
