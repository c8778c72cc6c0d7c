; SPDX-License-Identifier: MIT
; A vector table without room for any vector, then an exception: no handler can
; be found for it, nor for what follows from that.
%include "real.inc"

program:
        say `begin\n`
        lidt [cs:nothing]
        ud2
        say `not reached\n`
        finish

nothing:
        dw 0
        dd 0

        rom_end
