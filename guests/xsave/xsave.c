/* SPDX-License-Identifier: MIT */
/*
 * Extended state: x87, SSE and AVX registers and XCR0 of this domain stay its
 * own while others run. Two domains with `seed=1` and `seed=2` spin beside
 * each other on one CPU, each with its own pattern, for `run=` milliseconds.
 * With `narrow=1` an odd seed leaves AVX off, so that XCR0 differs as well.
 *
 * Environments: all. Alone it tests preemption by the hypervisor and blocking.
 */

#include "guest.h"

const char test_title[] = "xsave: x87, SSE, AVX state and XCR0 across switches";

#define XCR0_X87 1u
#define XCR0_SSE 2u
#define XCR0_AVX 4u

struct image {
    uint8_t xmm[8][16];
    uint8_t ymm[8][32];
    uint8_t x87[8];
    uint8_t padding[24];
} __attribute__((aligned(32)));

static struct image want, got;
static bool avx;
static uint32_t xcr0_want;

static uint32_t xcr0_read(void)
{
    uint32_t lo, hi;

    asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo;
}

static void xcr0_write(uint32_t v)
{
    asm volatile("xsetbv" ::"c"(0), "a"(v), "d"(0));
}

/* The compiler is told not to use these registers at all. */
static void state_load(const struct image *i)
{
    asm volatile("fninit\n\tfildll %0" ::"m"(i->x87));
    if (avx) {
#define LOAD(n) asm volatile("vmovups %0, %%ymm" #n ::"m"(i->ymm[n]))
        LOAD(0);
        LOAD(1);
        LOAD(2);
        LOAD(3);
        LOAD(4);
        LOAD(5);
        LOAD(6);
        LOAD(7);
#undef LOAD
        return;
    }
#define LOAD(n) asm volatile("movups %0, %%xmm" #n ::"m"(i->xmm[n]))
    LOAD(0);
    LOAD(1);
    LOAD(2);
    LOAD(3);
    LOAD(4);
    LOAD(5);
    LOAD(6);
    LOAD(7);
#undef LOAD
}

static void state_store(struct image *i)
{
    asm volatile("fistpll %0\n\tfildll %0" : "=m"(i->x87));
    if (avx) {
#define STORE(n) asm volatile("vmovups %%ymm" #n ", %0" : "=m"(i->ymm[n]))
        STORE(0);
        STORE(1);
        STORE(2);
        STORE(3);
        STORE(4);
        STORE(5);
        STORE(6);
        STORE(7);
#undef STORE
        return;
    }
#define STORE(n) asm volatile("movups %%xmm" #n ", %0" : "=m"(i->xmm[n]))
    STORE(0);
    STORE(1);
    STORE(2);
    STORE(3);
    STORE(4);
    STORE(5);
    STORE(6);
    STORE(7);
#undef STORE
}

static void pattern_make(unsigned int seed)
{
    uint8_t *p = (uint8_t *)&want;
    unsigned int i, x = 0x9e3779b9u * (seed + 1);

    for (i = 0; i < sizeof(want); i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (uint8_t)(x >> 24);
    }
    /* What is not loaded is not stored either, and compares as zero. */
    if (avx) {
        memset(want.xmm, 0, sizeof(want.xmm));
    } else {
        memset(want.ymm, 0, sizeof(want.ymm));
    }
    memset(want.padding, 0, sizeof(want.padding));
}

static void units_enable(unsigned int seed)
{
    struct cpuid_regs r;

    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
    write_cr4(read_cr4() | CR4_OSFXSR);
    if (!(cpuid(1).c & (1u << 26))) {
        printf("no XSAVE\n");
        return;
    }
    write_cr4(read_cr4() | CR4_OSXSAVE);
    r = cpuid_sub(0xd, 0);
    avx = (r.a & XCR0_AVX) != 0;
    /* The two domains differ in XCR0 too, as far as the policy lets them. */
    xcr0_want = XCR0_X87 | XCR0_SSE | (avx ? XCR0_AVX : 0);
    if (avx && (seed & 1) && cmdline_value("narrow")) {
        avx = false;
        xcr0_want = XCR0_X87 | XCR0_SSE;
    }
    xcr0_write(xcr0_want);
}

static bool state_holds(const char *when)
{
    state_store(&got);
    if (memcmp(&got, &want, sizeof(want)) ||
        (xcr0_want && xcr0_read() != xcr0_want)) {
        report_failure(
            "extended state changed %s: x87 %d xmm %d ymm %d xcr0 %x", when,
            memcmp(got.x87, want.x87, sizeof(got.x87)),
            memcmp(got.xmm, want.xmm, sizeof(got.xmm)),
            memcmp(got.ymm, want.ymm, sizeof(got.ymm)),
            xcr0_want ? xcr0_read() : 0);
        return false;
    }
    return true;
}

static void device_not_available(void)
{
    write_cr0(read_cr0() | CR0_TS);
    CHECK_EQ(TRAP_OF_INSN("fnop", ::"memory"), TRAP_NM);
    asm volatile("clts");
    CHECK_EQ(TRAP_OF_INSN("fnop", ::"memory"), TRAP_NONE);
}

void test_main(void)
{
    unsigned int seed = (unsigned int)cmdline_number("seed", 1);
    uint64_t end = clock_ns() + cmdline_number("run", 200) * MS;
    uint32_t rounds = 0;

    units_enable(seed);
    pattern_make(seed);
    printf("seed %u, XCR0 %x, %s\n", seed, xcr0_want, avx ? "AVX" : "SSE");
    state_load(&want);
    while (clock_ns() < end) {
        unsigned int i;

        for (i = 0; i < 2000; i++) {
            asm volatile("" ::: "memory");
        }
        if (!state_holds("while spinning")) {
            return;
        }
        if (++rounds % 16 == 0) {
            clock_sleep(MS / 2);
            if (!state_holds("while blocked")) {
                return;
            }
        }
    }
    CHECK(rounds > 16);
    device_not_available();
    CHECK(state_holds("over #NM"));
    printf("%u rounds\n", rounds);
}
