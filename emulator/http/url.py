"""URLs as Request and Response.redirect take them: parsed once, by the platform's own parser.

Floor 3. Owns the check that a URL is absolute, its normal form and its parts; must not know who asks. Source of the
behaviour: the WHATWG URL standard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator import errors

if TYPE_CHECKING:
    import ada_url


def normalized_url(url: str) -> str:
    """Return the absolute `url` in the standard's normal form. Raises TypeError for any other."""
    return _parsed(url).href


def path_and_query(url: str) -> tuple[str, str]:
    """Return the normal path of the absolute `url`, and its query without "?". Raises TypeError for any other."""
    parsed = _parsed(url)
    return parsed.pathname, parsed.search.removeprefix("?")


def host_of(url: str) -> str:
    """Return the host of the absolute `url` in normal form, without port. Raises TypeError for any other."""
    return _parsed(url).hostname


def _parsed(url: str) -> ada_url.URL:
    # Imported with the first URL that is parsed: the server's own requests never need it.
    import ada_url

    try:
        return ada_url.URL(url)
    except ValueError as error:
        raise TypeError(errors.URL_INVALID.format(url=url)) from error
