/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of one legacy platform, joined: interrupt lines to the 8259 pair
 * and the IO-APIC, deadlines to one timer, text to the console.
 *
 * Threat surface: how often devices ask for the timer is the guest's choice;
 * each device has a floor of its own.
 */
#include "legacy_private.h"

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/log.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/vconsole.h"
#include "ravelin/vioapic.h"
#include "ravelin/vlapic.h"

_Static_assert(sizeof(struct legacy_platform) <= PAGE_SIZE
                                                     << LEGACY_PLATFORM_ORDER,
               "a platform fits its pages");
_Static_assert(sizeof(struct legacy_screen) <= PAGE_SIZE << LEGACY_SCREEN_ORDER,
               "a screen fits its pages");
_Static_assert(2 * LEGACY_IDE_BUFFER_SIZE == PAGE_SIZE
                                                 << LEGACY_IDE_BUFFER_ORDER,
               "a buffer for each channel");

/* ---- What devices ask for; the lock is held ---- */

static uint64_t host_now(void *ctx rv_unused)
{
    return arch_time_ns();
}

static void host_irq_set(void *ctx, unsigned irq, bool level)
{
    struct legacy_platform *p = ctx;

    legacy_irq_set(&p->irq, irq, level);
}

static bool host_irq_is_waiting(void *ctx, unsigned irq)
{
    const struct legacy_platform *p = ctx;

    return legacy_pic_irq_is_waiting(&p->pic, irq);
}

static void host_intr_changed(void *ctx, bool level)
{
    struct legacy_platform *p = ctx;
    struct vcpu *v = p->domain->vcpu[0];

    if (level) {
        vlapic_lint0_raise(v);
        vcpu_notify(v);
    }
}

static void host_request(void *ctx, enum legacy_request what)
{
    struct legacy_platform *p = ctx;

    if (what == LEGACY_POWEROFF) {
        p->poweroff = true;
    } else if (what == LEGACY_RESET) {
        store_release(&p->reset, true);
    }
    /* The address line 20 is always on: what software does with it off, it
     * does to find out that it works. */
}

static size_t host_console_write(void *ctx, const char *buf, size_t n)
{
    struct legacy_platform *p = ctx;

    return p->manifest->console == MANIFEST_CONSOLE_COM1
               ? vconsole_write(p->domain, buf, n)
               : n;
}

/* Whoever types Ctrl-L at a terminal has lost the screen. */
static size_t host_console_read(void *ctx, char *buf, size_t n)
{
    struct legacy_platform *p = ctx;
    size_t got = vconsole_read(p->domain, buf, n);

    if (p->screen != NULL && memchr(buf, '\f', got) != NULL) {
        legacy_screen_redraw(p->screen);
    }
    return got;
}

static void host_log_line(void *ctx, const char *line)
{
    struct legacy_platform *p = ctx;

    log_debug("%s: %s", p->domain->name, line);
}

static int host_copy(void *ctx, uint64_t at, void *buf, size_t n, bool to_guest)
{
    struct legacy_platform *p = ctx;

    return to_guest ? guest_phys_write(p->domain, gpa(at), buf, n)
                    : guest_phys_read(p->domain, buf, gpa(at), n);
}

static size_t screen_write(void *ctx, const char *buf, size_t n)
{
    struct legacy_platform *p = ctx;

    return vconsole_write(p->domain, buf, n);
}

/* ---- Time ---- */

static uint64_t pit_deadline(const struct legacy_platform *p)
{
    return legacy_pit_deadline(&p->pit);
}

static void pit_run(struct legacy_platform *p)
{
    legacy_pit_run(&p->pit);
}

static uint64_t rtc_deadline(const struct legacy_platform *p)
{
    return legacy_rtc_deadline(&p->rtc);
}

static void rtc_run(struct legacy_platform *p)
{
    legacy_rtc_run(&p->rtc);
}

static uint64_t uart_deadline(const struct legacy_platform *p)
{
    return legacy_uart_deadline(&p->uart);
}

static void uart_run(struct legacy_platform *p)
{
    legacy_uart_run(&p->uart);
}

static uint64_t kbc_deadline(const struct legacy_platform *p)
{
    return legacy_kbc_deadline(&p->kbc);
}

static void kbc_run(struct legacy_platform *p)
{
    legacy_kbc_run(&p->kbc);
}

static uint64_t pm_deadline(const struct legacy_platform *p)
{
    return legacy_pm_deadline(&p->pm);
}

static void pm_run(struct legacy_platform *p)
{
    legacy_pm_run(&p->pm);
}

static uint64_t screen_deadline(const struct legacy_platform *p)
{
    return p->screen ? legacy_screen_deadline(p->screen) : LEGACY_NEVER;
}

static void screen_run(struct legacy_platform *p)
{
    legacy_screen_look(p->screen, &p->vga);
}

static const struct {
    uint64_t (*deadline)(const struct legacy_platform *p);
    void (*run)(struct legacy_platform *p);
} timed[] = {
    {pit_deadline, pit_run},   {rtc_deadline, rtc_run},
    {uart_deadline, uart_run}, {kbc_deadline, kbc_run},
    {pm_deadline, pm_run},     {screen_deadline, screen_run},
};

void legacy_schedule(struct legacy_platform *p)
{
    uint64_t next = LEGACY_NEVER;

    for (unsigned i = 0; i < ARRAY_SIZE(timed); i++) {
        next = rv_min(next, timed[i].deadline(p));
    }
    if (next != p->armed_ns && !p->is_dead) {
        p->armed_ns = next;
        if (next == LEGACY_NEVER) {
            timer_disarm(&p->timer);
        } else {
            timer_set(&p->timer, next);
        }
    }
}

static void due_run(struct legacy_platform *p, uint64_t now)
{
    for (unsigned i = 0; i < ARRAY_SIZE(timed) && !p->is_dead; i++) {
        if (timed[i].deadline(p) <= now) {
            timed[i].run(p);
        }
    }
}

/* The timer may be late: what is due has happened before anybody looks. */
void legacy_catch_up(struct legacy_platform *p)
{
    uint64_t now = arch_time_ns();

    if (now >= p->armed_ns) {
        due_run(p, now);
    }
}

static void timer_expired(struct timer *t)
{
    struct legacy_platform *p = container_of(t, struct legacy_platform, timer);

    spin_lock(&p->lock);
    p->armed_ns = LEGACY_NEVER;
    due_run(p, arch_time_ns());
    legacy_schedule(p);
    legacy_unlock(p);
}

/* A guest that has made itself at home with the hypervisor's own interface has
 * given pages away and opened event channels, of which a reset line knows
 * nothing: it ends, and who started it may start it again. */
static bool is_at_home(const struct domain *d)
{
    return d->shared_info_gfn.v != 0;
}

void legacy_unlock(struct legacy_platform *p)
{
    bool poweroff = p->poweroff;

    p->poweroff = false;
    spin_unlock(&p->lock);
    if (unlikely(poweroff)) {
        domain_shutdown(p->domain, SHUTDOWN_POWEROFF);
    }
    if (unlikely(load_acquire(&p->reset)) && is_at_home(p->domain)) {
        domain_shutdown(p->domain, SHUTDOWN_REBOOT);
    } else if (unlikely(load_acquire(&p->reset))) {
        vcpu_flags_clear(p->domain->vcpu[0],
                         VCPU_DOWN | VCPU_BLOCKED | VCPU_POLLING);
        vcpu_kick(p->domain->vcpu[0]);
    }
}

void legacy_input(struct domain *d)
{
    struct legacy_platform *p = d->legacy;

    spin_lock(&p->lock);
    if (p->manifest->console == MANIFEST_CONSOLE_COM1) {
        legacy_uart_pull(&p->uart);
    } else if (legacy_has(p, MANIFEST_DEV_KEYBOARD)) {
        legacy_kbc_pull(&p->kbc);
    }
    legacy_schedule(p);
    legacy_unlock(p);
}

/* ---- Interrupts ---- */

bool legacy_intr_is_pending(const struct vcpu *v)
{
    return v->id == 0 && legacy_pic_intr_is_pending(&v->domain->legacy->pic) &&
           vlapic_extint_is_open(v);
}

uint8_t legacy_intr_accept(struct vcpu *v)
{
    struct legacy_platform *p = v->domain->legacy;
    uint8_t vector;

    spin_lock(&p->lock);
    vector = legacy_pic_intr_accept(&p->pic);
    legacy_schedule(p);
    legacy_unlock(p);
    return vector;
}

/* ---- Life ---- */

static void host_init(struct legacy_platform *p)
{
    p->host = (struct legacy_host){
        .now_ns = host_now,
        .irq_set = host_irq_set,
        .irq_is_waiting = host_irq_is_waiting,
        .intr_changed = host_intr_changed,
        .request = host_request,
        .console_write = host_console_write,
        .console_read = host_console_read,
        .log_line = host_log_line,
        .copy = host_copy,
        .ctx = p,
    };
    p->screen_host = p->host;
    p->screen_host.console_write = screen_write;
    p->irq = (struct legacy_irq){
        .domain = p->domain,
        .pic = legacy_has(p, MANIFEST_DEV_PIC) ? &p->pic : NULL,
    };
}

static void pci_create(struct legacy_platform *p)
{
    uint32_t functions = 1u << LEGACY_PCI_HOST | 1u << LEGACY_PCI_ISA;

    if (legacy_has(p, MANIFEST_DEV_IDE)) {
        functions |= 1u << LEGACY_PCI_IDE;
    }
    if (legacy_has(p, MANIFEST_DEV_PM_TIMER)) {
        functions |= 1u << LEGACY_PCI_PM;
    }
    legacy_pci_init(&p->pci, &p->host, functions);
}

static void devices_create(struct legacy_platform *p)
{
    legacy_pic_init(&p->pic, &p->host);
    legacy_pit_init(&p->pit, &p->host);
    legacy_rtc_init(&p->rtc, &p->host, arch_boot_wallclock_s());
    legacy_uart_init(&p->uart, &p->host, LEGACY_UART_IRQ);
    p->uart.is_always_open = p->manifest->console == MANIFEST_CONSOLE_COM1;
    legacy_kbc_init(&p->kbc, &p->host);
    legacy_pm_init(&p->pm, &p->host);
    legacy_debug_init(&p->debug, &p->host);
    legacy_fw_cfg_init(&p->fw_cfg, &p->host);
    legacy_vga_reset(&p->vga);
    pci_create(p);
}

int legacy_platform_create(struct domain *d, const struct manifest_domain *m)
{
    struct legacy_platform *p = pages_alloc(LEGACY_PLATFORM_ORDER);

    if (p == NULL) {
        return -RV_ENOMEM;
    }
    d->legacy = p;
    p->domain = d;
    p->manifest = m;
    p->without = m->without;
    p->has_screen = legacy_has(p, MANIFEST_DEV_SCREEN) &&
                    (m->console == MANIFEST_CONSOLE_SCREEN ||
                     m->console == MANIFEST_CONSOLE_TERMINAL ||
                     m->console == MANIFEST_CONSOLE_HVC);
    spin_init(&p->lock, LOCK_RANK_LEGACY);
    timer_init(&p->timer, timer_expired);
    p->armed_ns = LEGACY_NEVER;
    p->ide_buffer = pages_alloc(LEGACY_IDE_BUFFER_ORDER);
    p->screen = p->has_screen ? pages_alloc(LEGACY_SCREEN_ORDER) : NULL;
    if (p->ide_buffer == NULL || (p->has_screen && p->screen == NULL)) {
        return -RV_ENOMEM;
    }
    host_init(p);
    devices_create(p);
    return legacy_has(p, MANIFEST_DEV_IOAPIC) ? vioapic_create(d) : 0;
}
