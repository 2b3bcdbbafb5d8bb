"""A socket's life as the page docs/sockets.md: its table as a diagram, and words around it.

Floor 3. Owns the page's text; `python -m emulator.sockets.diagram > docs/sockets.md` writes it anew.
"""

from __future__ import annotations

from emulator.sockets.state import OVER, TRANSITIONS, SocketEvent, SocketState

_PAGE = """\
# The life of a socket

Made from the table in `emulator/sockets/state.py`; to change this page, change the table or
`emulator/sockets/diagram.py` and run `python -m emulator.sockets.diagram > docs/sockets.md`.

`connect()` returns a Socket at once; name look-up, TCP and TLS go on behind it. Its state is in its
`repr()`: `<Socket db.example:5432 connecting>`.

{diagram}

| from | when | to |
| --- | --- | --- |
{rows}
What the table does not list changes nothing: a second `close()`, a reset after the end.

## What you hold

- `opened` settles when bytes can flow: with `secure_transport="on"` after the TLS handshake. It is
  rejected when the connection can't be opened. The message is the platform's; the reason is the
  exception's `__cause__`, and a line in the terminal.
- `closed` settles when both sides are over: fulfilled in *closed* and *upgraded*, rejected in
  *failed* (with the error of `opened`) and *lost* (`Network connection lost.`).
- `readable` and `writable` may be used at once. What is written early is sent when the socket is
  open. After *failed*, `read()` answers done and `write()` raises the connection's error.

Both promises may be awaited many times, by many tasks, or not at all.

## How it ends

- The peer ends: `readable` ends after its last byte. Without `allow_half_open` the writable side is
  then closed, too; with it you may go on writing until you close.
- You end: `writer.close()` sends what is queued and FIN (over TLS: close_notify and FIN). Reading
  goes on to the peer's end.
- `close()` sends what is queued and ends both. On a socket that is still connecting, with nothing
  queued, it gives up at once and frees its connection slot.
- A reset, or over TLS an end without close_notify, is a loss: what arrived before can be read, then
  reads raise `Network connection lost.`
- The request's end closes its sockets.

## Going over to TLS

    socket = connect("db.example:5432", secure_transport="starttls")
    ...  # agree on TLS in the clear, and read the whole answer
    secure = socket.start_tls()
    await secure.opened

`start_tls()` returns the Socket that speaks TLS, at once; it begins in *connecting*. The old one is
*upgraded*: what was queued on it is sent in the clear, then its `closed` is fulfilled. Its readers
and writers stop working. Bytes that had arrived and were not read fail the new socket, with a cause
that quotes them: in the clear anybody could have sent them.

## Whom TLS trusts

The system's certificates, those in the file that `SSL_CERT_FILE` names, and those of `--tls-ca FILE`
or `[dev] tls_ca`. A file may hold authorities or a server's own certificate, in PEM form. A refused
certificate's line in the terminal says whose it is, why it was refused, who issued it, and which
option would have it accepted:

    GET /: connect("localhost:5432") failed: SSLCertVerificationError: […]. The certificate of localhost
    is refused: it is self-signed (issuer: CN=localhost). To trust it: --tls-ca FILE, its PEM file. To
    check nothing: --tls-insecure localhost

`--tls-insecure HOST` checks nothing for one host, and says so each time. TLS 1.2 and 1.3 are spoken.

## Time

Look-up, TCP and TLS together may take 30 s: `--connect-timeout SECONDS` or
`[dev] connect_timeout_seconds`. A name with several addresses is tried as Happy Eyeballs has it
(RFC 8305): the next address is tried after a quarter of a second, or at once when one fails.
"""

_WORDS = {
    SocketEvent.OPENED: "opened",
    SocketEvent.CONNECT_FAILED: "can't be opened",
    SocketEvent.READ_ENDED: "reading is over",
    SocketEvent.WRITE_ENDED: "writing is over",
    SocketEvent.CLOSE_CALLED: "close()",
    SocketEvent.FLUSHED: "all is sent",
    SocketEvent.LOST: "broken",
    SocketEvent.UPGRADE_CALLED: "start_tls()",
}


def markdown() -> str:
    """Return the whole page."""
    return _PAGE.format(diagram=diagram(), rows="".join(_rows()))


def diagram() -> str:
    """Return the table of a socket's life as a Mermaid state diagram, in its Markdown block."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {_identifier(SocketState.CONNECTING)}"]
    lines += [f"    {_identifier(state)} : {state.value}" for state in SocketState]
    for state, moves in TRANSITIONS.items():
        for event, following in moves.items():
            lines.append(f"    {_identifier(state)} --> {_identifier(following)} : {_WORDS[event]}")
    lines += [f"    {_identifier(state)} --> [*]" for state in SocketState if state in OVER]
    return "\n".join([*lines, "```"])


def _rows() -> list[str]:
    return [
        f"| {state.value} | {event.value} | {following.value} |\n"
        for state, moves in TRANSITIONS.items()
        for event, following in moves.items()
    ]


def _identifier(state: SocketState) -> str:
    return state.name.lower()


if __name__ == "__main__":
    print(markdown(), end="")
