/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a kernel small: program headers and the bytes they load, no symbols,
 * no debug information. Both ELF classes, read into one neutral form.
 * Ref: System V ABI, "Program Loading"; Xen public headers, elfnote.h.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "unpack.h"

#define SEGMENTS_MAX 64u
#define NOTE_PHYS32_ENTRY 18u
#define FILE_ALIGN 4096u

struct trim {
    const struct blob *elf;
    struct elf_facts *facts;
    const char **why;
    Elf64_Phdr segment[SEGMENTS_MAX];
    unsigned int count;
    bool has_entry;
};

static bool refuse(struct trim *t, const char *why)
{
    *t->why = why;
    return false;
}

static Elf64_Phdr widen(const Elf32_Phdr *p)
{
    return (Elf64_Phdr){
        .p_type = p->p_type,
        .p_flags = p->p_flags,
        .p_offset = p->p_offset,
        .p_vaddr = p->p_vaddr,
        .p_paddr = p->p_paddr,
        .p_filesz = p->p_filesz,
        .p_memsz = p->p_memsz,
        .p_align = p->p_align,
    };
}

/* Looks for the PVH entry in the bytes of a note segment. */
static void read_notes(struct trim *t, const Elf64_Phdr *p)
{
    const unsigned char *at = t->elf->data + p->p_offset;
    uint64_t left = p->p_filesz;

    while (left >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr n;
        uint64_t name, desc;

        memcpy(&n, at, sizeof(n));
        name = (n.n_namesz + 3ull) & ~3ull;
        desc = (n.n_descsz + 3ull) & ~3ull;
        if (name + desc > left - sizeof(n)) {
            return;
        }
        if (n.n_type == NOTE_PHYS32_ENTRY && n.n_namesz == 4 &&
            memcmp(at + sizeof(n), "Xen", 4) == 0 && n.n_descsz <= 8 &&
            n.n_descsz >= 4) {
            t->facts->pvh_entry = 0;
            memcpy(&t->facts->pvh_entry, at + sizeof(n) + name, n.n_descsz);
            t->has_entry = true;
        }
        at += sizeof(n) + name + desc;
        left -= sizeof(n) + name + desc;
    }
}

static bool keep_segment(struct trim *t, const Elf64_Phdr *p)
{
    if (p->p_type != PT_LOAD && p->p_type != PT_NOTE) {
        return true;
    }
    if (p->p_offset > t->elf->len || p->p_filesz > t->elf->len - p->p_offset) {
        return refuse(t, "a segment lies outside the ELF file");
    }
    if (t->count == SEGMENTS_MAX) {
        return refuse(t, "the ELF file has too many segments");
    }
    if (p->p_type == PT_NOTE) {
        read_notes(t, p);
    } else {
        if (p->p_filesz > p->p_memsz || p->p_paddr + p->p_memsz < p->p_paddr) {
            return refuse(t, "a segment of the ELF file has impossible sizes");
        }
        t->facts->load_end =
            rv_max(t->facts->load_end, p->p_paddr + p->p_memsz);
        t->facts->segment_count++;
    }
    t->segment[t->count++] = *p;
    return true;
}

static bool read_headers(struct trim *t)
{
    const unsigned char *b = t->elf->data;
    uint64_t table, size, n;
    uint16_t machine;

    if (t->elf->len < sizeof(Elf64_Ehdr) || memcmp(b, ELFMAG, SELFMAG) != 0 ||
        b[EI_DATA] != ELFDATA2LSB) {
        return refuse(t, "it is not a little-endian ELF file");
    }
    t->facts->is_64bit = b[EI_CLASS] == ELFCLASS64;
    if (t->facts->is_64bit) {
        const Elf64_Ehdr *h = (const void *)b;

        table = h->e_phoff;
        n = h->e_phnum;
        size = sizeof(Elf64_Phdr);
        machine = h->e_machine;
    } else {
        const Elf32_Ehdr *h = (const void *)b;

        table = h->e_phoff;
        n = h->e_phnum;
        size = sizeof(Elf32_Phdr);
        machine = h->e_machine;
    }
    if (machine != EM_X86_64 && machine != EM_386) {
        return refuse(t, "the ELF file is not for x86");
    }
    if (table > t->elf->len || n * size > t->elf->len - table) {
        return refuse(t, "the ELF file's program headers are outside of it");
    }
    for (uint64_t i = 0; i < n; i++) {
        Elf64_Phdr p;
        Elf32_Phdr narrow;

        if (t->facts->is_64bit) {
            memcpy(&p, b + table + i * size, sizeof(p));
        } else {
            memcpy(&narrow, b + table + i * size, sizeof(narrow));
            p = widen(&narrow);
        }
        if (!keep_segment(t, &p)) {
            return false;
        }
    }
    return true;
}

/* Where a segment goes in the new file: same place within its page. */
static uint64_t place_segment(uint64_t at, const Elf64_Phdr *p)
{
    uint64_t want = p->p_paddr % FILE_ALIGN;

    if (p->p_type == PT_NOTE) {
        return (at + 3) & ~3ull;
    }
    return at + (want + FILE_ALIGN - at % FILE_ALIGN) % FILE_ALIGN;
}

static void write_header64(struct trim *t, unsigned char *to)
{
    Elf64_Ehdr h;

    memcpy(&h, t->elf->data, sizeof(h));
    h.e_phoff = sizeof(h);
    h.e_phnum = (Elf64_Half)t->count;
    h.e_phentsize = sizeof(Elf64_Phdr);
    h.e_shoff = 0;
    h.e_shnum = h.e_shstrndx = 0;
    memcpy(to, &h, sizeof(h));
    memcpy(to + sizeof(h), t->segment, t->count * sizeof(Elf64_Phdr));
}

static void write_header32(struct trim *t, unsigned char *to)
{
    Elf32_Ehdr h;

    memcpy(&h, t->elf->data, sizeof(h));
    h.e_phoff = sizeof(h);
    h.e_phnum = (Elf32_Half)t->count;
    h.e_phentsize = sizeof(Elf32_Phdr);
    h.e_shoff = 0;
    h.e_shnum = h.e_shstrndx = 0;
    memcpy(to, &h, sizeof(h));
    for (unsigned int i = 0; i < t->count; i++) {
        const Elf64_Phdr *p = &t->segment[i];
        Elf32_Phdr narrow = {
            .p_type = p->p_type,
            .p_flags = p->p_flags,
            .p_offset = (Elf32_Off)p->p_offset,
            .p_vaddr = (Elf32_Addr)p->p_vaddr,
            .p_paddr = (Elf32_Addr)p->p_paddr,
            .p_filesz = (Elf32_Word)p->p_filesz,
            .p_memsz = (Elf32_Word)p->p_memsz,
            .p_align = (Elf32_Word)p->p_align,
        };

        memcpy(to + sizeof(h) + i * sizeof(narrow), &narrow, sizeof(narrow));
    }
}

static void write_file(struct trim *t, struct blob *out)
{
    uint64_t from[SEGMENTS_MAX];
    uint64_t at = sizeof(Elf64_Ehdr) + t->count * sizeof(Elf64_Phdr);

    for (unsigned int i = 0; i < t->count; i++) {
        Elf64_Phdr *p = &t->segment[i];

        from[i] = p->p_offset;
        p->p_offset = place_segment(at, p);
        at = p->p_offset + p->p_filesz;
    }
    out->data = xalloc(at + 1);
    out->len = at;
    (t->facts->is_64bit ? write_header64 : write_header32)(t, out->data);
    for (unsigned int i = 0; i < t->count; i++) {
        memcpy(out->data + t->segment[i].p_offset, t->elf->data + from[i],
               t->segment[i].p_filesz);
    }
}

bool elf_trim(const struct blob *elf, struct blob *out, struct elf_facts *facts,
              const char **why)
{
    struct trim t = {.elf = elf, .facts = facts, .why = why};

    memset(facts, 0, sizeof(*facts));
    if (!read_headers(&t)) {
        return false;
    }
    if (facts->segment_count == 0) {
        return refuse(&t, "the ELF file loads nothing");
    }
    if (!t.has_entry) {
        return refuse(&t, "the ELF file has no PVH entry note (XEN_ELFNOTE_"
                          "PHYS32_ENTRY)");
    }
    write_file(&t, out);
    return true;
}
