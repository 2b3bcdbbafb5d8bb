"""Text that is safe to show: what could steer a terminal is written out.

Floor 0. Owns the escaping; must not know where text goes.
"""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return `text` with everything that could steer a terminal written out (`\x1b`, `\n`, `\u202e`)."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _written_out(character) for character in text
    )


def printable_block(text: str) -> str:
    """Like `printable`, but line ends and tabs stay: for tracebacks."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _written_out(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
