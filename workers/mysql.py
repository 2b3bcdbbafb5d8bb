"""MySQL and MariaDB over HTTP: a statement goes in, its rows come out as JSON.

    curl http://localhost:8787/ -d 'SELECT 1 AS one, NULL AS none'
    {"columns": ["one", "none"], "rows": [[1, null]]}

Variables: MYSQL ("host:port"), MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE if any, and MYSQL_TLS="off" for a server
without it. Whoever reaches this worker may do what MYSQL_USER may: have your own statements here before you deploy it.

Numbers come as JSON numbers, but DECIMAL as a string that stays exact; binary strings come as base64.
"""

import asyncio

from asyncio_streams import open_streams
from cloudflare.sockets import connect
from mysql_session import LoginError, ProtocolError, Session, StatementError
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """POST a statement: {"columns", "rows"}, or {"affected_rows", "last_insert_id"} when it gives no rows."""
        statement = await request.bytes()
        if request.method != "POST" or not statement.strip():
            return Response("POST one SQL statement.\n", status=400)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return Response.json(await self.ask(statement))
        except StatementError as error:
            answer = {"error": str(error), "code": error.code, "sqlstate": error.state}
            return Response.json(answer, status=400)
        except LoginError as error:
            print(f"MySQL refused the login: {error}")  # It names the user: for the terminal only.
            reason = f"The server refused the login: error {error.code} ({error.state})."
        except TimeoutError:
            return Response(f"No answer within {PATIENCE_SECONDS} seconds.\n", status=504)
        except asyncio.IncompleteReadError:
            reason = "The server closed the connection in the middle of the conversation."
        except (ProtocolError, OSError) as error:
            reason = str(error)
        return Response(f"{reason}\n", status=502)

    async def ask(self, statement: bytes) -> dict[str, object]:
        """Connect, log in, run one statement, leave."""
        tls = getattr(self.env, "MYSQL_TLS", "on") != "off"
        socket = connect(self.env.MYSQL, secure_transport="starttls" if tls else "off")
        session = Session(*await open_streams(socket))
        try:
            database = getattr(self.env, "MYSQL_DATABASE", "")
            await session.log_in(self.env.MYSQL_USER, self.env.MYSQL_PASSWORD, database, tls=tls)
            return await session.query(statement)
        finally:
            session.close()
