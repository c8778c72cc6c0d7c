; SPDX-License-Identifier: MIT
; Every port, every width, both directions, with noise for data, but for those
; that end or restart the machine; then memory where none is.
%include "real.inc"

program:
        say `begin\n`
        call big_real
        mov esi, 0x2545f491     ; noise
        xor di, di
.port:  mov dx, di
        call is_fatal
        jc .next
        in al, dx
        call noise
        out dx, al
        in ax, dx
        call noise
        out dx, ax
        in eax, dx
        call noise
        out dx, eax
.next:  mov ax, 1
        cmp di, 0x800           ; where the devices are: every one
        jb .step
        mov al, 61
.step:  add di, ax
        jnc .port
        say `ports\n`

        ; Several at once, from and to memory.
        xor di, di
.many:  mov dx, di
        call is_fatal
        jc .skip
        push di
        push esi
        mov di, 0x2000
        mov cx, 3
        rep insb
        mov cx, 3
        rep insw
        mov si, 0x2000
        mov cx, 2
        rep outsd
        pop esi
        pop di
.skip:  add di, 37
        jnc .many
        say `strings\n`

        ; Holes, ROM and device pages.
        mov ebx, 0xe0000000
.hole:  call noise
        mov [ebx], eax
        mov al, [ebx + 1]
        mov [ebx + 2], ax
        mov eax, [ebx + 4]
        lock inc byte [ebx]
        add ebx, 0x00011003
        jnc .hole
        say `memory\n`
        finish

noise:
        mov eax, esi
        shl eax, 13
        xor esi, eax
        mov eax, esi
        shr eax, 17
        xor esi, eax
        mov eax, esi
        shl eax, 5
        xor esi, eax
        mov eax, esi
        ret

; Carry: an access of 4 bytes at DI would reset the machine, switch it off, or
; write to the console.
is_fatal:
        push si
        mov si, fatal
.look:  cs lodsw
        test ax, ax
        jz .no
        sub ax, di
        cmp ax, 4
        jae .look
        pop si
        stc
        ret
.no:    pop si
        clc
        ret

fatal:  dw 0x60, 0x64, 0x92, 0xe9, 0xcf8, 0xcf9, 0xcfc, 0xcfd, 0xcfe, 0xcff
        dw 0x3f8, 0x514, 0x518
        dw 0x604, 0x605
        dw 0

        rom_end
