"""Whois over HTTP: the path is the question, the registry's answer is the body as it arrives.

    curl http://localhost:8787/example.com
    curl http://localhost:8787/2001:db8::

env: WHOIS = "whois.iana.org:43". The protocol is RFC 3912: the client sends a line, the server answers and closes.
"""

from urllib.parse import unquote, urlsplit

from cloudflare.sockets import connect
from workers import Request, Response, WorkerEntrypoint

QUESTION_LIMIT_BYTES = 255


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /question: ask the server at env.WHOIS."""
        question = unquote(urlsplit(request.url).path[1:]).strip()
        line = question.encode()
        if not question.isprintable() or not 0 < len(line) <= QUESTION_LIMIT_BYTES:
            return Response("Ask for one name or address: /example.com\n", status=400)

        socket = connect(self.env.WHOIS)
        writer = socket.writable.get_writer()
        writer.write(line + b"\r\n")  # It waits for the connection by itself.
        try:
            await socket.opened
        except Exception as error:
            return Response(f"{error}\n", status=502)
        return Response(socket.readable, headers={"Content-Type": "text/plain"})
