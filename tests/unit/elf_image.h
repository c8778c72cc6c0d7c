/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes small ELF executables for tests: a few segments with recognisable
 * bytes and the PVH entry note, in either class. Tests then damage them.
 */
#pragma once

#include <elf.h>
#include <stdint.h>
#include <string.h>

#define ELF_IMAGE_SIZE 8192u
#define ELF_IMAGE_NOTE_AT 0x200u
#define ELF_IMAGE_DATA_AT 0x1000u

struct elf_image_plan {
    unsigned class; /* ELFCLASS32 or ELFCLASS64 */
    unsigned loads; /* 0 .. 3 */
    uint64_t paddr[3];
    uint64_t filesz[3];
    uint64_t memsz[3];
    uint64_t entry;
    unsigned entry_size; /* 4 or 8; 0: no note */
};

static inline struct elf_image_plan elf_image_default(unsigned class)
{
    return (struct elf_image_plan){
        .class = class,
        .loads = 2,
        .paddr = {0x100000, 0x110000},
        .filesz = {0x800, 0x400},
        .memsz = {0x800, 0x3000},
        .entry = 0x100040,
        .entry_size = class == ELFCLASS64 ? 8 : 4,
    };
}

/* Two notes: one to be skipped, with an odd name, then the entry. */
static inline size_t elf_image_notes(uint8_t *at,
                                     const struct elf_image_plan *p)
{
    const Elf32_Nhdr other = {6, 5, 1};
    const Elf32_Nhdr entry = {4, p->entry_size, 18};
    uint8_t *start = at;

    memcpy(at, &other, sizeof(other));
    memcpy(at + 12, "Other\0\0\0hello\0\0\0", 16);
    at += 28;
    if (p->entry_size != 0) {
        memcpy(at, &entry, sizeof(entry));
        memcpy(at + 12, "Xen", 4);
        memcpy(at + 16, &p->entry, p->entry_size);
        at += 16 + p->entry_size;
    }
    return (size_t)(at - start);
}

static inline void elf_image_phdr(uint8_t *image,
                                  const struct elf_image_plan *p, unsigned i,
                                  uint32_t type, uint64_t offset,
                                  uint64_t paddr, uint64_t filesz,
                                  uint64_t memsz)
{
    if (p->class == ELFCLASS64) {
        const Elf64_Phdr h = {.p_type = type,
                              .p_offset = offset,
                              .p_paddr = paddr,
                              .p_filesz = filesz,
                              .p_memsz = memsz,
                              .p_align = 4};

        memcpy(image + sizeof(Elf64_Ehdr) + i * sizeof(h), &h, sizeof(h));
    } else {
        const Elf32_Phdr h = {.p_type = type,
                              .p_offset = (uint32_t)offset,
                              .p_paddr = (uint32_t)paddr,
                              .p_filesz = (uint32_t)filesz,
                              .p_memsz = (uint32_t)memsz,
                              .p_align = 4};

        memcpy(image + sizeof(Elf32_Ehdr) + i * sizeof(h), &h, sizeof(h));
    }
}

static inline void elf_image_header(uint8_t *image,
                                    const struct elf_image_plan *p,
                                    unsigned phnum)
{
    if (p->class == ELFCLASS64) {
        const Elf64_Ehdr h = {
            .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
            .e_type = ET_EXEC,
            .e_machine = EM_X86_64,
            .e_version = 1,
            .e_phoff = sizeof(h),
            .e_ehsize = sizeof(h),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = (uint16_t)phnum,
        };

        memcpy(image, &h, sizeof(h));
    } else {
        const Elf32_Ehdr h = {
            .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
            .e_type = ET_EXEC,
            .e_machine = EM_386,
            .e_version = 1,
            .e_phoff = sizeof(h),
            .e_ehsize = sizeof(h),
            .e_phentsize = sizeof(Elf32_Phdr),
            .e_phnum = (uint16_t)phnum,
        };

        memcpy(image, &h, sizeof(h));
    }
}

/** Writes the image into `image[ELF_IMAGE_SIZE]`. Byte k of segment i is
 * (k * 7 + i). */
static inline void elf_image_make(uint8_t *image,
                                  const struct elf_image_plan *p)
{
    size_t notes;
    uint64_t at = ELF_IMAGE_DATA_AT;

    memset(image, 0, ELF_IMAGE_SIZE);
    elf_image_header(image, p, p->loads + 1);
    notes = elf_image_notes(image + ELF_IMAGE_NOTE_AT, p);
    elf_image_phdr(image, p, 0, PT_NOTE, ELF_IMAGE_NOTE_AT, 0, notes, notes);
    for (unsigned i = 0; i < p->loads; i++) {
        elf_image_phdr(image, p, i + 1, PT_LOAD, at, p->paddr[i], p->filesz[i],
                       p->memsz[i]);
        for (uint64_t k = 0; k < p->filesz[i] && at + k < ELF_IMAGE_SIZE; k++) {
            image[at + k] = (uint8_t)(k * 7 + i);
        }
        at += p->filesz[i];
    }
}
