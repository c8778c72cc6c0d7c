; SPDX-License-Identifier: BSD-2-Clause
; Real mode: IVT, nested INT and IRET, faults as interrupts, strings with
; every prefix, stack frames, big-real mode.
%include "prog.inc"

start:
        say `=begin=\n`
        xor ax, ax
        mov es, ax
        mov word [es:0x21 * 4], int21
        mov word [es:0x21 * 4 + 2], cs
        mov word [es:0], divide
        mov word [es:2], cs
        mov word [es:4 * 4], overflow
        mov word [es:4 * 4 + 2], cs
        mov word [es:5 * 4], bounds
        mov word [es:5 * 4 + 2], cs
        mov word [es:6 * 4], undefined
        mov word [es:6 * 4 + 2], cs
        mov word [es:3 * 4], breakpoint
        mov word [es:3 * 4 + 2], cs
        mov word [es:1 * 4], trace
        mov word [es:1 * 4 + 2], cs

        say 'int: '
        mov ax, 0x1234
        stc
        sti
        int 0x21
        hex eax
        hexflags
        newline
        cli

        say 'div: '
        mov ax, 100
        mov bl, 0
        div bl
        newline
        say 'into: '
        mov al, 0x7f
        add al, 1
        into
        newline
        say 'bound: '
        mov ax, 11
        bound ax, [limits]
        newline
        say 'ud: '
        ud2
        newline
        say 'int3: '
        int3
        newline

        say 'trace: '
        mov cx, 0
        pushf
        pop ax
        or ax, 0x100
        push ax
        popf
        nop
        mov bx, ss
        mov ss, bx
        nop
        pushf
        pop ax
        and ax, 0xfeff
        push ax
        popf
        nop
        hex ecx
        newline

        say 'strings: '
        push ds
        pop es
        cld
        mov si, limits
        mov di, buffer
        mov cx, 5
        rep movsb
        hex esi
        hex edi
        std
        mov cx, 3
        rep stosw
        hex edi
        cld
        mov di, buffer
        mov al, [limits + 2]
        mov cx, 20
        repne scasb
        hex ecx
        hexflags
        mov si, limits
        mov di, buffer
        mov cx, 10
        repe cmpsb
        hex ecx
        hexflags
        mov ecx, 3
        mov edi, buffer
        a32 rep stosb
        hex ecx
        newline

        say 'far: '
        call (BASE >> 4) + 1:far_sub - 16
        hex eax
        mov bx, pointer
        call far [bx]
        hex eax
        push cs
        call near retf_sub
        hex eax
        newline

        say 'far jump: '
        mov bx, far_pointer
        jmp far [bx]
far_landing:
        mov ax, cs
        jmp (BASE >> 4):.home
.home:  hex eax
        newline

        say 'int1: '
        xor cx, cx
        db 0xf1
        hex ecx
        sidt [buffer]
        hex dword [buffer]
        newline

        say 'frame: '
        mov bp, 0x1111
        enter 8, 0
        mov [bp - 2], ax
        hex esp
        leave
        hex ebp
        pusha
        popa
        pushad
        popad
        hex esp
        push sp
        pop ax
        hex eax
        newline

        ; Big-real: a 4 GiB data limit survives the way back.
        say 'unreal: '
        cli
        lgdt [gdtr]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        mov bx, SEL_FLAT
        mov fs, bx
        and al, 0xfe
        mov cr0, eax
        jmp (BASE >> 4):.back
.back:  xor bx, bx
        mov fs, bx
        mov esi, BASE + limits
        mov eax, [fs:esi]
        hex eax
        smsw ax
        and eax, 15
        hex eax
        mov ax, fs
        hex eax
        newline

        say 'lmsw: '
        lgdt [gdtr]
        mov ax, 1
        lmsw ax
        mov bx, SEL_DATA16
        mov gs, bx
        mov ax, 0
        lmsw ax
        smsw ax
        and eax, 15
        hex eax
        mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp (BASE >> 4):.back2
.back2: sgdt [buffer]
        hex dword [buffer]
        newline
        finish

int21:  pushf
        pop ax
        and ax, 0xfd5
        iret
divide:
        say 'handler '
        push bp
        mov bp, sp
        add word [bp + 2], 2    ; past the DIV
        pop bp
        iret
overflow:
        say 'handler '
        iret
bounds: say 'handler '
        push bp
        mov bp, sp
        add word [bp + 2], 4
        pop bp
        iret
undefined:
        say 'handler '
        push bp
        mov bp, sp
        add word [bp + 2], 2
        pop bp
        iret
breakpoint:
        say 'handler '
        iret
trace:  inc cx
        iret
far_sub:
        mov ax, cs
        retf
retf_sub:
        mov ax, 0x77
        retf
limits: dw 1, 10, 0x5555, 0xaaaa
buffer: times 32 db 0
far_pointer: dw far_landing - 16, (BASE >> 4) + 1
pointer: dw far_sub - 32, (BASE >> 4) + 2

        protected_tables
syscall_entry equ 0
%assign v 0
%rep 32
exc_%+v equ 0
%assign v v+1
%endrep
        program_end
