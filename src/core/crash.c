/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of one domain that broke a rule: a dump a person can read, then the
 * shutdown with reason "crash". Nothing else in the machine is touched.
 *
 * Threat surface: everything printed is the guest's; log lines replace control
 * characters, and a domain is dumped at most once.
 */

#include <stdarg.h>

#include "ravelin/atomic.h"
#include "ravelin/fmt.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/legacy.h"
#include "ravelin/log.h"
#include "ravelin/string.h"
#include "ravelin/trail.h"
#include "ravelin/vmexit.h"

#define REASON_MAX 200
#define CODE_BYTES 16u
#define STACK_WORDS 8u

static void registers_dump(const struct vcpu *v)
{
    static const char name[REG_COUNT][4] = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
    };
    const uint64_t *r = v->regs.gpr;

    log_error("rip %016lx rflags %016lx cpl %u", v->regs.rip, v->regs.rflags,
              hv->cpl_get(v));
    for (unsigned i = 0; i < REG_COUNT; i += 4) {
        log_error("%-3s %016lx %-3s %016lx %-3s %016lx %-3s %016lx", name[i],
                  r[i], name[i + 1], r[i + 1], name[i + 2], r[i + 2],
                  name[i + 3], r[i + 3]);
    }
}

static void code_dump(struct vcpu *v)
{
    struct guest_fault fault;
    uint8_t code[CODE_BYTES];
    char text[CODE_BYTES * 3 + 1];
    uint64_t base;
    size_t used = 0;

    (void)vcpu_code_mode(v, &base);
    for (unsigned i = 0; i < CODE_BYTES; i++) {
        if (guest_linear_read(v, &code[i], gva(base + v->regs.rip + i), 1,
                              ACCESS_READ, false, &fault)) {
            break;
        }
        used += (size_t)fmt_snprintf(text + used, sizeof(text) - used, " %02x",
                                     code[i]);
    }
    text[used] = '\0';
    log_error("code at rip:%s", used ? text : " (unreadable)");
}

static void stack_dump(struct vcpu *v)
{
    struct vcpu_segment ss;
    struct guest_fault fault;
    uint64_t word;
    uint64_t sp;

    hv->segment_get(v, SEG_SS, &ss);
    sp = v->regs.gpr[REG_RSP] + ss.base;
    for (unsigned i = 0; i < STACK_WORDS; i++) {
        if (guest_linear_read(v, &word, gva(sp + i * 8), sizeof(word),
                              ACCESS_READ, false, &fault)) {
            log_error("stack %016lx: (unreadable)", sp + i * 8);
            return;
        }
        log_error("stack %016lx: %016lx", sp + i * 8, word);
    }
}

static void exits_dump(const struct vcpu *v)
{
    char text[REASON_MAX];
    size_t used = 0;

    for (unsigned i = 0; i < VMEXIT_COUNT && used < sizeof(text) - 32; i++) {
        if (v->exit_count[i]) {
            used += (size_t)fmt_snprintf(text + used, sizeof(text) - used,
                                         " %s %lu", vmexit_name(i),
                                         v->exit_count[i]);
        }
    }
    text[used] = '\0';
    log_error("exits so far:%s", text);
}

static void vcpu_dump(struct vcpu *v)
{
    registers_dump(v);
    trail_dump(v);
    code_dump(v);
    stack_dump(v);
    hv->dump(v);
    exits_dump(v);
}

void domain_crash(struct domain *d, struct vcpu *v, const char *fmt, ...)
{
    char reason[REASON_MAX];
    va_list args;

    if (__atomic_exchange_n(&d->crash_reported, true, __ATOMIC_ACQ_REL)) {
        return;
    }
    va_start(args, fmt);
    fmt_vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);

    log_error("domain %u (%s) crashed: %s", d->id, d->name, reason);
    if (v) {
        log_error("vcpu %u of %u, cpu %u", v->id, d->vcpu_count,
                  this_cpu()->id);
        vcpu_dump(v);
    }
    legacy_dump(d);
    log_error("end of dump of domain %u (%s)", d->id, d->name);
    domain_crash_apply(d);
}
