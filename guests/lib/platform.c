/* SPDX-License-Identifier: MIT */
/*
 * Discovery of the hypervisor and start-up of a test guest. What fails here
 * cannot be reported through the console, so the guest stops in a way that a
 * hypervisor log shows: a triple fault with a code in EAX.
 */

#include "guest.h"

#define LEAF_FIRST 0x40000000u
#define LEAF_LAST 0x40010000u

enum boot_failure {
    NO_HYPERVISOR = 0xb0010001,
    NO_HYPERCALL_PAGE = 0xb0010002,
    NO_SHARED_INFO = 0xb0010003,
};

uint8_t hypercall_page[4096] __attribute__((aligned(4096)));
static uint8_t shared_info_page[4096] __attribute__((aligned(4096)));
static uint32_t leaf_base;
static vcpu_info_t *moved_info[CPUS_MAX];

void guest_main(void);

static void __attribute__((noreturn)) boot_fail(enum boot_failure why)
{
    struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) none = {0, 0};

    for (;;) {
        asm volatile("lidt %0; int3" ::"m"(none), "a"(why));
    }
}

static uint32_t leaf_scan(void)
{
    uint32_t leaf;

    for (leaf = LEAF_FIRST; leaf < LEAF_LAST; leaf += 0x100) {
        struct cpuid_regs r = cpuid(leaf);

        if (r.b == XEN_CPUID_SIGNATURE_EBX && r.c == XEN_CPUID_SIGNATURE_ECX &&
            r.d == XEN_CPUID_SIGNATURE_EDX && r.a >= leaf + 2) {
            return leaf;
        }
    }
    return 0;
}

static void shared_info_map(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = (uintptr_t)shared_info_page >> 12,
    };

    if (memory_op(XENMEM_add_to_physmap, &map)) {
        boot_fail(NO_SHARED_INFO);
    }
}

void platform_init(void)
{
    struct cpuid_regs r;

    leaf_base = leaf_scan();
    if (!leaf_base) {
        boot_fail(NO_HYPERVISOR);
    }
    r = cpuid(leaf_base + 2);
    wrmsr(r.b, (uintptr_t)hypercall_page);
    /* A page that was not filled holds zeros: `add %al, (%rax)`. */
    if (!r.a || !hypercall_page[0]) {
        boot_fail(NO_HYPERCALL_PAGE);
    }
    shared_info_map();
    if (console_io(CONSOLEIO_write, 0, "")) {
        console_ring_use();
    }
}

uint32_t platform_leaf(void)
{
    return leaf_base;
}

const struct hvm_start_info *start_info(void)
{
    return (const struct hvm_start_info *)(uintptr_t)boot_start_info;
}

shared_info_t *shared_info(void)
{
    return (shared_info_t *)shared_info_page;
}

vcpu_info_t *vcpu_info(unsigned int cpu)
{
    return moved_info[cpu] ? moved_info[cpu] : &shared_info()->vcpu_info[cpu];
}

long vcpu_info_move(unsigned int cpu, vcpu_info_t *to)
{
    struct vcpu_register_vcpu_info op = {
        .mfn = PFN(to),
        .offset = (uint32_t)((uintptr_t)to & (PAGE_SIZE - 1)),
    };
    long rc = vcpu_op(VCPUOP_register_vcpu_info, cpu, &op);

    if (!rc) {
        moved_info[cpu] = to;
    }
    return rc;
}

const char *cmdline_value(const char *key)
{
    const char *p = (const char *)(uintptr_t)start_info()->cmdline_paddr;
    size_t n = strlen(key);

    while (p && *p) {
        if (!strncmp(p, key, n) && p[n] == '=') {
            return p + n + 1;
        }
        while (*p && *p != ' ') {
            p++;
        }
        while (*p == ' ') {
            p++;
        }
    }
    return NULL;
}

uint64_t cmdline_number(const char *key, uint64_t fallback)
{
    const char *value = cmdline_value(key);

    return value ? u64_parse(value) : fallback;
}

long hvm_param_get(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
    long rc = hvm_op(HVMOP_get_param, &p);

    *value = p.value;
    return rc;
}

long hvm_param_set(uint32_t index, uint64_t value)
{
    struct xen_hvm_param p = {
        .domid = DOMID_SELF,
        .index = index,
        .value = value,
    };

    return hvm_op(HVMOP_set_param, &p);
}

unsigned int own_domid(void)
{
    struct cpuid_regs r = cpuid(leaf_base + 4);

    /* Leaf 4 names the domain where its bit says so; else the initial one. */
    return (r.a & XEN_HVM_CPUID_DOMID_PRESENT) ? r.c : 0;
}

void guest_main(void)
{
    *(uint32_t *)boot_stack = 0;
    trap_init_cpu(0);
    platform_init();
    mem_init();
    printf("%s (%s)\n", test_title, ENV_NAME);
    test_main();
    report_end();
}
