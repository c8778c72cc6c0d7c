/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one description of every setting: name, kind, range, default, place in
 * the struct. The blob parser, the host's text parser and compiler, and the
 * documentation all follow this table, so that they cannot disagree.
 */
#include "ravelin/manifest.h"
#include "ravelin/string.h"

static const struct manifest_word last_end_words[] = {
    {"poweroff", MANIFEST_LAST_POWEROFF},
    {"stay", MANIFEST_LAST_STAY},
    {NULL, 0},
};
static const struct manifest_word hv_console_words[] = {
    {"auto", MANIFEST_HV_CONSOLE_AUTO},
    {"plain", MANIFEST_HV_CONSOLE_PLAIN},
    {"mux", MANIFEST_HV_CONSOLE_MUX},
    {"off", MANIFEST_HV_CONSOLE_OFF},
    {NULL, 0},
};
static const struct manifest_word role_words[] = {
    {"hardware", ROLE_HARDWARE},
    {"control", ROLE_CONTROL},
    {"monitor", ROLE_MONITOR},
    {NULL, 0},
};
static const struct manifest_word console_words[] = {
    {"hvc", MANIFEST_CONSOLE_HVC},           {"xen", MANIFEST_CONSOLE_XEN},
    {"serial", MANIFEST_CONSOLE_SERIAL},     {"none", MANIFEST_CONSOLE_NONE},
    {"screen", MANIFEST_CONSOLE_SCREEN},     {"com1", MANIFEST_CONSOLE_COM1},
    {"terminal", MANIFEST_CONSOLE_TERMINAL}, {NULL, 0},
};
static const struct manifest_word start_words[] = {
    {"running", MANIFEST_START_RUNNING},
    {"paused", MANIFEST_START_PAUSED},
    {NULL, 0},
};
static const struct manifest_word crash_words[] = {
    {"destroy", MANIFEST_CRASH_DESTROY},
    {"preserve", MANIFEST_CRASH_PRESERVE},
    {NULL, 0},
};
static const struct manifest_word abi_words[] = {
    {"v4v", MANIFEST_ABI_V4V},
    {"argo", MANIFEST_ABI_ARGO},
    {NULL, 0},
};
static const struct manifest_word loss_words[] = {
    {"resume", MANIFEST_LOSS_RESUME},
    {"pause", MANIFEST_LOSS_PAUSE},
    {"crash", MANIFEST_LOSS_CRASH},
    {NULL, 0},
};
static const struct manifest_word monitor_abi_words[] = {
    {"mem-event", MANIFEST_MONITOR_MEM_EVENT},
    {"vm-event", MANIFEST_MONITOR_VM_EVENT},
    {NULL, 0},
};
static const struct manifest_word boot_words[] = {
    {"disk", MANIFEST_BOOT_DISK},
    {"cdrom", MANIFEST_BOOT_CDROM},
    {NULL, 0},
};
static const struct manifest_word emulate_words[] = {
    {"none", MANIFEST_EMULATE_NONE},
    {"real", MANIFEST_EMULATE_REAL},
    {NULL, 0},
};
static const struct manifest_word device_words[] = {
    {"uart", MANIFEST_DEV_UART},     {"keyboard", MANIFEST_DEV_KEYBOARD},
    {"screen", MANIFEST_DEV_SCREEN}, {"rtc", MANIFEST_DEV_RTC},
    {"pit", MANIFEST_DEV_PIT},       {"pm-timer", MANIFEST_DEV_PM_TIMER},
    {"pci", MANIFEST_DEV_PCI},       {"ide", MANIFEST_DEV_IDE},
    {"fw-cfg", MANIFEST_DEV_FW_CFG}, {"debug-port", MANIFEST_DEV_DEBUG_PORT},
    {"pic", MANIFEST_DEV_PIC},       {"ioapic", MANIFEST_DEV_IOAPIC},
    {"xen", MANIFEST_DEV_XEN},       {NULL, 0},
};
static const struct manifest_word policy_words[] = {
    {"accept", MANIFEST_ACCEPT},
    {"deny", MANIFEST_DENY},
    {NULL, 0},
};

#define MEMBER(type, member)                 \
    .offset = offsetof(struct type, member), \
    .size = sizeof(((struct type *)NULL)->member)

#define MACHINE(name, member_, type_, ...)                    \
    [MANIFEST_F_##name] = {.scope = MANIFEST_IN_MACHINE,      \
                           .type = MANIFEST_##type_,          \
                           MEMBER(manifest_machine, member_), \
                           __VA_ARGS__}
#define DOMAIN(name, member_, type_, ...)                    \
    [MANIFEST_F_##name] = {.scope = MANIFEST_IN_DOMAIN,      \
                           .type = MANIFEST_##type_,         \
                           MEMBER(manifest_domain, member_), \
                           __VA_ARGS__}
#define RULE(name, member_, type_, ...)                          \
    [MANIFEST_F_##name] = {.scope = MANIFEST_IN_RULE,            \
                           .type = MANIFEST_##type_,             \
                           MEMBER(manifest_rule_entry, member_), \
                           __VA_ARGS__}

static const struct manifest_field_info fields[] = {
    MACHINE(LAST_END, on_last_domain_end, WORD, .key = "on-last-domain-end",
            .words = last_end_words),
    MACHINE(HV_CONSOLE, console, WORD, .key = "console",
            .words = hv_console_words),

    DOMAIN(NAME, name, IDENT, .key = "name", .required = true, .min = 1,
           .max = MANIFEST_NAME_MAX - 1),
    DOMAIN(DOMID, domid, NUMBER, .key = "domid", .max = MANIFEST_DOMID_MAX,
           .init = MANIFEST_DOMID_AUTO),
    DOMAIN(ROLES, roles, FLAGS, .key = "roles", .words = role_words),
    DOMAIN(MONITORS, monitors, TARGETS, .key = "monitors"),
    DOMAIN(KERNEL, kernel, IDENT, .key = "kernel", .min = 1,
           .max = MANIFEST_MODULE_MAX - 1),
    DOMAIN(RAMDISK, ramdisk, IDENT, .key = "ramdisk", .min = 1,
           .max = MANIFEST_MODULE_MAX - 1),
    DOMAIN(FIRMWARE, firmware, IDENT, .key = "firmware", .min = 1,
           .max = MANIFEST_MODULE_MAX - 1),
    DOMAIN(VGABIOS, vgabios, IDENT, .key = "vgabios", .min = 1,
           .max = MANIFEST_MODULE_MAX - 1),
    DOMAIN(DISK, disk, IDENT, .key = "disk", .min = 1,
           .max = MANIFEST_MODULE_MAX - 1),
    DOMAIN(CDROM, cdrom, IDENT, .key = "cdrom", .min = 1,
           .max = MANIFEST_MODULE_MAX - 1),
    DOMAIN(CMDLINE, cmdline, TEXT, .key = "cmdline",
           .max = MANIFEST_CMDLINE_MAX - 1),
    DOMAIN(MEMORY, memory, SIZE, .key = "memory", .required = true,
           .min = 1ull << 20, .max = 1ull << 40),
    DOMAIN(VCPUS, vcpus, NUMBER, .key = "vcpus", .min = 1,
           .max = MANIFEST_VCPUS_MAX, .init = 1),
    DOMAIN(WEIGHT, weight, NUMBER, .key = "weight", .min = 1, .max = 65535,
           .init = 256),
    DOMAIN(CPUS, cpus, CPUS, .key = "cpus", .min = 1, .max = UINT64_MAX,
           .init = UINT64_MAX),
    DOMAIN(CONSOLE, console, WORD, .key = "console", .words = console_words),
    DOMAIN(START, start, WORD, .key = "start", .words = start_words),
    DOMAIN(ON_CRASH, on_crash, WORD, .key = "on-crash", .words = crash_words),
    DOMAIN(ABI, abi, WORD, .key = "message-abi", .words = abi_words),
    DOMAIN(ON_MONITOR_LOSS, on_monitor_loss, WORD, .key = "on-monitor-loss",
           .words = loss_words),
    DOMAIN(MONITOR_TIMEOUT, monitor_timeout, NUMBER, .key = "monitor-timeout",
           .max = 86400000, .init = MANIFEST_MONITOR_TIMEOUT),
    DOMAIN(MONITOR_ABI, monitor_abi, WORD, .key = "monitor-abi",
           .words = monitor_abi_words),
    DOMAIN(BOOT, boot, WORD, .key = "boot", .words = boot_words),
    DOMAIN(EMULATE, emulate, WORD, .key = "emulate", .words = emulate_words),
    DOMAIN(WITHOUT, without, FLAGS, .key = "without", .words = device_words),
    DOMAIN(MAX_RINGS, max_rings, NUMBER, .key = "max-rings", .max = 4096,
           .init = 0x80),
    DOMAIN(MAX_SENDV, max_sendv, NUMBER, .key = "max-sendv", .min = 1,
           .max = 1024, .init = 0x80),
    DOMAIN(MAX_NOTIFY, max_notify, NUMBER, .key = "max-notify", .min = 1,
           .max = 4096, .init = 0x100),
    DOMAIN(MAX_SEND_SIZE, max_send_size, NUMBER, .key = "max-send-size",
           .min = 16, .max = 0x2000000, .init = 0x2000000),

    [MANIFEST_F_V4V_DEFAULT] = {.scope = MANIFEST_IN_V4V,
                                .type = MANIFEST_WORD,
                                MEMBER(manifest_machine, v4v_default),
                                .key = "default",
                                .words = policy_words},

    RULE(FROM, from, ENDPOINT, .key = "from", .required = true),
    RULE(TO, to, ENDPOINT, .key = "to", .required = true),
    RULE(ACTION, action, WORD, .key = "action", .required = true,
         .words = policy_words),
};

static_assert(ARRAY_SIZE(fields) == MANIFEST_FIELD_COUNT,
              "every field has its row");

const struct manifest_field_info *manifest_field_lookup(int field)
{
    return field >= 0 && field < MANIFEST_FIELD_COUNT ? &fields[field] : NULL;
}

int manifest_field_find(enum manifest_scope scope, const char *key, size_t len)
{
    for (int i = 0; i < MANIFEST_FIELD_COUNT; i++) {
        if (fields[i].scope == scope && strlen(fields[i].key) == len &&
            memcmp(fields[i].key, key, len) == 0) {
            return i;
        }
    }
    return MANIFEST_NOWHERE;
}

const char *manifest_word_of(const struct manifest_field_info *f,
                             uint32_t value)
{
    for (const struct manifest_word *w = f->words; w->word != NULL; w++) {
        if (w->value == value) {
            return w->word;
        }
    }
    return "?";
}

bool manifest_word_find(const struct manifest_field_info *f, const char *word,
                        size_t len, uint32_t *value)
{
    for (const struct manifest_word *w = f->words; w->word != NULL; w++) {
        if (strlen(w->word) == len && memcmp(w->word, word, len) == 0) {
            *value = w->value;
            return true;
        }
    }
    return false;
}

enum manifest_rule manifest_number_check(const struct manifest_field_info *f,
                                         uint64_t value)
{
    if (value < f->min || value > f->max) {
        return MANIFEST_E_VALUE_RANGE;
    }
    if (f->type == MANIFEST_SIZE && (value & 0xfff) != 0) {
        return MANIFEST_E_MEMORY_ALIGN;
    }
    return MANIFEST_OK;
}

static bool is_name_char(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        (c >= '0' && c <= '9')) {
        return true;
    }
    return !first && (c == '.' || c == '_' || c == '-');
}

enum manifest_rule manifest_text_check(const struct manifest_field_info *f,
                                       const char *text, size_t len)
{
    if (len < f->min || len > f->max) {
        return MANIFEST_E_TEXT_LENGTH;
    }
    for (size_t i = 0; i < len; i++) {
        bool ok = f->type == MANIFEST_IDENT ? is_name_char(text[i], i == 0)
                                            : text[i] >= ' ' && text[i] <= '~';
        if (!ok) {
            return MANIFEST_E_TEXT_CHARACTERS;
        }
    }
    return MANIFEST_OK;
}

static void set_defaults(enum manifest_scope scope, void *base)
{
    for (int i = 0; i < MANIFEST_FIELD_COUNT; i++) {
        const struct manifest_field_info *f = &fields[i];
        uint32_t value = (uint32_t)f->init;

        if (f->scope != scope) {
            continue;
        }
        if (f->size == sizeof(f->init)) {
            memcpy((char *)base + f->offset, &f->init, sizeof(f->init));
        } else if (f->size == sizeof(value)) {
            memcpy((char *)base + f->offset, &value, sizeof(value));
        }
    }
}

void manifest_domain_init(struct manifest_domain *d)
{
    memset(d, 0, sizeof(*d));
    set_defaults(MANIFEST_IN_DOMAIN, d);
}

void manifest_init(struct manifest *m)
{
    memset(m, 0, sizeof(*m));
    set_defaults(MANIFEST_IN_MACHINE, &m->machine);
    set_defaults(MANIFEST_IN_V4V, &m->machine);
}

static bool domid_is_taken(const struct manifest *m, uint32_t domid)
{
    for (uint32_t i = 0; i < m->domain_count; i++) {
        if (m->domain[i].domid == domid) {
            return true;
        }
    }
    return false;
}

void manifest_assign_domids(struct manifest *m)
{
    uint32_t next = 1;

    for (uint32_t i = 0; i < m->domain_count; i++) {
        if (m->domain[i].domid != MANIFEST_DOMID_AUTO) {
            continue;
        }
        while (domid_is_taken(m, next)) {
            next++;
        }
        m->domain[i].domid = next;
    }
}
