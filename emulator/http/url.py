"""URLs as Request and Response.redirect take them: parsed once, by the platform's own parser.

Floor 3. Owns the check that a URL is absolute and its normal form; must not know who asks. Source of the
behaviour: the WHATWG URL standard.
"""

from __future__ import annotations

from emulator import errors


def normalized_url(url: str) -> str:
    """Return the absolute `url` in the standard's normal form. Raises TypeError for any other."""
    # Imported with the first URL that a worker parses: the server's own requests never need it.
    import ada_url

    try:
        return ada_url.URL(url).href
    except ValueError as error:
        raise TypeError(errors.URL_INVALID.format(url=url)) from error
