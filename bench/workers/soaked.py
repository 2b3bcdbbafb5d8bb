"""What the soak serves: `/what to do/port of a peer/name`. env.ACCOUNTS counts what it was given; env.OTHER answers."""

import asyncio
from typing import Any

from cloudflare.sockets import connect
from cloudflare.workers import Request, Response

HOST = "127.0.0.1"


async def on_fetch(request: Request, env: Any, ctx: Any) -> Response:
    """Do what the request's path says."""
    what, port, name = request.url.split("/")[-3:]
    env.ACCOUNTS.given.add(name)
    if what == "upload":
        return Response(await request.text())
    if what == "forget":
        await asyncio.Event().wait()
    if what == "raise":
        raise ValueError("as asked")
    if what == "spin":
        while True:
            pass
    if what == "background":
        ctx.wait_until(asyncio.sleep(0.2))
    if what == "service":
        response: Response = await env.OTHER.fetch(request)
        return response
    if what == "call":
        return Response(await env.OTHER.ask(f"{HOST}:{port}"))
    if what == "raw":
        reader, theirs = await asyncio.open_connection(HOST, int(port))
        theirs.write(b"hello")
        async with asyncio.timeout(1):
            return Response(await reader.read(1000))
    socket = connect(f"{HOST}:{port}")
    writer = socket.writable.get_writer()
    await writer.write(b"hello")
    if what == "stream":
        return Response(socket.readable)
    async with asyncio.timeout(1):
        result = await socket.readable.get_reader().read()
    return Response(result.value or b"")
