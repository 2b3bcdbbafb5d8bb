"""Which of several representations a client would rather have, by its Accept header.

Floor 6. Owns the header's grammar, its order of preference, and the forms in which a failure is told; must not know
what is told. Source: RFC 9110, section 12.5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

TEXT, HTML, JSON = "text/plain", "text/html", "application/json"
# The forms of a failure. A client that does not care, such as curl, gets text.
OFFERS = (TEXT, HTML, JSON)

# A parameter's value may be a quoted string, with commas and semicolons in it.
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r';\s*([^\s;=]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_EXACT, _ANY_SUBTYPE, _ANY = 2, 1, 0


class _Range(NamedTuple):
    """One media range of the header: `position` counts from the left."""

    type: str
    quality: float
    position: int


def preferred(offers: Sequence[str], headers: Iterable[str]) -> str:
    """Return the one of `offers`, media types, that `headers`, the values of Accept, ask for most.

    Among equals one that is named goes before one that a wildcard covers, then what is named first, then the offers'
    own order. The first offer where nothing is asked for, or nothing that is on offer.
    """
    ranges = _ranges(",".join(headers))
    if not ranges:
        return offers[0]
    best = max(range(len(offers)), key=lambda index: (*_rank(offers[index], ranges), -index))
    return offers[best] if _rank(offers[best], ranges)[0] > 0 else offers[0]


def _rank(offer: str, ranges: Sequence[_Range]) -> tuple[float, int, int]:
    """Return how much `offer` is wanted: quality, how closely it is named, and how early."""
    kind = offer.partition("/")[0]
    for closeness, pattern in ((_EXACT, offer), (_ANY_SUBTYPE, f"{kind}/*"), (_ANY, "*/*")):
        for each in ranges:
            if each.type == pattern:
                early = -each.position if closeness == _EXACT else -len(ranges)
                return each.quality, closeness, early
    return 0.0, _ANY, 0


def _ranges(header: str) -> list[_Range]:
    ranges = []
    for position, element in enumerate(_ELEMENT.findall(header)):
        media_type, separator, rest = element.partition(";")
        name = media_type.strip().lower()
        if "/" in name:
            ranges.append(_Range(name, _quality(separator + rest), position))
    return ranges


def _quality(parameters: str) -> float:
    """Return the weight among `parameters`: 1 where there is none, 0 for one that is no weight."""
    for name, value in _PARAMETER.findall(parameters):
        if name.lower() == "q":
            return float(value.strip()) if _QUALITY.fullmatch(value.strip()) else 0.0
    return 1.0
