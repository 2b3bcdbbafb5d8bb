"""hello on aiohttp with its access log: a line a request, as pyworker writes one, to the same kind of file."""

from __future__ import annotations

import logging

from bench.servers.aiohttp_bare import serve
from bench.servers.aiohttp_hello import handle

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    serve(handle)
