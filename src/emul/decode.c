/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction decoder: prefixes, opcode map, ModRM and SIB, displacement,
 * immediates, each a step over a bounded cursor. It stops at the first error,
 * so a truncated instruction is told apart from an overlong or undefined one.
 * Threat surface: untrusted bytes; the cursor is the only way to read them.
 */
#include "decode.h"

/* EMUL_P_* bit of a legacy prefix; 0 if `byte` is none. */
static uint8_t prefix_bit(uint8_t byte)
{
    switch (byte) {
    case 0xf0:
        return EMUL_P_LOCK;
    case 0xf2:
        return EMUL_P_REPNE;
    case 0xf3:
        return EMUL_P_REP;
    case 0x66:
        return EMUL_P_66;
    case 0x67:
        return EMUL_P_67;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
        return EMUL_P_SEG;
    default:
        return 0;
    }
}

/* 64-bit mode ignores the overrides of ES, CS, SS and DS. */
static void note_segment(struct decoder *d, uint8_t byte)
{
    struct emul_insn *i = d->insn;

    if (byte >= 0x64) {
        i->seg = byte == 0x64 ? EMUL_FS : EMUL_GS;
        i->prefix |= EMUL_P_SEG;
    } else if (!is_long(d)) {
        i->seg = (byte >> 3) & 3;
        i->prefix |= EMUL_P_SEG;
    }
}

/* Reads all prefixes; the first opcode byte ends up in insn->opcode. */
static int take_prefixes(struct decoder *d)
{
    struct emul_insn *i = d->insn;

    for (;;) {
        uint8_t byte;
        int rc = take_byte(d, &byte);

        if (rc) {
            return rc;
        }
        uint8_t bit = prefix_bit(byte);
        if (bit == EMUL_P_SEG) {
            note_segment(d, byte);
        } else if (bit) {
            /* The last of F2 and F3 decides. */
            if (bit & (EMUL_P_REP | EMUL_P_REPNE)) {
                i->prefix &= (uint8_t) ~(EMUL_P_REP | EMUL_P_REPNE);
            }
            i->prefix |= bit;
        } else if (is_long(d) && (byte & 0xf0) == 0x40) {
            d->rex = byte & 0xf;
            i->prefix |= EMUL_P_REX;
            continue;
        } else {
            i->opcode = byte;
            return 0;
        }
        /* A REX that does not directly precede the opcode is ignored. */
        d->rex = 0;
        i->prefix &= (uint8_t)~EMUL_P_REX;
    }
}

static void use_desc(struct decoder *d, const struct opcode_desc *desc)
{
    d->id = desc->id;
    d->attr = desc->attr;
}

static int take_0f_opcode(struct decoder *d)
{
    struct emul_insn *i = d->insn;
    int rc = take_byte(d, &i->opcode);

    if (rc) {
        return rc;
    }
    i->map = EMUL_MAP_0F;
    use_desc(d, &emul_map_0f[i->opcode]);
    if (i->opcode == 0x0f) {
        i->map = EMUL_MAP_3DNOW;
    } else if (i->opcode == 0x38 || i->opcode == 0x3a) {
        i->map = i->opcode == 0x38 ? EMUL_MAP_0F38 : EMUL_MAP_0F3A;
        d->id = EMUL_I_OTHER;
        d->attr = A_M | (i->opcode == 0x3a ? IMM_U : IMM_NONE);
        rc = take_byte(d, &i->opcode);
    }
    return rc;
}

/* VEX, EVEX and XOP may follow none of these prefixes. */
static bool vector_prefix_bad(const struct decoder *d)
{
    return d->insn->prefix &
           (EMUL_P_LOCK | EMUL_P_REP | EMUL_P_REPNE | EMUL_P_66 | EMUL_P_REX);
}

/* Immediate of a VEX or EVEX opcode in the 0F map. */
static uint16_t vector_0f_attr(uint8_t opcode, enum emul_map map)
{
    if (opcode == 0x77 && map == EMUL_MAP_VEX) {
        return 0; /* VZEROUPPER, VZEROALL */
    }
    if ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
        (opcode >= 0xc4 && opcode <= 0xc6)) {
        return A_M | IMM_U;
    }
    return A_M;
}

static int set_vector_attr(struct decoder *d)
{
    struct emul_insn *i = d->insn;
    bool xop = i->map == EMUL_MAP_XOP;

    d->id = EMUL_I_OTHER;
    if (!xop && i->vmap == 1) {
        d->attr = vector_0f_attr(i->opcode, (enum emul_map)i->map);
    } else if (i->vmap == (xop ? 8 : 3)) {
        d->attr = A_M | IMM_U;
    } else if (i->vmap == (xop ? 9 : 2) ||
               (i->map == EMUL_MAP_EVEX && (i->vmap == 5 || i->vmap == 6))) {
        d->attr = A_M;
    } else if (xop && i->vmap == 10) {
        d->attr = A_M | IMM_D;
    } else {
        return EMUL_DECODE_INVALID;
    }
    return 0;
}

/*
 * The payload bytes hold R, X and B inverted in the top bits of the first,
 * except in the two-byte VEX form, which has R only. Outside 64-bit mode the
 * extension bits select nothing.
 */
static int take_vector_prefix(struct decoder *d, enum emul_map map,
                              unsigned payload)
{
    struct emul_insn *i = d->insn;
    uint8_t p[3] = {0, 0, 0};

    if (vector_prefix_bad(d)) {
        return EMUL_DECODE_INVALID;
    }
    for (unsigned n = 0; n < payload; n++) {
        int rc = take_byte(d, &p[n]);
        if (rc) {
            return rc;
        }
    }
    i->map = (uint8_t)map;
    i->vmap = payload == 1 ? 1 : p[0] & (map == EMUL_MAP_EVEX ? 7 : 0x1f);
    if (map == EMUL_MAP_EVEX && ((p[0] & 8) || !(p[1] & 4))) {
        return EMUL_DECODE_INVALID;
    }
    if (is_long(d)) {
        uint8_t rxb = (uint8_t)(~p[0] >> 5) & 7;
        d->rex = payload == 1 ? rxb & REX_R : rxb;
        if (payload > 1 && (p[1] & 0x80)) {
            d->rex |= REX_W;
        }
    }
    int rc = take_byte(d, &i->opcode);
    return rc ? rc : set_vector_attr(d);
}

/*
 * C4, C5, 62 and 8F start a vector prefix, or are LES, LDS, BOUND and POP:
 * outside 64-bit mode a memory form decides for the old meaning, and for 8F
 * a map number below 8 does.
 */
static int take_opcode(struct decoder *d)
{
    struct emul_insn *i = d->insn;

    use_desc(d, &emul_map_one[i->opcode]);
    if (i->opcode == 0x0f) {
        return take_0f_opcode(d);
    }
    if (i->opcode != 0xc4 && i->opcode != 0xc5 && i->opcode != 0x62 &&
        i->opcode != 0x8f) {
        return 0;
    }
    if (d->pos >= EMUL_INSN_MAX) {
        return EMUL_DECODE_LONG;
    }
    if (d->pos >= d->nbytes) {
        return EMUL_DECODE_MORE;
    }
    uint8_t next = d->bytes[d->pos];
    if (i->opcode == 0x8f) {
        return (next & 0x1f) < 8 ? 0 : take_vector_prefix(d, EMUL_MAP_XOP, 2);
    }
    if (!is_long(d) && next < 0xc0) {
        return 0;
    }
    if (i->opcode == 0x62) {
        return take_vector_prefix(d, EMUL_MAP_EVEX, 3);
    }
    return take_vector_prefix(d, EMUL_MAP_VEX, i->opcode == 0xc4 ? 2 : 1);
}

/* Replaces the group by its member, keeping the opcode's own attributes. */
static void resolve_group(struct decoder *d)
{
    const struct emul_insn *i = d->insn;

    if (!(d->attr & A_G)) {
        return;
    }
    unsigned member = (i->modrm >> 3) & 7;
    if (d->id == GRP_7 && i->modrm >= 0xc0) {
        d->id = emul_group7_reg[i->modrm & 0x3f];
        return;
    }
    if (!(i->flags & EMUL_F_MEM)) {
        member += 8;
    }
    const struct opcode_desc *m = &emul_groups[d->id].member[member];
    d->id = m->id;
    d->attr |= m->attr;
}

static void refine_0f(struct decoder *d)
{
    uint8_t prefix = d->insn->prefix;

    switch (d->insn->opcode) {
    case 0x78: /* EXTRQ and INSERTQ share the byte with VMREAD */
        if (prefix & (EMUL_P_66 | EMUL_P_REPNE)) {
            d->id = EMUL_I_OTHER;
            d->attr |= IMM_BB;
        }
        break;
    case 0x79:
        if (prefix & (EMUL_P_66 | EMUL_P_REPNE)) {
            d->id = EMUL_I_OTHER;
        }
        break;
    case 0xae: /* with a prefix these are not fences */
        if (d->id == EMUL_I_FENCE &&
            (prefix & (EMUL_P_66 | EMUL_P_REP | EMUL_P_REPNE))) {
            d->id = EMUL_I_OTHER;
        }
        break;
    case 0xb8:
        if (!(prefix & EMUL_P_REP)) {
            d->id = EMUL_I_INVALID;
        }
        break;
    case 0xbc:
        d->id = prefix & EMUL_P_REP ? EMUL_I_TZCNT : EMUL_I_BSF;
        break;
    case 0xbd:
        d->id = prefix & EMUL_P_REP ? EMUL_I_LZCNT : EMUL_I_BSR;
        break;
    default:
        break;
    }
}

/* Identities that depend on prefixes or the mode. */
static void refine(struct decoder *d)
{
    struct emul_insn *i = d->insn;

    if (i->map == EMUL_MAP_0F) {
        refine_0f(d);
    } else if (i->map == EMUL_MAP_0F38 && (i->opcode & 0xfe) == 0xf0 &&
               !(i->prefix & (EMUL_P_REP | EMUL_P_REPNE))) {
        d->id = i->opcode & 1 ? EMUL_I_MOVBE_STORE : EMUL_I_MOVBE_LOAD;
    } else if (i->map == EMUL_MAP_ONE && i->opcode == 0x63 && is_long(d)) {
        d->id = EMUL_I_MOVSXD;
    } else if (i->map == EMUL_MAP_ONE && i->opcode == 0x90 &&
               !(d->rex & REX_B)) {
        d->id = i->prefix & EMUL_P_REP ? EMUL_I_PAUSE : EMUL_I_NOP;
    } else if (i->map == EMUL_MAP_ONE && (i->opcode & 0xfe) == 0xc6 &&
               d->id == EMUL_I_OTHER && i->modrm != 0xf8) {
        d->id = EMUL_I_INVALID; /* only F8 is XABORT or XBEGIN */
    }
}

static void set_opsize(struct decoder *d)
{
    struct emul_insn *i = d->insn;
    bool narrow = i->prefix & EMUL_P_66;

    if (d->attr & A_B) {
        i->opsize = 1;
    } else if (!is_long(d)) {
        i->opsize = narrow == (d->mode == EMUL_MODE_16) ? 4 : 2;
    } else if ((d->rex & REX_W) || (d->attr & A_F64) ||
               ((d->attr & A_BR) && d->mode == EMUL_MODE_64)) {
        i->opsize = 8;
    } else if (narrow) {
        i->opsize = 2;
    } else {
        i->opsize = d->attr & (A_D64 | A_BR) ? 8 : 4;
    }
}

static void set_adsize(struct decoder *d)
{
    struct emul_insn *i = d->insn;
    bool toggled = i->prefix & EMUL_P_67;

    if (is_long(d)) {
        i->adsize = toggled ? 4 : 8;
    } else {
        i->adsize = toggled == (d->mode == EMUL_MODE_16) ? 4 : 2;
    }
}

static bool encoding_is_bad(const struct decoder *d)
{
    const struct emul_insn *i = d->insn;

    if (d->id == EMUL_I_INVALID || ((d->attr & A_X64) && is_long(d))) {
        return true;
    }
    return (i->prefix & EMUL_P_LOCK) &&
           !((d->attr & A_LK) && (i->flags & EMUL_F_MEM));
}

static int decode_body(struct decoder *d)
{
    int rc = take_prefixes(d);

    if (rc == 0) {
        set_adsize(d);
        rc = take_opcode(d);
    }
    if (rc == 0 && (d->attr & A_M)) {
        rc = emul_decode_modrm(d);
    }
    if (rc) {
        return rc;
    }
    resolve_group(d);
    refine(d);
    if (encoding_is_bad(d)) {
        return EMUL_DECODE_INVALID;
    }
    set_opsize(d);
    return emul_decode_imm(d);
}

int emul_decode(struct emul_insn *out, const uint8_t *bytes, unsigned nbytes,
                enum emul_mode mode)
{
    struct decoder d = {
        .insn = out, .bytes = bytes, .nbytes = nbytes, .mode = mode};

    *out = (struct emul_insn){
        .seg = EMUL_DS, .base = EMUL_REG_ZERO, .index = EMUL_REG_ZERO};
    int rc = decode_body(&d);
    if (rc) {
        return rc;
    }
    emul_decode_registers(&d);
    out->id = d.id;
    out->len = (uint8_t)d.pos;
    return 0;
}

static const char *const id_names[EMUL_ID_COUNT] = {
#define EMUL_ID(name, handler) #name,
#include "ravelin/emul_ids.def"
#undef EMUL_ID
};

const char *emul_id_name(unsigned id)
{
    return id < EMUL_ID_COUNT ? id_names[id] : "?";
}
