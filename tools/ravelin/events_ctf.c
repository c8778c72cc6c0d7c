/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CTF 1.8: a directory with a description (metadata) and one stream for each
 * virtual CPU, in packets. The description is fixed but for the names of the
 * domains; babeltrace2 and Trace Compass read it.
 *
 * Ref: "Common Trace Format Specification 1.8.3", sections 5 "Event Packet
 * Header" and 7 "Trace Stream Description Language".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events_export.h"

#define CTF_MAGIC 0xc1fc1fc1u
#define PACKET_ROOM (256u << 10)
/* Offsets in the packet's head, which is filled in when the packet ends. */
#define HEAD_BEGIN 8u
#define HEAD_END 16u
#define HEAD_CONTENT 24u
#define HEAD_PACKET 32u
#define HEAD_DOMAIN 40u
#define HEAD_CPU 44u
#define HEAD_SIZE 48u

struct ctf_stream {
    uint32_t domain, vcpu;
    FILE *file;
    size_t len;
    uint64_t begin, end;
    unsigned char *packet;
};

struct ctf {
    struct event_export x;
    char *dir;
    int r; /* first error */
    size_t stream_count;
    struct ctf_stream stream[TIMELINE_LANES_MAX];
};

/* Ids of events in the description: kinds, then these. */
enum { CTF_NOTE = EK_COUNT, CTF_LOST, CTF_EVENT_COUNT };

static const char metadata_head[] =
    "/* CTF 1.8 */\n"
    "typealias integer { size = 16; align = 8; } := u16;\n"
    "typealias integer { size = 32; align = 8; } := u32;\n"
    "typealias integer { size = 64; align = 8; } := u64;\n"
    "typealias integer { size = 64; align = 8; base = x; } := x64;\n"
    "clock { name = machine; freq = 1000000000; offset = 0;\n"
    "    description = \"nanoseconds since the machine started\"; };\n"
    "typealias integer { size = 64; align = 8;\n"
    "    map = clock.machine.value; } := when;\n"
    "trace { major = 1; minor = 8; byte_order = le;\n"
    "    packet.header := struct { u32 magic; u32 stream_id; }; };\n"
    "stream { id = 0;\n"
    "    packet.context := struct { when timestamp_begin;\n"
    "        when timestamp_end; u64 content_size; u64 packet_size;\n"
    "        u32 domain; u32 cpu_id; };\n"
    "    event.header := struct { u16 id; when timestamp; }; };\n"
    "event { id = 0; name = \"cr0\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; x64 old; x64 new; }; };\n"
    "event { id = 1; name = \"cr3\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; x64 new; string process; }; };\n"
    "event { id = 2; name = \"cr4\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; x64 old; x64 new; }; };\n"
    "event { id = 3; name = \"int3\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; x64 address; }; };\n"
    "event { id = 4; name = \"access\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; x64 physical; x64 linear; x64 rip;\n"
    "        string access; }; };\n"
    "event { id = 5; name = \"step\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; x64 address; }; };\n"
    "event { id = 6; name = \"request\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; }; };\n"
    "event { id = 7; name = \"msr\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; x64 number; x64 old; x64 new; }; };\n"
    "event { id = 8; name = \"inject\"; stream_id = 0;\n"
    "    fields := struct { u64 seq; u32 vector; u32 result; }; };\n"
    "event { id = 9; name = \"note\"; stream_id = 0;\n"
    "    fields := struct { string text; }; };\n"
    "event { id = 10; name = \"lost\"; stream_id = 0;\n"
    "    fields := struct { u64 count; }; };\n";

static void note_error(struct ctf *c)
{
    if (c->r == 0) {
        c->r = errno != 0 ? -errno : -EIO;
    }
}

/* ---- Bytes of a packet ----------------------------------------------------
 */

static void poke(struct ctf_stream *s, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        s->packet[at + i] = (unsigned char)(value >> (8 * i));
    }
}

static void put(struct ctf_stream *s, uint64_t value, size_t size)
{
    poke(s, s->len, value, size);
    s->len += size;
}

static void put_text(struct ctf_stream *s, const char *text)
{
    size_t len = strlen(text) + 1;

    memcpy(s->packet + s->len, text, len);
    s->len += len;
}

static void packet_begin(struct ctf_stream *s, uint64_t time)
{
    memset(s->packet, 0, HEAD_SIZE);
    poke(s, 0, CTF_MAGIC, 4);
    poke(s, HEAD_DOMAIN, s->domain, 4);
    poke(s, HEAD_CPU, s->vcpu, 4);
    s->len = HEAD_SIZE;
    s->begin = time;
}

static void packet_end(struct ctf *c, struct ctf_stream *s)
{
    if (s->len <= HEAD_SIZE) {
        return;
    }
    poke(s, HEAD_BEGIN, s->begin, 8);
    poke(s, HEAD_END, s->end, 8);
    poke(s, HEAD_CONTENT, s->len * 8, 8);
    poke(s, HEAD_PACKET, s->len * 8, 8);
    if (fwrite(s->packet, 1, s->len, s->file) != s->len) {
        note_error(c);
    }
    s->len = 0;
}

/* ---- Streams --------------------------------------------------------------
 */

static struct ctf_stream *stream_open(struct ctf *c, uint32_t domain,
                                      uint32_t vcpu)
{
    struct ctf_stream *s = &c->stream[c->stream_count];
    char *path = xprintf("%s/domain%u_vcpu%u", c->dir, (unsigned int)domain,
                         (unsigned int)vcpu);

    *s = (struct ctf_stream){.domain = domain, .vcpu = vcpu};
    s->file = fopen(path, "we");
    free(path);
    if (s->file == NULL) {
        note_error(c);
        return NULL;
    }
    s->packet = xalloc(PACKET_ROOM);
    c->stream_count++;
    return s;
}

static struct ctf_stream *stream_find(struct ctf *c, uint32_t domain,
                                      uint32_t vcpu)
{
    for (size_t i = 0; i < c->stream_count; i++) {
        if (c->stream[i].domain == domain && c->stream[i].vcpu == vcpu) {
            return &c->stream[i];
        }
    }
    return c->stream_count < TIMELINE_LANES_MAX ? stream_open(c, domain, vcpu)
                                                : NULL;
}

static void put_fields(struct ctf *c, struct ctf_stream *s,
                       const struct event_record *e)
{
    const uint64_t *n = e->number;
    char text[EVENTS_SAFE_SIZE];

    put(s, n[EN_SEQ], 8);
    switch (e->kind) {
    case EK_CR0:
    case EK_CR4:
        put(s, n[EN_OLD], 8);
        put(s, n[EN_NEW], 8);
        break;
    case EK_CR3:
        put(s, n[EN_NEW], 8);
        event_names_show(c->x.names, s->domain, n[EN_NEW], text);
        put_text(s, text);
        break;
    case EK_INT3:
        put(s, n[EN_GLA], 8);
        break;
    case EK_ACCESS:
        put(s, (n[EN_GFN] << 12) + (n[EN_OFFSET] & 0xfff), 8);
        put(s, n[EN_GLA], 8);
        put(s, n[EN_RIP], 8);
        event_access_show(e->access, text);
        put_text(s, text);
        break;
    case EK_STEP:
        put(s, n[EN_GLA], 8);
        break;
    case EK_MSR:
        put(s, n[EN_MSR], 8);
        put(s, n[EN_OLD], 8);
        put(s, n[EN_NEW], 8);
        break;
    case EK_INJECT:
        put(s, n[EN_VECTOR], 4);
        put(s, n[EN_RESULT], 4);
        break;
    case EK_REQUEST:
    case EK_COUNT:
        break;
    }
}

static void put_event(struct ctf *c, const struct event_record *e,
                      uint64_t time, unsigned int id)
{
    struct ctf_stream *s = stream_find(c, (uint32_t)e->number[EN_DOMAIN],
                                       (uint32_t)e->number[EN_VCPU]);
    char text[EVENTS_SAFE_SIZE];

    if (s == NULL) {
        return;
    }
    if (s->len + 2 * EVENTS_SAFE_SIZE > PACKET_ROOM) {
        packet_end(c, s);
    }
    /* Notes carry the monitor's time, which may be behind an event's. */
    if (time < s->end) {
        time = s->end;
    }
    if (s->len == 0) {
        packet_begin(s, time);
    }
    s->end = time;
    put(s, id, 2);
    put(s, time, 8);
    if (id == CTF_NOTE) {
        event_text_safe(e->text[ET_TEXT], text);
        put_text(s, text);
    } else if (id == CTF_LOST) {
        put(s, e->number[EN_COUNT], 8);
    } else {
        put_fields(c, s, e);
    }
}

static void on_record(struct event_export *x, const struct event_record *e,
                      uint64_t time)
{
    struct ctf *c = container_of(x, struct ctf, x);

    if (e->verb == EV_EVENT) {
        put_event(c, e, time, (unsigned int)e->kind);
    } else if (e->verb == EV_NOTE) {
        put_event(c, e, time, CTF_NOTE);
    } else if (e->verb == EV_LOST) {
        put_event(c, e, time, CTF_LOST);
    }
}

static void on_slice(struct event_export *x, const struct event_slice *s)
{
    (void)x; /* CTF has events only; viewers make the slices */
    (void)s;
}

/* ---- The description ------------------------------------------------------
 */

static void metadata_env(const struct ctf *c, FILE *file)
{
    char name[EVENTS_SAFE_SIZE];

    fputs("env { hypervisor = \"ravelin\";\n", file);
    for (size_t i = 0; i < c->stream_count; i++) {
        bool is_first = true;

        for (size_t j = 0; j < i; j++) {
            is_first &= c->stream[j].domain != c->stream[i].domain;
        }
        if (!is_first) {
            continue;
        }
        event_names_domain_show(c->x.names, c->stream[i].domain, name);
        /* Names of domains need no escapes but the backslash's own. */
        for (char *p = name; *p != '\0'; p++) {
            *p = *p == '"' || *p == '\\' ? '_' : *p;
        }
        fprintf(file, "    domain_%u = \"%s\";\n",
                (unsigned int)c->stream[i].domain, name);
    }
    fputs("};\n", file);
}

static void metadata_write(struct ctf *c)
{
    char *path = path_join(c->dir, "metadata");
    FILE *file = fopen(path, "we");

    if (file == NULL) {
        note_error(c);
    } else {
        fputs(metadata_head, file);
        metadata_env(c, file);
        if (ferror(file) != 0 || fclose(file) != 0) {
            note_error(c);
        }
    }
    free(path);
}

static int finish(struct event_export *x)
{
    struct ctf *c = container_of(x, struct ctf, x);
    int r;

    for (size_t i = 0; i < c->stream_count; i++) {
        packet_end(c, &c->stream[i]);
        if (fclose(c->stream[i].file) != 0) {
            note_error(c);
        }
        free(c->stream[i].packet);
    }
    metadata_write(c);
    r = c->r;
    free(c->dir);
    free(c);
    return r;
}

struct event_export *export_ctf_open(const char *path, int *r)
{
    struct ctf *c;

    if (access(path, F_OK) == 0) {
        *r = -EEXIST; /* streams of another trace would be mixed in */
        return NULL;
    }
    *r = dir_make(path);
    if (*r != 0) {
        return NULL;
    }
    c = xalloc(sizeof(*c));
    c->dir = xstrdup(path);
    c->x = (struct event_export){on_record, on_slice, finish, NULL};
    return &c->x;
}
