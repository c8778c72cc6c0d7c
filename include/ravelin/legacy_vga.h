/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of a VGA in text mode. They are storage with the index and
 * flip-flop behaviour of the original; the memory at 0xa0000-0xbffff is plain
 * RAM of the guest, so planes, latches and fonts do nothing. What a person sees
 * comes from legacy_screen.h.
 *
 * Threat surface: ports and data are the guest's.
 * Ref: IBM "Personal System/2 Hardware Interface Technical Reference, Video
 *      Subsystem", "VGA Registers"; Bochs "VBE DISPI interface".
 */
#pragma once

#include "ravelin/types.h"

#define LEGACY_VGA_PORT 0x3b0u
#define LEGACY_VGA_PORT_COUNT 48u
/* Index and data of the display interface that Bochs defined, 16 bits each. */
#define LEGACY_VGA_DISPI_PORT 0x1ceu
#define LEGACY_VGA_DISPI_PORT_COUNT 3u

#define LEGACY_VGA_TEXT_GFN 0xb8u
#define LEGACY_VGA_TEXT_PAGES 8u
#define LEGACY_VGA_TEXT_SIZE (LEGACY_VGA_TEXT_PAGES * PAGE_SIZE)

/* Protected by the platform's lock. */
struct legacy_vga {
    uint8_t misc;
    uint8_t feature;
    uint8_t crtc_index;
    uint8_t crtc[32];
    uint8_t seq_index;
    uint8_t seq[8];
    uint8_t gc_index;
    uint8_t gc[16];
    uint8_t attr_index;
    bool attr_is_data; /* the flip-flop */
    uint8_t attr[32];
    uint8_t dac_mask;
    uint8_t dac_state; /* 0: set up for writing, 3: for reading */
    uint8_t dac_read_at;
    uint8_t dac_write_at;
    uint8_t dac_part; /* red, green, blue */
    uint8_t dac[256][3];
    uint8_t status_reads;
    uint16_t dispi_index;
    uint16_t dispi_id;
    uint16_t dispi_enable;
};

/* What the registers say about the text on the screen. */
struct legacy_vga_text {
    bool is_text;     /* of 0xb8000; false: graphics, mono or switched off */
    bool is_graphics; /* somebody has set a graphics mode */
    uint8_t columns;
    uint8_t rows;
    uint16_t pitch;  /* cells from one row to the next */
    uint16_t start;  /* of the screen: cell within the 32 KiB, wraps there */
    uint16_t cursor; /* likewise */
    bool cursor_on;
};

/** As after power-on, before any BIOS has set a mode: no text. */
void legacy_vga_reset(struct legacy_vga *vga);
uint32_t legacy_vga_read(struct legacy_vga *vga, uint16_t port, unsigned size);
/** True if the start address or the cursor was set: legacy_screen_moved()
 * should know now, or text may be lost. */
bool legacy_vga_write(struct legacy_vga *vga, uint16_t port, unsigned size,
                      uint32_t value);
void legacy_vga_text_get(const struct legacy_vga *vga,
                         struct legacy_vga_text *out);
