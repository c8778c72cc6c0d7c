/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA registers as storage. What has behaviour: the index registers, the
 * attribute controller's flip-flop, the colour table's automatic increment, the
 * write protection of the CRT controller, and the retrace bits, which change
 * with every read, so that nobody waits for them for long.
 *
 * Threat surface: ports and data are the guest's; every index is masked or
 * bounded before use.
 */
#include "ravelin/legacy_vga.h"

#include "ravelin/string.h"

#define PORT_CRTC_MONO 0x3b4u
#define PORT_STATUS_MONO 0x3bau
#define PORT_ATTR 0x3c0u
#define PORT_ATTR_READ 0x3c1u
#define PORT_MISC_WRITE 0x3c2u
#define PORT_ENABLE 0x3c3u
#define PORT_SEQ 0x3c4u
#define PORT_DAC_MASK 0x3c6u
#define PORT_DAC_READ 0x3c7u
#define PORT_DAC_WRITE 0x3c8u
#define PORT_DAC_DATA 0x3c9u
#define PORT_FEATURE_READ 0x3cau
#define PORT_MISC_READ 0x3ccu
#define PORT_GC 0x3ceu
#define PORT_CRTC 0x3d4u
#define PORT_STATUS 0x3dau
#define PORT_DISPI_INDEX 0x1ceu
#define PORT_DISPI_DATA 0x1cfu
#define PORT_DISPI_DATA_ALIGNED 0x1d0u

#define MISC_COLOUR 0x01u
#define ATTR_ENABLE 0x20u
#define ATTR_PALETTE_COUNT 16u
#define STATUS_0_SENSE 0x10u
#define STATUS_1_BLANK 0x01u
#define STATUS_1_RETRACE 0x08u

#define CRTC_COUNT 25u
#define SEQ_COUNT 5u
#define GC_COUNT 9u
#define ATTR_COUNT 21u

#define CRTC_WIDTH 0x01u
#define CRTC_OVERFLOW 0x07u
#define CRTC_SCAN_LINES 0x09u
#define CRTC_CURSOR_START 0x0au
#define CRTC_START_HIGH 0x0cu
#define CRTC_START_LOW 0x0du
#define CRTC_CURSOR_HIGH 0x0eu
#define CRTC_CURSOR_LOW 0x0fu
#define CRTC_RETRACE_END 0x11u
#define CRTC_HEIGHT 0x12u
#define CRTC_OFFSET 0x13u
#define CRTC_PROTECT 0x80u
#define OVERFLOW_LINE_COMPARE 0x10u

#define GC_MISC 0x06u
#define GC_MISC_GRAPHICS 0x01u
#define GC_MISC_MAP_MASK 0x0cu
#define GC_MISC_MAP_B8000 0x0cu
#define SEQ_CLOCKING 0x01u
#define SEQ_SCREEN_OFF 0x20u

#define DISPI_INDEX_ID 0u
#define DISPI_INDEX_ENABLE 4u
#define DISPI_ID_FIRST 0xb0c0u
#define DISPI_ID_LAST 0xb0c5u

void legacy_vga_reset(struct legacy_vga *vga)
{
    memset(vga, 0, sizeof(*vga));
    vga->dac_mask = 0xff;
    vga->dispi_id = DISPI_ID_LAST;
}

/* ---- CRT controller ---- */

/* Index or data, at whichever of its two places the controller is. */
static bool is_crtc(const struct legacy_vga *vga, uint16_t port)
{
    bool colour = (vga->misc & MISC_COLOUR) != 0;

    return (port & ~1u) == (colour ? PORT_CRTC : PORT_CRTC_MONO);
}

/* Ref: "Vertical Retrace End Register": protects registers 0 to 7 but for the
 * line compare bit. */
static uint8_t crtc_writable(const struct legacy_vga *vga, unsigned index)
{
    if ((vga->crtc[CRTC_RETRACE_END] & CRTC_PROTECT) == 0 ||
        index > CRTC_OVERFLOW) {
        return 0xff;
    }
    return index == CRTC_OVERFLOW ? OVERFLOW_LINE_COMPARE : 0;
}

static bool crtc_write(struct legacy_vga *vga, uint16_t port, uint8_t value)
{
    unsigned index = vga->crtc_index;
    uint8_t mask;

    if ((port & 1u) == 0) {
        vga->crtc_index = value & 0x1fu;
        return false;
    }
    if (index >= CRTC_COUNT) {
        return false;
    }
    mask = crtc_writable(vga, index);
    vga->crtc[index] = (uint8_t)((vga->crtc[index] & ~mask) | (value & mask));
    /* The lower halves are written last. */
    return index == CRTC_START_LOW || index == CRTC_CURSOR_LOW;
}

/* ---- Attribute controller ---- */

static void attr_write(struct legacy_vga *vga, uint8_t value)
{
    unsigned index = vga->attr_index & 0x1fu;

    if (!vga->attr_is_data) {
        vga->attr_index = value & 0x3fu;
    } else if (index < ATTR_COUNT && (index >= ATTR_PALETTE_COUNT ||
                                      (vga->attr_index & ATTR_ENABLE) == 0)) {
        vga->attr[index] = value;
    }
    vga->attr_is_data = !vga->attr_is_data;
}

/* Every read sees the next moment of a frame of sixteen. */
static uint8_t status_1_read(struct legacy_vga *vga)
{
    unsigned moment = vga->status_reads++ & 15u;

    vga->attr_is_data = false;
    if (moment >= 12) {
        return STATUS_1_RETRACE | STATUS_1_BLANK;
    }
    return (moment & 1u) != 0 ? STATUS_1_BLANK : 0;
}

/* ---- Colour table ---- */

static void dac_next(struct legacy_vga *vga, uint8_t *at)
{
    if (++vga->dac_part == 3) {
        vga->dac_part = 0;
        (*at)++;
    }
}

static uint8_t dac_data_read(struct legacy_vga *vga)
{
    uint8_t value = vga->dac[vga->dac_read_at][vga->dac_part];

    dac_next(vga, &vga->dac_read_at);
    return value;
}

static void dac_data_write(struct legacy_vga *vga, uint8_t value)
{
    vga->dac[vga->dac_write_at][vga->dac_part] = value & 0x3fu;
    dac_next(vga, &vga->dac_write_at);
}

static void dac_index_write(struct legacy_vga *vga, uint16_t port,
                            uint8_t value)
{
    vga->dac_part = 0;
    if (port == PORT_DAC_READ) {
        vga->dac_read_at = value;
        vga->dac_state = 3;
    } else {
        vga->dac_write_at = value;
        vga->dac_state = 0;
    }
}

/* ---- Display interface: there, but with no mode to offer ---- */

static uint16_t dispi_read(const struct legacy_vga *vga, uint16_t port)
{
    if (port == PORT_DISPI_INDEX) {
        return vga->dispi_index;
    }
    switch (vga->dispi_index) {
    case DISPI_INDEX_ID:
        return vga->dispi_id;
    case DISPI_INDEX_ENABLE:
        return vga->dispi_enable;
    default:
        return 0;
    }
}

static void dispi_write(struct legacy_vga *vga, uint16_t port, uint16_t value)
{
    if (port == PORT_DISPI_INDEX) {
        vga->dispi_index = value;
    } else if (vga->dispi_index == DISPI_INDEX_ID) {
        if (value >= DISPI_ID_FIRST && value <= DISPI_ID_LAST) {
            vga->dispi_id = value;
        }
    } else if (vga->dispi_index == DISPI_INDEX_ENABLE) {
        vga->dispi_enable = value & 0xfffeu; /* cannot be switched on */
    }
}

static bool is_dispi(uint16_t port, unsigned size)
{
    return size == 2 && (port == PORT_DISPI_INDEX || port == PORT_DISPI_DATA ||
                         port == PORT_DISPI_DATA_ALIGNED);
}

/* ---- Ports ---- */

static uint8_t pair_read(uint8_t index, const uint8_t *data, unsigned count,
                         uint16_t port)
{
    if ((port & 1u) == 0) {
        return index;
    }
    return index < count ? data[index] : 0;
}

static void pair_write(uint8_t *index, uint8_t index_mask, uint8_t *data,
                       unsigned count, uint16_t port, uint8_t value)
{
    if ((port & 1u) == 0) {
        *index = value & index_mask;
    } else if (*index < count) {
        data[*index] = value;
    }
}

static uint8_t byte_read(struct legacy_vga *vga, uint16_t port)
{
    bool colour = (vga->misc & MISC_COLOUR) != 0;

    if (is_crtc(vga, port)) {
        return pair_read(vga->crtc_index, vga->crtc, CRTC_COUNT, port);
    }
    if (port == (colour ? PORT_STATUS : PORT_STATUS_MONO)) {
        return status_1_read(vga);
    }
    switch (port) {
    case PORT_ATTR:
        return vga->attr_index;
    case PORT_ATTR_READ:
        return vga->attr[vga->attr_index & 0x1fu];
    case PORT_MISC_WRITE:
        return STATUS_0_SENSE;
    case PORT_ENABLE:
        return 1;
    case PORT_SEQ:
    case PORT_SEQ + 1:
        return pair_read(vga->seq_index, vga->seq, SEQ_COUNT, port);
    case PORT_DAC_MASK:
        return vga->dac_mask;
    case PORT_DAC_READ:
        return vga->dac_state;
    case PORT_DAC_WRITE:
        return vga->dac_write_at;
    case PORT_DAC_DATA:
        return dac_data_read(vga);
    case PORT_FEATURE_READ:
        return vga->feature;
    case PORT_MISC_READ:
        return vga->misc;
    case PORT_GC:
    case PORT_GC + 1:
        return pair_read(vga->gc_index, vga->gc, GC_COUNT, port);
    default:
        return 0xff;
    }
}

static bool byte_write(struct legacy_vga *vga, uint16_t port, uint8_t value)
{
    bool colour = (vga->misc & MISC_COLOUR) != 0;

    if (is_crtc(vga, port)) {
        return crtc_write(vga, port, value);
    }
    if (port == (colour ? PORT_STATUS : PORT_STATUS_MONO)) {
        vga->feature = value;
        return false;
    }
    switch (port) {
    case PORT_ATTR:
        attr_write(vga, value);
        break;
    case PORT_MISC_WRITE:
        vga->misc = value;
        break;
    case PORT_SEQ:
    case PORT_SEQ + 1:
        pair_write(&vga->seq_index, 0x07, vga->seq, SEQ_COUNT, port, value);
        break;
    case PORT_DAC_MASK:
        vga->dac_mask = value;
        break;
    case PORT_DAC_READ:
    case PORT_DAC_WRITE:
        dac_index_write(vga, port, value);
        break;
    case PORT_DAC_DATA:
        dac_data_write(vga, value);
        break;
    case PORT_GC:
    case PORT_GC + 1:
        pair_write(&vga->gc_index, 0x0f, vga->gc, GC_COUNT, port, value);
        break;
    default:
        break;
    }
    return false;
}

uint32_t legacy_vga_read(struct legacy_vga *vga, uint16_t port, unsigned size)
{
    uint32_t value = 0;

    if (is_dispi(port, size)) {
        return dispi_read(vga, port);
    }
    for (unsigned i = 0; i < size; i++) {
        value |= (uint32_t)byte_read(vga, (uint16_t)(port + i)) << (8 * i);
    }
    return value;
}

bool legacy_vga_write(struct legacy_vga *vga, uint16_t port, unsigned size,
                      uint32_t value)
{
    bool look = false;

    if (is_dispi(port, size)) {
        dispi_write(vga, port, (uint16_t)value);
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        look |=
            byte_write(vga, (uint16_t)(port + i), (uint8_t)(value >> (8 * i)));
    }
    return look;
}

/* ---- What is on the screen ---- */

static unsigned row_count(const struct legacy_vga *vga)
{
    unsigned over = vga->crtc[CRTC_OVERFLOW];
    unsigned lines =
        (vga->crtc[CRTC_HEIGHT] | (over & 0x02u) << 7 | (over & 0x40u) << 3) +
        1;
    unsigned height = (vga->crtc[CRTC_SCAN_LINES] & 0x1fu) + 1;

    if ((vga->crtc[CRTC_SCAN_LINES] & 0x80u) != 0) {
        lines /= 2; /* each is scanned twice */
    }
    return lines / height;
}

void legacy_vga_text_get(const struct legacy_vga *vga,
                         struct legacy_vga_text *out)
{
    uint8_t misc = vga->gc[GC_MISC];
    unsigned rows = row_count(vga);

    out->is_graphics = (misc & GC_MISC_GRAPHICS) != 0;
    out->is_text = !out->is_graphics &&
                   (misc & GC_MISC_MAP_MASK) == GC_MISC_MAP_B8000 &&
                   (vga->seq[SEQ_CLOCKING] & SEQ_SCREEN_OFF) == 0 && rows > 0;
    out->columns = (uint8_t)rv_min(vga->crtc[CRTC_WIDTH] + 1u, 255u);
    out->rows = (uint8_t)rv_min(rows, 255u);
    out->pitch = (uint16_t)(vga->crtc[CRTC_OFFSET] * 2u);
    out->start =
        (uint16_t)(vga->crtc[CRTC_START_HIGH] << 8 | vga->crtc[CRTC_START_LOW]);
    out->cursor = (uint16_t)(vga->crtc[CRTC_CURSOR_HIGH] << 8 |
                             vga->crtc[CRTC_CURSOR_LOW]);
    out->cursor_on = (vga->crtc[CRTC_CURSOR_START] & 0x20u) == 0;
}
