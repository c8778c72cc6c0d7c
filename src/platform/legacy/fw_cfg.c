/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware configuration device. An item is a key and bytes; the directory
 * of the named ones is made up as it is read. Behind the end of an item come
 * zeros. Nothing can be written.
 *
 * Threat surface: selector, offsets by reading on and on, and DMA descriptors:
 * address and length are bounded, and the data go through the platform's copy.
 * Ref: QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device".
 */
#include "ravelin/legacy_fw_cfg.h"

#include "ravelin/errno.h"
#include "ravelin/string.h"

#define ID_TRADITIONAL 1u
#define ID_DMA 2u

#define KEY_WRITE_CHANNEL 0x4000u /* of old; means nothing */

#define DIR_HEADER 4u
#define DIR_ENTRY 64u
#define DIR_NAME_AT 8u

#define DMA_ERROR 0x01u
#define DMA_READ 0x02u
#define DMA_SKIP 0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE 0x10u

#define CHUNK 512u

/* ---- The table -------------------------------------------------------- */

static const struct legacy_fw_cfg_item *item_find(
    const struct legacy_fw_cfg *fw, uint16_t key)
{
    for (unsigned i = 0; i < fw->item_count; i++) {
        if (fw->item[i].key == key) {
            return &fw->item[i];
        }
    }
    return NULL;
}

static bool is_name_taken(const struct legacy_fw_cfg *fw, const char *name)
{
    for (unsigned i = 0; i < fw->item_count; i++) {
        if (strcmp(fw->item[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int item_add(struct legacy_fw_cfg *fw, uint16_t key, const void *data,
                    uint32_t size, struct legacy_fw_cfg_item **out)
{
    struct legacy_fw_cfg_item *item;

    if (key == FW_CFG_FILE_DIR || (key & KEY_WRITE_CHANNEL) != 0) {
        return -RV_EINVAL;
    }
    if (item_find(fw, key) != NULL) {
        return -RV_EEXIST;
    }
    if (fw->item_count == LEGACY_FW_CFG_ITEMS_MAX) {
        return -RV_ENOSPC;
    }
    item = &fw->item[fw->item_count++];
    *item = (struct legacy_fw_cfg_item){.key = key, .size = size, .data = data};
    *out = item;
    return 0;
}

static void number_put(struct legacy_fw_cfg_item *item, uint64_t value)
{
    for (unsigned i = 0; i < item->size; i++) {
        item->small[i] = (uint8_t)(value >> (8 * i));
    }
}

static bool is_number_size(unsigned size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

int legacy_fw_cfg_add(struct legacy_fw_cfg *fw, uint16_t key, const void *data,
                      uint32_t size)
{
    struct legacy_fw_cfg_item *item;

    if (data == NULL && size != 0) {
        return -RV_EINVAL;
    }
    return item_add(fw, key, data, size, &item);
}

int legacy_fw_cfg_number_add(struct legacy_fw_cfg *fw, uint16_t key,
                             uint64_t value, unsigned size)
{
    struct legacy_fw_cfg_item *item;
    int rc;

    if (!is_number_size(size)) {
        return -RV_EINVAL;
    }
    rc = item_add(fw, key, NULL, size, &item);
    if (rc == 0) {
        number_put(item, value);
    }
    return rc;
}

static int file_add(struct legacy_fw_cfg *fw, const char *name,
                    const void *data, uint32_t size,
                    struct legacy_fw_cfg_item **out)
{
    size_t length = strnlen(name, LEGACY_FW_CFG_NAME_MAX);
    int rc;

    if (length == 0 || length == LEGACY_FW_CFG_NAME_MAX) {
        return -RV_EINVAL;
    }
    if (is_name_taken(fw, name)) {
        return -RV_EEXIST;
    }
    rc = item_add(fw, (uint16_t)(FW_CFG_FILE_FIRST + fw->file_count), data,
                  size, out);
    if (rc == 0) {
        memcpy((*out)->name, name, length);
        fw->file_count++;
    }
    return rc;
}

int legacy_fw_cfg_file_add(struct legacy_fw_cfg *fw, const char *name,
                           const void *data, uint32_t size)
{
    struct legacy_fw_cfg_item *item;

    if (data == NULL && size != 0) {
        return -RV_EINVAL;
    }
    return file_add(fw, name, data, size, &item);
}

int legacy_fw_cfg_file_number_add(struct legacy_fw_cfg *fw, const char *name,
                                  uint64_t value, unsigned size)
{
    struct legacy_fw_cfg_item *item;
    int rc;

    if (!is_number_size(size)) {
        return -RV_EINVAL;
    }
    rc = file_add(fw, name, NULL, size, &item);
    if (rc == 0) {
        number_put(item, value);
    }
    return rc;
}

/* ---- Reading ---------------------------------------------------------- */

static uint8_t be32_byte(uint32_t value, unsigned at)
{
    return (uint8_t)(value >> (24 - 8 * at));
}

/* Entry `index` of the directory: size, key, two zero bytes, name. */
static uint8_t entry_byte(const struct legacy_fw_cfg *fw, unsigned index,
                          unsigned at)
{
    const struct legacy_fw_cfg_item *item =
        item_find(fw, (uint16_t)(FW_CFG_FILE_FIRST + index));

    if (item == NULL) {
        return 0;
    }
    if (at < 4) {
        return be32_byte(item->size, at);
    }
    if (at < DIR_NAME_AT) {
        return be32_byte((uint32_t)item->key << 16, at - 4);
    }
    return (uint8_t)item->name[at - DIR_NAME_AT];
}

static uint8_t directory_byte(const struct legacy_fw_cfg *fw, uint32_t offset)
{
    if (offset < DIR_HEADER) {
        return be32_byte(fw->file_count, offset);
    }
    offset -= DIR_HEADER;
    return entry_byte(fw, offset / DIR_ENTRY, offset % DIR_ENTRY);
}

static uint32_t selected_size(const struct legacy_fw_cfg *fw)
{
    if (fw->key == FW_CFG_FILE_DIR) {
        return DIR_HEADER + fw->file_count * DIR_ENTRY;
    }
    return fw->selected != NULL ? fw->selected->size : 0;
}

/* `n` bytes at the offset, all of them in the item. */
static void selected_read(const struct legacy_fw_cfg *fw, uint8_t *buf,
                          size_t n)
{
    const struct legacy_fw_cfg_item *item = fw->selected;
    const uint8_t *data;

    if (fw->key == FW_CFG_FILE_DIR) {
        for (size_t i = 0; i < n; i++) {
            buf[i] = directory_byte(fw, fw->offset + (uint32_t)i);
        }
        return;
    }
    data = item->data != NULL ? item->data : item->small;
    memcpy(buf, data + fw->offset, n);
}

/* The offset never passes the end. */
void legacy_fw_cfg_data_read(struct legacy_fw_cfg *fw, uint8_t *buf, size_t n)
{
    size_t left = selected_size(fw) - fw->offset;
    size_t here = rv_min(n, left);

    if (here != 0) {
        selected_read(fw, buf, here);
        fw->offset += (uint32_t)here;
    }
    memset(buf + here, 0, n - here);
}

static void item_select(struct legacy_fw_cfg *fw, uint16_t key)
{
    fw->key = key & (uint16_t)~KEY_WRITE_CHANNEL;
    fw->selected = item_find(fw, fw->key);
    fw->offset = 0;
}

/* ---- DMA -------------------------------------------------------------- */

static uint32_t be32_get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int dma_read(struct legacy_fw_cfg *fw, uint64_t to, uint32_t length)
{
    uint8_t buf[CHUNK];
    int rc = 0;

    if (length > LEGACY_FW_CFG_DMA_MAX) {
        return -RV_EINVAL;
    }
    while (length != 0 && rc == 0) {
        uint32_t n = rv_min(length, CHUNK);

        legacy_fw_cfg_data_read(fw, buf, n);
        rc = fw->host->copy(fw->host->ctx, to, buf, n, true);
        to += n;
        length -= n;
    }
    return rc;
}

static void data_skip(struct legacy_fw_cfg *fw, uint32_t length)
{
    fw->offset += rv_min(length, selected_size(fw) - fw->offset);
}

/* Descriptor: control, length, address; big-endian. */
static int dma_perform(struct legacy_fw_cfg *fw, const uint8_t *descriptor)
{
    uint32_t control = be32_get(descriptor);
    uint32_t length = be32_get(descriptor + 4);
    uint64_t address =
        (uint64_t)be32_get(descriptor + 8) << 32 | be32_get(descriptor + 12);

    if ((control & DMA_SELECT) != 0) {
        item_select(fw, (uint16_t)(control >> 16));
    }
    if ((control & DMA_READ) != 0) {
        return dma_read(fw, address, length);
    }
    if ((control & DMA_WRITE) != 0) {
        return -RV_EINVAL;
    }
    if ((control & DMA_SKIP) != 0) {
        data_skip(fw, length);
    }
    return 0;
}

static void dma_start(struct legacy_fw_cfg *fw, uint64_t at)
{
    uint8_t descriptor[16];
    uint8_t result[4] = {0};

    if (fw->host->copy(fw->host->ctx, at, descriptor, sizeof(descriptor),
                       false) != 0) {
        return;
    }
    if (dma_perform(fw, descriptor) != 0) {
        result[3] = DMA_ERROR;
    }
    /* A descriptor that has become unreachable is the guest's loss. */
    (void)!fw->host->copy(fw->host->ctx, at, result, sizeof(result), true);
}

/* ---- Ports ------------------------------------------------------------ */

static uint32_t dma_identify(unsigned at, unsigned size)
{
    static const char text[8] = "QEMU CFG";
    uint32_t value = 0;

    for (unsigned i = 0; i < size && at + i < sizeof(text); i++) {
        value |= (uint32_t)(uint8_t)text[at + i] << (8 * i);
    }
    return value;
}

uint32_t legacy_fw_cfg_read(struct legacy_fw_cfg *fw, uint16_t port,
                            unsigned size)
{
    uint8_t byte = 0;

    if (port >= LEGACY_FW_CFG_DMA) {
        return dma_identify(port - LEGACY_FW_CFG_DMA, size);
    }
    if (port == LEGACY_FW_CFG_DATA && size == 1) {
        legacy_fw_cfg_data_read(fw, &byte, 1);
    }
    return byte;
}

/* The DMA address is big-endian; its low half starts the transfer. */
void legacy_fw_cfg_write(struct legacy_fw_cfg *fw, uint16_t port, unsigned size,
                         uint32_t value)
{
    uint32_t half = __builtin_bswap32(value);

    if (port == LEGACY_FW_CFG_SELECTOR && size == 2) {
        item_select(fw, (uint16_t)value);
    } else if (port == LEGACY_FW_CFG_DMA && size == 4) {
        fw->dma_high = half;
    } else if (port == LEGACY_FW_CFG_DMA + 4 && size == 4) {
        uint64_t at = (uint64_t)fw->dma_high << 32 | half;

        fw->dma_high = 0;
        dma_start(fw, at);
    }
}

void legacy_fw_cfg_reset(struct legacy_fw_cfg *fw)
{
    item_select(fw, FW_CFG_SIGNATURE);
    fw->dma_high = 0;
}

void legacy_fw_cfg_init(struct legacy_fw_cfg *fw,
                        const struct legacy_host *host)
{
    memset(fw, 0, sizeof(*fw));
    fw->host = host;
    fw->item_count = 2;
    fw->item[0] = (struct legacy_fw_cfg_item){
        .key = FW_CFG_SIGNATURE, .size = 4, .small = "QEMU"};
    fw->item[1] = (struct legacy_fw_cfg_item){
        .key = FW_CFG_ID, .size = 4, .small = {ID_TRADITIONAL | ID_DMA}};
    legacy_fw_cfg_reset(fw);
}
