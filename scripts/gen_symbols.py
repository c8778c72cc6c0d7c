# SPDX-License-Identifier: BSD-2-Clause
"""Writes the function table that src/debug/symbols.c searches.

Usage: gen_symbols.py NM ELF OUT.S

The table goes behind everything it describes, so linking it in does not move
any function, and the table made from the first link is right for the second.
"""

import os
import subprocess
import sys

CODE_TYPES = "tTwW"
NAME_MAX = 64


def functions(nm, elf):
    """(address, name) of all code symbols, one name per address, sorted."""
    out = subprocess.run([nm, "-n", "--defined-only", elf], check=True,
                         capture_output=True, text=True).stdout
    start = end = None
    by_address = {}
    for line in out.splitlines():
        address, kind, name = line.split(maxsplit=2)
        address = int(address, 16)
        if name == "__text_start":
            start = address
        elif name == "__text_end":
            end = address
        elif kind in CODE_TYPES and not name.startswith((".", "__image")):
            # A global name says more than a local one at the same place.
            if address not in by_address or kind in "TW":
                by_address[address] = name
    if start is None or end is None:
        sys.exit(f"{elf}: no __text_start or __text_end")
    found = [(a, n) for a, n in sorted(by_address.items()) if start <= a < end]
    if not found:
        sys.exit(f"{elf}: no functions")
    return start, end, found


def leb128(value):
    out = []
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return out


def stream(start, found):
    """Bytes of src/debug/symbols_table.h, one list per function."""
    before, last = start, ""
    for address, name in found:
        if len(name) >= NAME_MAX:
            sys.exit(f"{name}: longer than SYMBOLS_NAME_MAX")
        shared = len(os.path.commonprefix([last, name]))
        yield (leb128(address - before) + [shared] +
               list(name[shared:].encode("ascii")) + [0])
        before, last = address, name


def write_table(out, start, end, found):
    def label(name):
        out.write(f"\n    .balign 8\n    .global {name}\n{name}:\n")

    out.write("/* Generated from the first link; see gen_symbols.py. */\n")
    out.write('    .section .symbols, "a"\n')
    label("symbols_base")
    out.write(f"    .quad {start:#x}\n")
    label("symbols_end")
    out.write(f"    .quad {end:#x}\n")
    label("symbols_count")
    out.write(f"    .long {len(found)}\n")
    label("symbols_stream")
    for entry in stream(start, found):
        out.write(f"    .byte {', '.join(map(str, entry))}\n")
    out.write('\n    .section .note.GNU-stack, "", @progbits\n')


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    start, end, found = functions(sys.argv[1], sys.argv[2])
    with open(sys.argv[3], "w", encoding="ascii") as out:
        write_table(out, start, end, found)


if __name__ == "__main__":
    main()
