; SPDX-License-Identifier: BSD-2-Clause
; Hardware task switches: JMP, CALL and IRET between 32-bit tasks, through a
; task gate from code and from the IDT with an error code, 16-bit tasks,
; busy tasks, bad segments in the new task, the debug trap bit.
%include "prog.inc"

start:
        say `=begin=\n`
        enter_protected main

        bits 32
%macro tss_fill 1               ; entry
        mov dword [tss2 + 0x20], %1
        mov dword [tss2 + 0x24], 0x2
        mov dword [tss2 + 0x28], 0x11111111
        mov dword [tss2 + 0x2c], 0x22222222
        mov dword [tss2 + 0x38], 0xc000
        mov dword [tss2 + 0x48], SEL_DATA
        mov dword [tss2 + 0x4c], SEL_CODE32
        mov dword [tss2 + 0x50], SEL_DATA
        mov dword [tss2 + 0x54], SEL_DATA
        mov dword [tss2 + 0x58], 0
        mov dword [tss2 + 0x5c], SEL_FLAT
        mov dword [tss2 + 0x60], SEL_LDT
        mov dword [tss2 + 0x64], 0
        mov byte [gdt + SEL_TSS2], 0x67
        mov byte [gdt + SEL_TSS2 + 5], 0x89
%endmacro

%macro show_state 0
        mov [seen_flags], eax
        pushfd
        pop eax
        and eax, 0x7fd5
        hex eax
        mov eax, [seen_flags]
        hex eax
        hex ecx
        hex esp
        str eax
        hex eax
        sldt eax
        hex eax
        mov eax, gs
        hex eax
        push dword 0
        mov ax, [tss2]
        mov [esp], ax
        call puthex_32
        movzx eax, byte [gdt + SEL_TSS + 5]
        hex eax
        movzx eax, byte [gdt + SEL_TSS2 + 5]
        hex eax
        mov eax, cr0
        and eax, 8
        hex eax
        clts
%endmacro

main:   load_data
        mov ax, SEL_TSS
        ltr ax
        clts

        say 'jmp: '
        tss_fill task_jmp
        stc
        jmp SEL_TSS2:0
        say 'back '
        show_state
        newline

        say 'call: '
        tss_fill task_call
        stc
        call SEL_TSS2:0x1234
        say 'back '
        show_state
        newline
        say 'call again: '
        mov dword [tss2 + 0x20], task_call
        call SEL_TSS2:0
        newline

        say 'gate: '
        tss_fill task_call
        call SEL_TGATE:0
        newline

        say 'int gate: '
        tss_fill task_int
        mov word [idt + 0x20 * 8 + 2], SEL_TSS2
        mov byte [idt + 0x20 * 8 + 5], 0xe5
        int 0x20
        say 'back '
        newline

        say 'fault through gate: '
        tss_fill task_fault
        mov word [idt + 11 * 8 + 2], SEL_TSS2
        mov byte [idt + 11 * 8 + 5], 0x85
        mov ax, SEL_SCREEN
        mov fs, ax
        say 'back '
        newline
        mov word [idt + 11 * 8 + 2], SEL_CODE32
        mov byte [idt + 11 * 8 + 5], 0x8e

        say '16-bit: '
        mov word [tss16 + 0x0e], task_16
        mov word [tss16 + 0x10], 0x2
        mov word [tss16 + 0x12], 0x4321
        mov word [tss16 + 0x1a], 0xb000
        mov word [tss16 + 0x22], SEL_DATA
        mov word [tss16 + 0x24], SEL_CODE32
        mov word [tss16 + 0x26], SEL_DATA16
        mov word [tss16 + 0x28], SEL_DATA
        mov word [tss16 + 0x2a], 0
        mov eax, 0x98765432
        mov ebx, 0x12345678
        call SEL_TSS16:0
        say 'back '
        hex eax
        hex ebx
        newline

        tss_fill task_jmp
        try 'busy', call own_task
        try 'absent segment', call bad_segment
        try 'bad cs', call bad_code
        try 'small tss', call small_tss
        tss_fill task_jmp
        mov byte [tss2 + 0x64], 1
        try 'trap bit', jmp SEL_TSS2:0
        finish

own_task:
        call SEL_TSS:0
        ret
small_tss:
        tss_fill task_jmp
        mov byte [gdt + SEL_TSS2], 0x60
        call SEL_TSS2:0
        ret
; These fault inside the new task; the handler goes back to the first one.
bad_segment:
        tss_fill task_jmp
        mov word [tss2 + 0x48], SEL_SCREEN
        mov dword [recover_eip], go_home
        mov dword [recover_esp], 0xa000
        call SEL_TSS2:0
        ret
bad_code:
        tss_fill task_jmp
        mov word [tss2 + 0x4c], SEL_DATA
        mov dword [recover_eip], go_home
        mov dword [recover_esp], 0xa000
        call SEL_TSS2:0
        ret
go_home:
        str eax
        hex eax
        and byte [gdt + SEL_TSS + 5], 0xfd      ; a CALL left it busy
        jmp SEL_TSS:0

task_jmp:
        show_state
        jmp SEL_TSS:0

task_call:
        show_state
        iret
        say 'second entry '
        iret

task_int:
        show_state
        iret

task_fault:
        say 'error '
        pop eax
        hex eax
        mov ebx, [tss + 0x20]   ; step over MOV FS
        hex ebx
        add dword [tss + 0x20], 2
        iret

task_16:                        ; upper register halves are undefined
        movzx esp, sp
        movzx eax, ax
        hex eax
        movzx eax, sp
        hex eax
        str eax
        hex eax
        iret

syscall_entry:
        iret
seen_flags: dd 0

        protected_tables
        protected_handlers
        program_end
