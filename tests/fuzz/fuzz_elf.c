/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: kernel images. Whatever the bytes, the parser must not read
 * outside them, and what it accepts must be loadable: ranges inside the file,
 * segments sorted and disjoint, the entry inside one of them.
 */
#include "fuzz.h"

#include <string.h>

#include "platform/elf.h"

static void require_loadable(const struct elf_image *image, size_t size)
{
    int holds_entry = 0;

    require(image->count >= 1 && image->count <= ELF_SEGMENT_MAX);
    for (unsigned i = 0; i < image->count; i++) {
        const struct elf_segment *s = &image->segment[i];

        require(s->offset <= size && s->file_size <= size - s->offset);
        require(s->mem_size >= s->file_size && s->mem_size > 0);
        require(s->paddr + s->mem_size > s->paddr);
        if (i > 0) {
            require(s[-1].paddr + s[-1].mem_size <= s->paddr);
        }
        holds_entry |=
            image->entry >= s->paddr && image->entry - s->paddr < s->file_size;
    }
    require(holds_entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_image image;
    const char *why = NULL;
    /* An exact copy at an odd address, so that any overrun is seen. */
    uint8_t *copy = malloc(size + 1);

    require(copy != NULL);
    memcpy(copy + 1, data, size);
    if (elf_parse(copy + 1, size, &image, &why) == 0) {
        require_loadable(&image, size);
    } else {
        require(why != NULL);
    }
    free(copy);
    return 0;
}
