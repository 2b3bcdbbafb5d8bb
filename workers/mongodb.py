"""MongoDB over HTTP: insert documents, find them again.

    curl http://localhost:8787/things -d '[{"name": "lamp", "price": {"$numberDecimal": "9.90"}}]'
    {"inserted": [{"$oid": "6650f0..."}]}
    curl -g 'http://localhost:8787/things?filter={"name":"lamp"}&limit=10'
    [{"_id": {"$oid": "6650f0..."}, "name": "lamp", "price": {"$numberDecimal": "9.90"}}]
    curl http://localhost:8787/                            # What the server says of itself: hello

Variables: MONGODB ("host:port"), MONGODB_DATABASE, MONGODB_USER and MONGODB_PASSWORD if the server wants them (of the
database MONGODB_SOURCE, else "admin"), and MONGODB_TLS="off" for a server without TLS. Whoever reaches this worker may
do that. Documents are Extended JSON.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, unquote, urlsplit

from asyncio_streams import open_streams
from bson_codec import Document
from cloudflare.sockets import connect
from mongodb_session import CommandError, ProtocolError, Session
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
USUAL_LIMIT, LARGEST_LIMIT = 100, 10_000
UNAUTHORIZED = 13


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /: hello. GET /COLLECTION?filter=&limit=: documents. POST /COLLECTION: insert one, or a list of them."""
        url = urlsplit(request.url)
        collection, asked = unquote(url.path)[1:], parse_qs(url.query)
        if request.method not in ("GET", "POST") or (request.method == "POST" and not collection):
            return Response("GET /, GET /COLLECTION or POST /COLLECTION.\n", status=405)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if not collection:
                    return Response.json(await self.hello())
                if request.method == "POST":
                    return await self.insert(collection, documents_in(await request.text()))
                chosen = json.loads(asked.get("filter", ["{}"])[0])
                limit = int(asked.get("limit", [str(USUAL_LIMIT)])[0])
                if not isinstance(chosen, dict) or not 0 < limit <= LARGEST_LIMIT:
                    raise ValueError(f"A filter is a document, a limit 1 to {LARGEST_LIMIT}.")
                return Response.json(await self.find(collection, chosen, limit))
        except ValueError as error:
            return Response(f"This can't be asked for: {error}\n", status=400)
        except CommandError as error:
            answer = {"error": str(error), "code": error.code, "name": error.name}
            return Response.json(answer, status=403 if error.code == UNAUTHORIZED else 400)
        except TimeoutError:
            return Response(f"No answer within {PATIENCE_SECONDS} seconds.\n", status=504)
        except asyncio.IncompleteReadError:
            reason = "The server closed the connection in the middle of the conversation."
        except (ProtocolError, OSError) as error:
            reason = str(error)
        return Response(f"{reason}\n", status=502)

    async def hello(self) -> Document:
        async with self.session() as session:
            return await session.run("admin", {"hello": 1})

    async def insert(self, collection: str, documents: list[Document]) -> Response:
        """Insert in order; what comes after one that is refused is not inserted."""
        async with self.session() as session:
            command = {"insert": collection, "documents": documents}
            answer = await session.run(self.env.MONGODB_DATABASE, command)
        errors = answer.get("writeErrors", [])
        inserted = [document["_id"] for document in documents[: answer["n"]]]
        if errors:
            refused = {key: errors[0].get(key) for key in ("index", "code", "errmsg")}
            return Response.json({"inserted": inserted, "refused": refused}, status=409)
        return Response.json({"inserted": inserted})

    async def find(self, collection: str, chosen: Document, limit: int) -> list[Document]:
        """Return the documents that are like `chosen`, in as many batches as the server likes."""
        database = self.env.MONGODB_DATABASE
        async with self.session() as session:
            command: Document = {"find": collection, "filter": chosen, "limit": limit}
            cursor = (await session.run(database, command))["cursor"]
            documents: list[Document] = cursor["firstBatch"]
            while cursor["id"]:
                more = {"getMore": {"$numberLong": str(cursor["id"])}, "collection": collection}
                cursor = (await session.run(database, more))["cursor"]
                documents += cursor["nextBatch"]
            return documents

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Connect, log in if there is a user, and close at the end."""
        tls = getattr(self.env, "MONGODB_TLS", "on") != "off"
        socket = connect(self.env.MONGODB, secure_transport="on" if tls else "off")
        session = Session(*await open_streams(socket))
        try:
            if user := getattr(self.env, "MONGODB_USER", ""):
                source = getattr(self.env, "MONGODB_SOURCE", "admin")
                try:
                    await session.log_in(user, self.env.MONGODB_PASSWORD, source)
                except CommandError as error:
                    said = f"The server refused the login: error {error.code} ({error.name})."
                    raise ProtocolError(said) from None
            yield session
        finally:
            session.writer.close()


def documents_in(text: str) -> list[Document]:
    """Return the documents of a request, each with an _id. Raises ValueError."""
    documents = json.loads(text)
    if isinstance(documents, dict):
        documents = [documents]
    if not isinstance(documents, list) or not documents:
        raise ValueError("POST a document, or a list of them.")
    if not all(isinstance(document, dict) for document in documents):
        raise ValueError("Each of the list must be a document.")
    return [{"_id": {"$oid": object_id()}} | document for document in documents]


def object_id() -> str:
    """Return a new ObjectId: seconds since 1970, then chance."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"
