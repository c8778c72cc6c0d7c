/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: frames in console text. The first byte says how the rest is
 * cut. Whatever comes: nothing is lost or invented, every frame encodes back
 * to what came, and the cut does not matter.
 */
#include "fuzz.h"

#include <string.h>

#include "frame.h"

struct output {
    size_t text;
    size_t frames;
    uint32_t sum;
};

static void on_text(void *ctx, const char *bytes, size_t len)
{
    struct output *o = ctx;

    require(len > 0);
    o->text += len;
    o->sum = frame_crc(o->sum, bytes, len);
}

static void on_frame(void *ctx, char kind, const char *payload, size_t len)
{
    char again[FRAME_ROOM(FRAME_PAYLOAD_MAX)];
    struct output *o = ctx;
    size_t n;

    require(len <= FRAME_PAYLOAD_MAX && strlen(payload) == len);
    n = frame_encode(kind, payload, len, again);
    require(n == len + 11);
    o->frames += n;
    o->sum = frame_crc(o->sum, again, n);
}

static struct output feed(const char *bytes, size_t size, size_t piece)
{
    static struct frame_reader r;
    struct output o = {0};

    r = (struct frame_reader){
        .on_text = on_text, .on_frame = on_frame, .ctx = &o};
    for (size_t at = 0; at < size; at += piece) {
        frame_feed(&r, bytes + at, piece < size - at ? piece : size - at);
    }
    frame_flush(&r);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct output whole, cut;
    const char *bytes;

    if (size < 2) {
        return 0;
    }
    bytes = (const char *)data + 1;
    size--;
    whole = feed(bytes, size, size);
    cut = feed(bytes, size, data[0] + 1u);
    require(whole.text == cut.text && whole.frames == cut.frames &&
            whole.sum == cut.sum);
    /* A frame may have come with a '\r', which is left out. */
    require(whole.text + whole.frames <= size);
    require(whole.frames > 0 || whole.text == size);
    return 0;
}
