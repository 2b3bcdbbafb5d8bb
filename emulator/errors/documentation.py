"""Where the platform documents itself.

Floor 0. Owns the address.
"""

from __future__ import annotations

DOCS = "https://developers.cloudflare.com/workers"
