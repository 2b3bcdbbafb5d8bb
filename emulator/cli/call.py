"""`pyworker call`: one request through a worker, without a server.

Floor 8. Owns the command's words and what its options mean, which is what they mean to curl; the call itself is
emulator/dev/call.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO, cast
from urllib.parse import quote

import click

from emulator import __version__, errors
from emulator.cli.manual import MISUSED, Manual
from emulator.cli.options import FILE, from_settings
from emulator.memory import importing

Part = bytes | Path | TextIO


@click.command(
    "call",
    cls=Manual,
    short_help="Send one request through a worker, without a server.",
    groups={
        "The request": ("method", "headers", "data", "json_data"),
        "The response": ("include", "output", "fail"),
    },
    examples=(
        ("pyworker call /", "the front page, streamed as it comes"),
        ("pyworker call '/search?q=tcp' -i", "with the response's head"),
        ('pyworker call /items --json \'{"name": "a"}\'', "a POST of JSON"),
        ("pyworker call /form -d a=1 -d b=2", "a POST of a form"),
        ("pyworker call /upload -X PUT -d @photo.jpg", "a file as the body"),
        ("tail -f log | pyworker call /lines -d @-", "standard input as the body, as it comes"),
        ("pyworker call / -H 'Accept: text/html' -o page.html", "a header; the body into a file"),
        ("pyworker call / --main worker.py --strict", "another worker, as production would run it"),
        ("pyworker call https://example.com/a --fail", "the URL that the worker sees; for scripts"),
    ),
    exit_codes=(
        ("0", "There was a response, whatever its status."),
        ("1", "The handler or its body failed, or the worker or its settings can't be used."),
        MISUSED,
        ("22", "With --fail: the response's status was 400 or above."),
        ("23", "The response could not be written."),
        ("130", "It was interrupted."),
    ),
    see_also=("pyworker dev", "pyworker check", "docs/tools.md", "docs/settings.md"),
)
@click.argument("path", metavar="PATH")
@click.option(
    "-X",
    "--request",
    "method",
    metavar="METHOD",
    help="The method. Default: GET, or POST with a body.",
)
@click.option(
    "-H",
    "--header",
    "headers",
    metavar="'NAME: VALUE'",
    multiple=True,
    help="A header; without a value, leave out one that is sent by itself.  [may be given several times]",
)
@click.option(
    "-d",
    "--data",
    "data",
    metavar="DATA",
    multiple=True,
    help="The body, of a form unless Content-Type says otherwise; @FILE is a file and @- standard input, "
    "sent as they are.  [several are joined with &]",
)
@click.option(
    "--json",
    "json_data",
    metavar="DATA",
    multiple=True,
    help="The body, of JSON; @FILE and @- as with -d.",
)
@click.option("-i", "--include", is_flag=True, help="Print the response's status and headers too.")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write the response to FILE.")
@click.option(
    "-f",
    "--fail",
    is_flag=True,
    help="Exit with 22, without the body, for a status of 400 or above.",
)
@click.option(
    "--main",
    type=FILE,
    metavar="SCRIPT",
    help="The worker's file. Default: the settings file's `main`.",
)
@from_settings(
    "config_file",
    "environment",
    "var",
    "env_file",
    "log_level",
    "log_format",
    "tls_ca",
    "tls_insecure",
    "connect_timeout_seconds",
    "strict",
)
def command(
    path: str,
    method: str | None,
    headers: tuple[str, ...],
    data: tuple[str, ...],
    json_data: tuple[str, ...],
    include: bool,
    output: str | None,
    fail: bool,
    config_file: tuple[str, ...],
    **overrides: object,
) -> None:
    """Give the worker one request and print its response: no server, no port.

    The worker is loaded, handles the request and is gone. Rules, limits and notes are those of `pyworker dev`. The
    response's body goes to standard output as it comes; what the worker prints, notes and failures go to standard
    error. wait_until work is awaited. Ctrl-C is a client that goes.

    PATH is a path, such as /hello?x=1, or a whole URL.
    """
    sent = _headers(headers)
    body = _body(data, json_data)
    method = _method(method, body is not None)
    defaults = {"Host": "", "User-Agent": f"pyworker/{__version__}", "Accept": "*/*"}
    if body is not None:
        defaults["Content-Type"] = "application/x-www-form-urlencoded"
    if json_data:
        defaults["Content-Type"] = defaults["Accept"] = "application/json"
    url, defaults["Host"] = _url(path, {name.lower(): value for name, value in sent}.get("host"))
    named = {name.lower() for name, _ in sent}
    complete = [pair for pair in defaults.items() if pair[0].lower() not in named]
    complete += [pair for pair in sent if pair[1]]

    # Imported on use: `pyworker call --help` loads neither the settings' reader nor the runtime.
    with importing():
        from emulator.config import load_all

    configs = load_all([Path(file) for file in config_file], overrides)

    with importing():
        from emulator.dev.call import Delivery, Order, run
        from emulator.dev.console import face_for

    order = Order(method, url, tuple(complete), body)
    delivery = Delivery(Path(output) if output else None, include, fail)
    sys.exit(run(configs, order, delivery, face_for(configs[0], errors_only=True)))


def _headers(given: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return names and values. Raises UsageError for what is no header."""
    # Imported on use: headers are checked as the runtime checks them.
    from emulator.http.headers import is_token, refused_in

    pairs = []
    for header in given:
        name, colon, value = header.partition(":")
        if not colon:
            raise click.UsageError(errors.CALL_HEADER.format(header=header))
        if not is_token(name):
            raise click.UsageError(errors.CALL_HEADER_NAME.format(name=name))
        if refused_in(value) is not None:
            raise click.UsageError(errors.CALL_HEADER_VALUE.format(header=header))
        pairs.append((name, value.strip()))
    return pairs


def _body(data: tuple[str, ...], json_data: tuple[str, ...]) -> Part | None:
    """Return the body that -d or --json describe. Raises UsageError when they can't."""
    if data and json_data:
        raise click.UsageError(errors.CALL_TWO_BODIES)
    parts = data or json_data
    if not parts:
        return None
    for part in parts:
        if part.startswith("@") and len(parts) > 1:
            raise click.UsageError(errors.CALL_BODY_ALONE.format(part=part))
    if parts[0].startswith("@"):
        return _file(parts[0][1:])
    return ("&" if data else "").join(parts).encode("utf-8", "surrogateescape")


def _file(name: str) -> Part:
    if name == "-":
        if sys.stdin is None:
            raise click.UsageError(errors.CALL_NO_STDIN)
        return cast(TextIO, sys.stdin)
    try:
        with open(name, "rb"):
            return Path(name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.UsageError(errors.CALL_NO_FILE.format(path=name, reason=reason)) from error


def _method(given: str | None, has_body: bool) -> str:
    from emulator.http.headers import is_token

    method = given or ("POST" if has_body else "GET")
    if not is_token(method) or method == "CONNECT":
        raise click.UsageError(errors.CALL_METHOD.format(method=method))
    if has_body and method in ("GET", "HEAD"):
        raise click.UsageError(errors.CALL_BODY_METHOD.format(method=method))
    return method


def _url(path: str, host: str | None) -> tuple[str, str]:
    """Return the URL that the worker sees, and its host. Raises UsageError for neither a path nor a URL."""
    scheme, separator, rest = path.partition("://")
    if path.startswith("/"):
        scheme, rest = "http", (host or "localhost") + path
    elif not separator or scheme not in ("http", "https") or not rest.partition("/")[0]:
        raise click.UsageError(errors.CALL_PATH.format(path=path))
    authority, slash, target = rest.partition("#")[0].partition("/")
    target = quote(target, safe="/?#[]@!$&'()*+,;=:%~")
    return f"{scheme}://{authority}{slash or '/'}{target}", authority
