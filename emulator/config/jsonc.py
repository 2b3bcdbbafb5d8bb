"""JSON as settings files hold it: with comments and trailing commas.

Floor 1. Owns what is taken out before Python's own reader gets the text; must not know files or
keys. Everything keeps its place: what is taken out becomes spaces, so that a position in the result
is one in the file.
"""

from __future__ import annotations

import json
import re

STRING = r'"(?:[^"\\\n]|\\.)*"'
_STRING_OR_COMMENT = re.compile(rf"{STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_STRING_OR_LAST_COMMA = re.compile(rf"{STRING}|,(?=\s*[}}\]])")
_NOT_LINE_END = re.compile(r"[^\n]")


def loads(text: str) -> object:
    """Return what `text` says. Raises json.JSONDecodeError with the place of a mistake."""
    return json.loads(plain(text))


def plain(text: str) -> str:
    """Return `text` as JSON of the same length. Raises json.JSONDecodeError."""
    text = _STRING_OR_COMMENT.sub(_blank_comment, text)
    return _STRING_OR_LAST_COMMA.sub(_blank_comma, text)


def _blank_comment(match: re.Match[str]) -> str:
    found = match[0]
    if found[0] == '"':
        return found
    if found.startswith("/*") and (len(found) < 4 or not found.endswith("*/")):
        raise json.JSONDecodeError("Comment is never closed", match.string, match.start())
    return _NOT_LINE_END.sub(" ", found)


def _blank_comma(match: re.Match[str]) -> str:
    if match[0] != ",":
        return match[0]
    before = match.start() - 1
    while before >= 0 and match.string[before].isspace():
        before -= 1
    # A comma after nothing is a mistake, which the reader names.
    return "," if before < 0 or match.string[before] in "[{,:" else " "
