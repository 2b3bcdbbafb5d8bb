"""Forms as bytes: multipart/form-data both ways, application/x-www-form-urlencoded read.

Floor 3. Owns the two notations and is the one door to `multipart`, the parser that CPython's documentation names
in place of `cgi`: one file, no dependencies, limits on what a part may hold; python-multipart has had a row of
denial-of-service advisories, and the standard library's email parser takes what is malformed without a word.
Source of the behaviour: RFC 7578, and the HTML standard for how names are escaped.
"""

from __future__ import annotations

import os
from urllib.parse import parse_qsl

from emulator import errors
from emulator.http.blob import File, encoded_text
from emulator.http.form_data import FormData

_MULTIPART = "multipart/form-data"
_URLENCODED = "application/x-www-form-urlencoded"
_ESCAPES = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})


def encode_form(form: FormData) -> tuple[bytes, str]:
    """Return `form` as a multipart body and the Content-Type that names its boundary."""
    boundary = f"----pyworker-form-{os.urandom(16).hex()}"
    delimiter = f"--{boundary}\r\n".encode()
    pieces: list[bytes] = []
    for name, value in form.entries():
        head = f'Content-Disposition: form-data; name="{name.translate(_ESCAPES)}"'
        if isinstance(value, File):
            content_type = value.content_type or "application/octet-stream"
            head += f'; filename="{value.name.translate(_ESCAPES)}"\r\nContent-Type: {content_type}'
            data = value.data
        else:
            data = encoded_text(value)
        pieces += (delimiter, encoded_text(head), b"\r\n\r\n", data, b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"{_MULTIPART}; boundary={boundary}"


def check_form_type(content_type: str | None) -> str:
    """Return `content_type`, which a form can be read by.

    Raises TypeError for none, and for one that is neither of the two notations.
    """
    if content_type is None:
        raise TypeError(errors.FORM_CONTENT_TYPE_MISSING)
    if _essence(content_type) not in (_MULTIPART, _URLENCODED):
        raise TypeError(errors.FORM_CONTENT_TYPE.format(content_type=content_type))
    return content_type


def decode_form(content_type: str, data: bytes) -> FormData:
    """Return the form that `data` is. Raises TypeError that says what is wrong with it."""
    if _essence(check_form_type(content_type)) == _MULTIPART:
        return _decode_multipart(content_type, data)
    form = FormData()
    for name, value in parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True):
        form.append(name, value)
    return form


def _decode_multipart(content_type: str, data: bytes) -> FormData:
    # Imported with the first form: few workers read one, and every worker starts.
    from multipart import (  # type: ignore[import-untyped]
        MultipartError,
        MultipartSegment,
        PushMultipartParser,
        parse_options_header,
    )

    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        raise TypeError(errors.FORM_BOUNDARY)
    form = FormData()
    segment = None
    pieces: list[bytes] = []
    try:
        with PushMultipartParser(boundary.encode("latin-1", "replace")) as parser:
            for event in parser.parse(data):
                if isinstance(event, MultipartSegment):
                    segment, pieces = event, []
                elif event:
                    pieces.append(event)
                elif segment is not None:
                    part_type = segment.header("Content-Type")
                    _append(form, segment.name, segment.filename, part_type, pieces)
    except MultipartError as error:
        raise TypeError(errors.FORM_MALFORMED.format(reason=error.args[0])) from error
    return form


def _append(
    form: FormData, name: str, filename: str | None, content_type: str | None, pieces: list[bytes]
) -> None:
    data = b"".join(pieces)
    if filename is None:
        form.append(name, data.decode("utf-8", "replace"))
    else:
        form.append(name, File(data, filename, content_type or "text/plain"))


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
