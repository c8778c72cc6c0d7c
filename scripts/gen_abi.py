#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Writes docs/abi/hypercalls.md from src/hypercall/table.def, or with --check
compares the two and fails if the document is out of date.

The table is C text: macro calls with numbers, names and adjacent string
literals. Only that is understood here; anything else is an error.
"""
import argparse
import re
import sys
from pathlib import Path

PERMS = {
    "PERM_ANY": "any domain, on itself",
    "PERM_CONTROL": "control",
    "PERM_HARDWARE": "hardware",
    "PERM_TARGET": "any on itself, control on others",
    "PERM_MONITOR": "control and the target's monitor, on others",
}

INTRO = """# Hypercalls

Generated from `src/hypercall/table.def` by `scripts/gen_abi.py`; do not edit.

Structures and numbers are in `include/public` and are those of the Xen 4.17
interface. The calling convention is Xen's: number in EAX/RAX, arguments in
RDI, RSI, RDX, R10, R8 (64-bit code) or EBX, ECX, EDX, ESI, EDI (otherwise;
upper halves are ignored), result in RAX. Argument registers are clobbered.

Common to all calls:

- from user mode, and from real mode: `-EPERM`;
- a number or operation that is not listed here: `-ENOSYS`;
- an operation that needs a role the caller lacks: `-EPERM`, before its
  argument is looked at;
- an argument that cannot be read or written: `-EFAULT`;
- a call that fails has changed nothing, except that results already stored in
  guest memory stay there and a list operation keeps what its return value
  counts;
- reserved fields must be zero (`-EINVAL`) where the operation says so; padding
  that existing guests leave uninitialised is ignored.

Operations marked "any on itself, control on others" name a domain: DOMID_SELF
or the caller's own id is always allowed; for another id `-EPERM` without the
control role, whether it exists or not, and `-ESRCH` if it does not exist or is
dying.
"""


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def split_args(text):
    """Splits at commas outside string literals."""
    args, current, in_string = [], "", False
    for c in text:
        if c == '"':
            in_string = not in_string
        if c == "," and not in_string:
            args.append(current)
            current = ""
        else:
            current += c
    args.append(current)
    return [a.strip() for a in args]


def value(arg):
    """Adjacent literals become one string; anything else stays as it is."""
    if arg.startswith('"'):
        rest = re.sub(r'"[^"]*"|\s', "", arg)
        if rest:
            raise ValueError(f"not a string literal: {arg!r}")
        return "".join(re.findall(r'"([^"]*)"', arg))
    return arg


def parse(path):
    text = strip_comments(path.read_text())
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    calls = []
    for m in re.finditer(r'(HYPERCALL|SUBOP)\(((?:[^()"]|"[^"]*")*)\)', text):
        kind, args = m[1], [value(a) for a in split_args(m[2])]
        if kind == "HYPERCALL":
            name, number, count, mask, doc = args
            calls.append((name, int(number), int(count), mask, doc, []))
        else:
            call, name, number, perm, arg, errors, doc = args
            if calls[-1][0] != call:
                raise ValueError(f"{call} {name}: out of place")
            calls[-1][5].append((name, int(number), perm, arg, errors, doc))
    return calls


def check(calls):
    for name, number, _, _, _, ops in calls:
        numbers = [op[1] for op in ops]
        if numbers != sorted(set(numbers)):
            raise ValueError(f"{name}: operations not in order or not unique")
        for op in ops:
            errors = op[4].split()
            if errors != sorted(set(errors)):
                raise ValueError(f"{name} {op[0]}: errors not in order")
            if op[2] not in PERMS:
                raise ValueError(f"{name} {op[0]}: permission {op[2]}")
            if op[2] in ("PERM_CONTROL", "PERM_HARDWARE", "PERM_TARGET") and \
                    name != "memory_op" and "EPERM" not in errors:
                raise ValueError(f"{name} {op[0]}: EPERM is missing")


def render(calls):
    out = [INTRO]
    for name, number, count, _, doc, ops in calls:
        out.append(f"\n## {name} ({number})\n\n{doc}\n")
        out.append(f"\nArguments: {count}.\n")
        out.append("\n| operation | number | who | argument | errors |\n"
                   "|---|---|---|---|---|\n")
        for op, n, perm, arg, errors, _ in ops:
            shown = ", ".join(errors.split()) or "-"
            out.append(f"| {op} | {n} | {PERMS[perm]} | {arg} | {shown} |\n")
        out.append("\n")
        for op, _, _, _, _, text in ops:
            out.append(f"- **{op}**: {text}\n")
    return "".join(out)


def main():
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--table", type=Path,
                        default=root / "src/hypercall/table.def")
    parser.add_argument("--out", type=Path,
                        default=root / "docs/abi/hypercalls.md")
    args = parser.parse_args()
    try:
        calls = parse(args.table)
        check(calls)
    except ValueError as e:
        sys.exit(f"{args.table}: {e}")
    text = render(calls)
    if not args.check:
        args.out.write_text(text)
    elif not args.out.exists() or args.out.read_text() != text:
        sys.exit(f"{args.out} is out of date: run scripts/gen_abi.py")


if __name__ == "__main__":
    main()
