"""Chat: say something in an IRC channel, or listen to one as server-sent events until you go.

    # env: IRC = "irc.example.com:6697", IRC_TLS = "on" (the default) or "off", IRC_NICK, IRC_PASSWORD if it wants one
    curl -N http://localhost:8787/python                 # listen to #python
    curl http://localhost:8787/python -d 'Good morning'  # say something there, a line at a time

The protocol is RFC 2812. A nick that is in use gets a number at its end.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from urllib.parse import unquote, urlsplit

from asyncio_streams import open_streams
from cloudflare.sockets import connect
from irc_session import IrcError, IrcSession
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
LINES_LIMIT, LINE_LIMIT_BYTES = 20, 400  # A message has 512 bytes, of which the server needs some.
CHANNEL = re.compile(r"[^\x00-\x20\x7f,:]{1,49}")
CLOSED_TO_US = {
    "403",
    "404",
    "471",
    "473",
    "474",
    "475",
    "476",
}  # No such channel, full, invited only, banned, ...


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /CHANNEL: listen to it. POST /CHANNEL: say there what the body has."""
        name, said = unquote(urlsplit(request.url).path[1:]), (await request.text()).splitlines()
        said = [line for line in said if line.strip()]
        if not CHANNEL.fullmatch(name):
            return Response("A channel has 1 to 49 characters, no space, comma or colon.\n", 400)
        if request.method not in ("GET", "POST") or (request.method == "POST") != bool(said):
            return Response("GET to listen, POST what to say.\n", 405)
        if len(said) > LINES_LIMIT or not all(map(sayable, said)):
            return Response(
                f"{LINES_LIMIT} lines of {LINE_LIMIT_BYTES} bytes at most, no NUL.\n", 400
            )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as visit:
                transport = getattr(self.env, "IRC_TLS", "on")
                irc = IrcSession(
                    *await open_streams(connect(self.env.IRC, secure_transport=transport))
                )
                visit.callback(irc.leave)
                await irc.register(self.env.IRC_NICK, getattr(self.env, "IRC_PASSWORD", None))
                await irc.join(f"#{name}")
                if said:
                    await irc.say(f"#{name}", said)
                    return Response(f"Said in #{name} as {irc.nick}.\n")
                visit.pop_all()  # It goes on.
        except IrcError as error:
            return Response(f"{error}\n", 403 if str(error)[:3] in CLOSED_TO_US else 502)
        except (EOFError, ValueError):  # ValueError is the StreamReader's: the line is too long.
            return Response("The IRC server broke off in the middle of a line.\n", 502)
        except OSError as error:
            return Response(f"{str(error) or 'No answer in time.'}\n", 502)
        gone = asyncio.Event()
        self.ctx.wait_until(irc.leave_after(gone))
        return Response(irc.events(f"#{name}", gone), headers={"Content-Type": "text/event-stream"})


def sayable(line: str) -> bool:
    return len(line.encode()) <= LINE_LIMIT_BYTES and "\0" not in line
