; SPDX-License-Identifier: MIT
; For ever, with interrupts closed.
%include "real.inc"

program:
        say `begin\n`
.loop:  jmp .loop

        rom_end
