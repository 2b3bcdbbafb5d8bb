"""A server's certificate as far as a message quotes it: who it is for, who issued it, and when it is valid.

Floor 3. Owns the reading of DER; decides nothing about trust (OpenSSL has done that). Source: RFC 5280, section 4.1;
ITU-T X.690.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_SEQUENCE = 0x30
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87

_SUBJECT_ALT_NAME = bytes.fromhex("551d11")  # 2.5.29.17
_NAME_PARTS = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    bytes.fromhex("550406"): "C",
}
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be"}


class Certificate(NamedTuple):
    """What a message says of a certificate. `names` are the host names and IP addresses it is for."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


class _Item(NamedTuple):
    tag: int
    content: bytes


def read_certificate(der: bytes) -> Certificate:
    """Return what `der`, an X.509 certificate, says. Raises ValueError for anything else."""
    outer = _only(der, _SEQUENCE)
    signed = next(_items(outer), None)
    if signed is None:
        raise ValueError("an empty certificate")
    fields = [item for item in _items(signed.content) if item.tag != _VERSION]
    # Serial number, signature algorithm, issuer, validity, subject, public key, and what may follow.
    if len(fields) < 6:
        raise ValueError(f"a certificate of {len(fields)} fields")
    not_before, not_after = (_time(item) for item in _items(fields[3].content))
    return Certificate(
        subject=_name(fields[4].content),
        issuer=_name(fields[2].content),
        names=tuple(_alternative_names(fields[6:])),
        not_before=not_before,
        not_after=not_after,
    )


def _items(data: bytes) -> Iterator[_Item]:
    """Take `data` apart into tags and contents."""
    position = 0
    while position < len(data):
        tag, start, length = _header(data, position)
        position = start + length
        if position > len(data):
            raise ValueError("an item that is longer than what holds it")
        yield _Item(tag, data[start:position])


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    """Return an item's tag, where its content begins, and how long that is."""
    if position + 2 > len(data):
        raise ValueError("a cut item")
    tag, length, start = data[position], data[position + 1], position + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or start + count > len(data):
            raise ValueError("a length that can't be")
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    return tag, start, length


def _only(data: bytes, tag: int) -> bytes:
    """Return the content of the one item, tagged `tag`, that `data` is."""
    items = list(_items(data))
    if len(items) != 1 or items[0].tag != tag:
        raise ValueError(f"not one item of tag {tag:#x}")
    return items[0].content


def _name(content: bytes) -> str:
    """Return a distinguished name as "CN=…, O=…"; parts that a reader knows nothing by are left out."""
    parts = []
    for group in _items(content):
        for pair in _items(group.content):
            kind, value = _items(pair.content)
            if kind.content in _NAME_PARTS:
                parts.append(f"{_NAME_PARTS[kind.content]}={_text(value)}")
    return ", ".join(sorted(parts, key=lambda part: not part.startswith("CN=")))


def _text(item: _Item) -> str:
    return item.content.decode(_ENCODINGS.get(item.tag, "latin-1"), "replace")


def _time(item: _Item) -> datetime:
    text = item.content.decode("ascii")
    if item.tag == _UTC_TIME:
        text = f"{'19' if text[:2] >= '50' else '20'}{text}"
    elif item.tag != _GENERALIZED_TIME:
        raise ValueError(f"a time of tag {item.tag:#x}")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _alternative_names(rest: list[_Item]) -> Iterator[str]:
    for holder in rest:
        if holder.tag != _EXTENSIONS:
            continue
        for extension in _items(_only(holder.content, _SEQUENCE)):
            kind, *_, value = _items(extension.content)
            if kind.content == _SUBJECT_ALT_NAME:
                yield from _general_names(_only(value.content, _SEQUENCE))


def _general_names(content: bytes) -> Iterator[str]:
    for item in _items(content):
        if item.tag == _DNS_NAME:
            yield item.content.decode("ascii", "replace")
        elif item.tag == _IP_ADDRESS:
            yield str(ipaddress.ip_address(item.content))
