/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Identity to handler, generated from the list of identities; and the two
 * handlers for what is not executed.
 */
#include "exec.h"

/* Undefined here and on the processor. */
int exec_undefined(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return raise_ud(e);
}

/*
 * Defined, but left to the processor. Vector extensions do not exist without
 * protected mode, which is decided here, not by the caller.
 */
int exec_unhandled(struct emul *e, const struct emul_insn *i)
{
    bool vector = i->map == EMUL_MAP_VEX || i->map == EMUL_MAP_EVEX ||
                  i->map == EMUL_MAP_XOP;

    return vector && !e->is_protected ? raise_ud(e) : EMUL_UNHANDLED;
}

emul_handler *const emul_handlers[EMUL_ID_COUNT] = {
#define EMUL_ID(name, handler) exec_##handler,
#include "ravelin/emul_ids.def"
#undef EMUL_ID
};

bool emul_id_is_emulated(unsigned id)
{
    return id < EMUL_ID_COUNT && emul_handlers[id] != exec_unhandled &&
           emul_handlers[id] != exec_undefined;
}
