"""PostgreSQL over HTTP: a statement goes in, its rows come out as lines of JSON while they arrive.

    curl 'http://localhost:8787/?q=select+*+from+pg_tables'
    curl 'http://localhost:8787/?q=select+$1::int+*+$2::int+as+product&p=6&p=7'
    curl http://localhost:8787/ --data 'select generate_series(1, 1000000) as n'

env: POSTGRES ("localhost:5432"), POSTGRES_USER, POSTGRES_PASSWORD (a secret), POSTGRES_DATABASE. Whoever reaches this
worker may ask whatever that user may. The protocol is in postgres_session.py: TLS always, log-in by SCRAM-SHA-256.
"""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cloudflare.sockets import connect
from postgres_session import LoginError, Session, StatementError
from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """Run one statement, from ?q= or the body, with a ?p= for each of its parameters $1, $2, ..."""
        asked = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        posted = request.method == "POST"
        statement = await request.text() if posted else asked.get("q", [""])[0]
        values = asked.get("p", [])
        if not statement.strip() or "\0" in "".join([statement, *values]):
            return Response("Ask with ?q=select... or POST the statement.\n", status=400)
        lines = answer(self.env, statement, values)
        try:
            first = await anext(lines, b"")  # A statement that fails at once is no half body.
        except StatementError as error:
            return Response(f"{error}\n", status=400)
        except LoginError as error:
            print(f"PostgreSQL at {self.env.POSTGRES} refuses to log in. {error.told}")
            return Response(f"{error}\n", status=502)
        except OSError as error:
            return Response(f"{error}\n", status=502)
        return Response(joined(first, lines), headers={"Content-Type": "application/x-ndjson"})


async def answer(env: Any, statement: str, values: list[str]) -> AsyncIterator[bytes]:
    """Yield a line of JSON for each row. The connection is open as long as somebody reads them."""
    session = await Session.open(
        connect(env.POSTGRES, secure_transport="starttls"),
        env.POSTGRES_USER,
        env.POSTGRES_PASSWORD,
        env.POSTGRES_DATABASE,
    )
    try:
        async for row in session.run(statement, values):
            yield json.dumps(row).encode() + b"\n"
    finally:
        session.close()


async def joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for line in rest:
        yield line
