"""How a session's worker is reached: where HTTP is listened for, and what calls its scheduled() handler.

Floor 7. Owns what the settings mean for these; must not know aiohttp or how anything is listened to.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote_plus

from emulator import errors
from emulator.config import Config, LocalProtocol
from emulator.context import Observer
from emulator.runtime.isolate import Isolate
from emulator.server import SCHEDULED_PATH, Endpoint
from emulator.server.local_certificate import cache_folder, local_identity
from emulator.sockets.tls import Identity

PORT_TRIES = 10


def endpoint_of(config: Config, observer: Observer) -> Endpoint:
    """Return where to listen; `observer` is told of a certificate that had to be made.

    Raises ConfigError when there is to be one and there can't be.
    """
    identity = None
    if config.local_protocol is LocalProtocol.HTTPS:
        identity = _identity(config, observer)
    return Endpoint(config.ip, config.port, PORT_TRIES, config.unix_socket, identity)


def cron_notes(config: Config, isolate: Isolate, url: str) -> Iterator[str]:
    """Sentences for the user about crons that won't fire, or that nothing handles."""
    if config.run_crons and not config.crons:
        yield errors.CRONS_MISSING
    if config.crons and "scheduled" not in isolate.handlers:
        yield errors.CRONS_WITHOUT_HANDLER
    elif config.crons and not config.run_crons:
        cron = quote_plus(config.crons[0].text, safe="*/,-")
        through, origin = "", url
        if config.unix_socket is not None:
            through, origin = f"--unix-socket {config.unix_socket} ", "http://localhost"
        example = f"curl {through}'{origin}{SCHEDULED_PATH}?cron={cron}'"
        yield errors.CRONS_BY_HAND.format(example=example)


def _identity(config: Config, observer: Observer) -> Identity:
    if config.https_cert_path is not None and config.https_key_path is not None:
        return Identity(config.https_cert_path, config.https_key_path)
    return local_identity(config.ip, cache_folder(), tell=observer.note)
