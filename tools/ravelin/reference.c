/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documentation of the settings. Kind, range, default and words come from the
 * schema that the parsers use; only the meaning is written here.
 */
#include <inttypes.h>

#include "ravelin/manifest.h"
#include "reference.h"

static const char *const meaning[MANIFEST_FIELD_COUNT] = {
    [MANIFEST_F_LAST_END] = "what happens when no domain is left. The end of "
                            "the hardware domain always ends the machine",
    [MANIFEST_F_HV_CONSOLE] = "the hypervisor's console; `auto` and a "
                              "`console=` on its command line leave it to the "
                              "latter",
    [MANIFEST_F_NAME] = "unique name; `any`, `hypervisor`, `machine` and "
                        "`manifest` are taken",
    [MANIFEST_F_DOMID] = "fixed number; left out, the lowest free one from 1",
    [MANIFEST_F_ROLES] = "list of roles; none makes a plain guest. `monitor` "
                         "comes with `monitors` by itself",
    [MANIFEST_F_MONITORS] = "list of the domains that this one watches",
    [MANIFEST_F_KERNEL] = "Linux bzImage or ELF file with a PVH entry; a path "
                          "from the manifest's directory, or "
                          "`debian:linux-cloud` for the newest installed one",
    [MANIFEST_F_RAMDISK] = "file handed to the kernel as its ramdisk",
    [MANIFEST_F_FIRMWARE] = "ROM image to start at the reset vector instead of "
                            "a kernel: a path, or `debian:seabios`",
    [MANIFEST_F_VGABIOS] = "option ROM of its screen; `debian:seabios` brings "
                           "`debian:vgabios` by itself",
    [MANIFEST_F_DISK] = "image of its first hard disk; changes are lost at the "
                        "end",
    [MANIFEST_F_CDROM] = "image in its CD drive",
    [MANIFEST_F_CMDLINE] = "kernel command line",
    [MANIFEST_F_MEMORY] = "memory, a multiple of 4 KiB",
    [MANIFEST_F_VCPUS] = "virtual CPUs",
    [MANIFEST_F_WEIGHT] = "share of CPU time in relation to other domains",
    [MANIFEST_F_CPUS] = "physical CPUs that it may run on: `0-3,5`, `[0, 1]` "
                        "or `all`",
    [MANIFEST_F_CONSOLE] = "`hvc`: console ring; `xen`: console hypercall; "
                           "`serial`: owns the machine's serial port (hardware "
                           "domain only); `none`; with firmware `screen` (text "
                           "screen and keyboard, also what `hvc` means there), "
                           "`terminal` (the same with colours and cursor, for "
                           "one terminal alone) or `com1`",
    [MANIFEST_F_START] = "`paused` waits for a control domain",
    [MANIFEST_F_ON_CRASH] = "`preserve` keeps the dead domain for inspection",
    [MANIFEST_F_ABI] = "what hypercall 39 speaks for this domain",
    [MANIFEST_F_ON_MONITOR_LOSS] =
        "what it does when its monitor is lost: `resume` goes on unwatched, "
        "`pause` stays paused, `crash` ends it",
    [MANIFEST_F_MONITOR_TIMEOUT] =
        "milliseconds after which a monitor that does not answer is lost "
        "(found between one and two of them); 0: never",
    [MANIFEST_F_MONITOR_ABI] =
        "format of events in a ring in this domain's memory",
    [MANIFEST_F_BOOT] = "what the firmware tries first",
    [MANIFEST_F_EMULATE] = "`real`: real mode is run by the emulator, not by "
                           "the processor",
    [MANIFEST_F_WITHOUT] = "devices that a domain with firmware does not have",
    [MANIFEST_F_MAX_RINGS] = "message rings it may register; 0: none",
    [MANIFEST_F_MAX_SENDV] = "buffers in one send",
    [MANIFEST_F_MAX_NOTIFY] = "entries in one notify",
    [MANIFEST_F_MAX_SEND_SIZE] = "bytes in one send",
    [MANIFEST_F_V4V_DEFAULT] = "what happens to messages that no rule matches",
    [MANIFEST_F_FROM] = "sender: `name`, `name:port`, `any` or `any:port`",
    [MANIFEST_F_TO] = "receiver, written likewise",
    [MANIFEST_F_ACTION] = "verdict; the first rule that matches decides",
};

static const char *const section_title[MANIFEST_SCOPE_COUNT] = {
    [MANIFEST_IN_MACHINE] = "Section `machine`",
    [MANIFEST_IN_DOMAIN] = "Each entry of `domains`",
    [MANIFEST_IN_V4V] = "Section `v4v`",
    [MANIFEST_IN_RULE] = "Each entry of `rules` in section `v4v`",
};

static void print_value(FILE *to, const struct manifest_field_info *f)
{
    switch ((enum manifest_type)f->type) {
    case MANIFEST_NUMBER:
        fprintf(to, "%" PRIu64 " to %" PRIu64, f->min, f->max);
        break;
    case MANIFEST_SIZE:
        fprintf(to, "%" PRIu64 "M to %" PRIu64 "G", f->min >> 20, f->max >> 30);
        break;
    case MANIFEST_WORD:
    case MANIFEST_FLAGS:
        for (const struct manifest_word *w = f->words; w->word != NULL; w++) {
            fprintf(to, "%s`%s`", w == f->words ? "" : ", ", w->word);
        }
        break;
    case MANIFEST_CPUS:
        fputs("CPUs 0 to 63", to);
        break;
    case MANIFEST_TARGETS:
        fputs("domain names", to);
        break;
    case MANIFEST_ENDPOINT:
        fputs("endpoint", to);
        break;
    default:
        fprintf(to, "text, up to %" PRIu64 " characters", f->max);
        break;
    }
}

static void print_default(FILE *to, int field)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);

    if (f->required) {
        fputs("required", to);
    } else if (f->type == MANIFEST_WORD) {
        fprintf(to, "`%s`", manifest_word_of(f, (uint32_t)f->init));
    } else if (f->type == MANIFEST_CPUS) {
        fputs("`all`", to);
    } else if (f->type == MANIFEST_NUMBER && field != MANIFEST_F_DOMID) {
        fprintf(to, "%" PRIu64, f->init);
    } else {
        fputs("none", to);
    }
}

static void print_section(FILE *to, enum manifest_scope scope)
{
    fprintf(to,
            "### %s\n\n| setting | value | default | meaning |\n"
            "|---|---|---|---|\n",
            section_title[scope]);
    for (int i = 0; i < MANIFEST_FIELD_COUNT; i++) {
        const struct manifest_field_info *f = manifest_field_lookup(i);

        if (f->scope != scope) {
            continue;
        }
        fprintf(to, "| `%s` | ", f->key);
        print_value(to, f);
        fputs(" | ", to);
        print_default(to, i);
        fprintf(to, " | %s |\n", meaning[i]);
    }
    fputc('\n', to);
}

static void print_rules(FILE *to)
{
    const struct manifest_rule_info *rule;

    fputs("### Rules\n\n| rule | severity | what is wrong | fix |\n"
          "|---|---|---|---|\n",
          to);
    for (size_t i = 0; (rule = manifest_rule_at(i)) != NULL; i++) {
        fprintf(to, "| M%03u | %s | %s | %s |\n", rule->number,
                rule->severity == MANIFEST_WARNING ? "warning" : "error",
                rule->text, rule->fix);
    }
}

void reference_print(FILE *to)
{
    for (int scope = 0; scope < MANIFEST_SCOPE_COUNT; scope++) {
        print_section(to, (enum manifest_scope)scope);
    }
    print_rules(to);
}
