/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF parser for kernels of new domains. Headers are copied out of the image
 * before they are looked at, all sums are checked for overflow, and every
 * range is checked against the image before it is used.
 *
 * Threat surface: the whole image. A kernel may come from anybody.
 */
#include "elf.h"

#include "public/elfnote.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#define ELF_CLASS32 1u
#define ELF_CLASS64 2u
#define ELF_LITTLE 1u
#define ELF_TYPE_EXEC 2u
#define ELF_TYPE_DYN 3u
#define ELF_MACHINE_386 3u
#define ELF_MACHINE_X86_64 62u
#define ELF_PT_LOAD 1u
#define ELF_PT_NOTE 4u
#define ELF_PHDR_MAX 64u
#define PADDR_LIMIT (1UL << 46)

struct elf_ident {
    uint8_t magic[4];
    uint8_t class;
    uint8_t data;
    uint8_t pad[10];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
};

struct elf32_rest {
    uint32_t entry;
    uint32_t phoff;
    uint32_t shoff;
    uint32_t flags;
    uint16_t ehsize;
    uint16_t phentsize;
    uint16_t phnum;
};

struct elf64_rest {
    uint64_t entry;
    uint64_t phoff;
    uint64_t shoff;
    uint32_t flags;
    uint16_t ehsize;
    uint16_t phentsize;
    uint16_t phnum;
};

struct elf32_phdr {
    uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct elf64_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
    uint32_t name_size;
    uint32_t desc_size;
    uint32_t type;
};

/* One program header, whatever the class. */
struct phdr {
    uint32_t type;
    uint64_t offset;
    uint64_t align;
    struct elf_segment segment;
};

struct elf_reader {
    const uint8_t *image;
    size_t size;
    bool is_64;
    uint64_t phoff;
    unsigned phentsize;
    unsigned phnum;
    const char *why;
};

/* Is [offset, offset + n) inside the image? */
static bool range_is_inside(const struct elf_reader *r, uint64_t offset,
                            uint64_t n)
{
    return offset <= r->size && n <= r->size - offset;
}

static bool image_read(const struct elf_reader *r, uint64_t offset, void *to,
                       size_t n)
{
    if (!range_is_inside(r, offset, n)) {
        return false;
    }
    memcpy(to, r->image + offset, n);
    return true;
}

static int refuse(struct elf_reader *r, const char *why)
{
    r->why = why;
    return -RV_ENOEXEC;
}

static int header_parse(struct elf_reader *r)
{
    struct elf_ident ident;
    struct elf64_rest h64;
    struct elf32_rest h32;

    if (!image_read(r, 0, &ident, sizeof(ident)) ||
        memcmp(ident.magic, "\177ELF", 4) != 0) {
        return refuse(r, "not an ELF file");
    }
    if (ident.data != ELF_LITTLE || (ident.machine != ELF_MACHINE_386 &&
                                     ident.machine != ELF_MACHINE_X86_64)) {
        return refuse(r, "ELF file for another processor");
    }
    if (ident.type != ELF_TYPE_EXEC && ident.type != ELF_TYPE_DYN) {
        return refuse(r, "ELF file is no executable");
    }
    if (ident.class == ELF_CLASS64 &&
        image_read(r, sizeof(ident), &h64, sizeof(h64))) {
        r->is_64 = true;
        r->phoff = h64.phoff;
        r->phentsize = h64.phentsize;
        r->phnum = h64.phnum;
    } else if (ident.class == ELF_CLASS32 &&
               image_read(r, sizeof(ident), &h32, sizeof(h32))) {
        r->phoff = h32.phoff;
        r->phentsize = h32.phentsize;
        r->phnum = h32.phnum;
    } else {
        return refuse(r, "ELF header is damaged");
    }
    if (r->phentsize < (r->is_64 ? sizeof(struct elf64_phdr)
                                 : sizeof(struct elf32_phdr)) ||
        r->phnum == 0 || r->phnum > ELF_PHDR_MAX ||
        !range_is_inside(r, r->phoff, (uint64_t)r->phentsize * r->phnum)) {
        return refuse(r, "ELF program headers are missing or damaged");
    }
    return 0;
}

/* Program header `i`; the table was checked to be inside the image. */
static void phdr_read(const struct elf_reader *r, unsigned i, struct phdr *out)
{
    const uint8_t *at = r->image + r->phoff + (uint64_t)i * r->phentsize;
    struct elf64_phdr p64;
    struct elf32_phdr p32;

    if (r->is_64) {
        memcpy(&p64, at, sizeof(p64));
        *out = (struct phdr){p64.type,
                             p64.offset,
                             p64.align,
                             {p64.paddr, p64.offset, p64.filesz, p64.memsz}};
    } else {
        memcpy(&p32, at, sizeof(p32));
        *out = (struct phdr){p32.type,
                             p32.offset,
                             p32.align,
                             {p32.paddr, p32.offset, p32.filesz, p32.memsz}};
    }
}

/* ---- Segments ---- */

static bool segments_overlap(const struct elf_segment *a,
                             const struct elf_segment *b)
{
    return a->paddr < b->paddr + b->mem_size &&
           b->paddr < a->paddr + a->mem_size;
}

/* Keeps the list sorted. */
static int segment_add(struct elf_reader *r, struct elf_image *out,
                       const struct elf_segment *s)
{
    unsigned at = out->count;

    if (s->mem_size == 0) {
        return 0;
    }
    if (out->count == ELF_SEGMENT_MAX) {
        return refuse(r, "ELF file has too many segments");
    }
    if (s->file_size > s->mem_size ||
        !range_is_inside(r, s->offset, s->file_size)) {
        return refuse(r, "ELF segment is not inside the file");
    }
    if (s->paddr >= PADDR_LIMIT || s->mem_size >= PADDR_LIMIT) {
        return refuse(r, "ELF segment has an absurd address");
    }
    while (at > 0 && out->segment[at - 1].paddr > s->paddr) {
        out->segment[at] = out->segment[at - 1];
        at--;
    }
    out->segment[at] = *s;
    out->count++;
    return 0;
}

static int segments_check(struct elf_reader *r, const struct elf_image *out)
{
    if (out->count == 0) {
        return refuse(r, "ELF file has nothing to load");
    }
    for (unsigned i = 1; i < out->count; i++) {
        if (segments_overlap(&out->segment[i - 1], &out->segment[i])) {
            return refuse(r, "ELF segments overlap");
        }
    }
    for (unsigned i = 0; i < out->count; i++) {
        const struct elf_segment *s = &out->segment[i];

        if (out->entry >= s->paddr && out->entry < s->paddr + s->file_size) {
            return 0;
        }
    }
    return refuse(r, "PVH entry point is outside the loaded image");
}

/* ---- Notes ---- */

static bool note_is_entry(const struct elf_note *note, const uint8_t *name)
{
    return note->type == XEN_ELFNOTE_PHYS32_ENTRY && note->name_size == 4 &&
           memcmp(name, "Xen", 4) == 0 &&
           (note->desc_size == 4 || note->desc_size == 8);
}

/* Looks for the entry note in [offset, end), which is inside the image. */
static bool notes_search(const struct elf_reader *r, uint64_t offset,
                         uint64_t end, uint64_t align, uint64_t *entry)
{
    struct elf_note note;

    while (end - offset >= sizeof(note)) {
        uint64_t name = offset + sizeof(note);
        uint64_t desc;
        uint64_t next;

        memcpy(&note, r->image + offset, sizeof(note));
        desc = (name + note.name_size + align - 1) & ~(align - 1);
        next = (desc + note.desc_size + align - 1) & ~(align - 1);
        if (desc > end || note.desc_size > end - desc) {
            return false;
        }
        if (note_is_entry(&note, r->image + name)) {
            *entry = 0;
            memcpy(entry, r->image + desc, note.desc_size);
            return true;
        }
        if (next > end) {
            return false;
        }
        offset = next;
    }
    return false;
}

static bool note_segment_search(const struct elf_reader *r,
                                const struct phdr *p, uint64_t *entry)
{
    if (!range_is_inside(r, p->offset, p->segment.file_size)) {
        return false;
    }
    return notes_search(r, p->offset, p->offset + p->segment.file_size,
                        p->align == 8 ? 8 : 4, entry);
}

static int image_parse(struct elf_reader *r, struct elf_image *out)
{
    bool has_entry = false;
    uint64_t entry = 0;
    int rc = header_parse(r);

    for (unsigned i = 0; rc == 0 && i < r->phnum; i++) {
        struct phdr p;

        phdr_read(r, i, &p);
        if (p.type == ELF_PT_LOAD) {
            rc = segment_add(r, out, &p.segment);
        } else if (p.type == ELF_PT_NOTE && !has_entry) {
            has_entry = note_segment_search(r, &p, &entry);
        }
    }
    if (rc != 0) {
        return rc;
    }
    if (!has_entry) {
        return refuse(r, "ELF file has no PVH entry note");
    }
    if (entry >> 32 != 0) {
        return refuse(r, "PVH entry point is above 4 GiB");
    }
    out->entry = (uint32_t)entry;
    return segments_check(r, out);
}

int elf_parse(const void *image, size_t size, struct elf_image *out,
              const char **why)
{
    struct elf_reader r = {.image = image, .size = size};
    int rc;

    memset(out, 0, sizeof(*out));
    rc = image_parse(&r, out);
    *why = r.why;
    return rc;
}
