"""The servers behind the contenders, and the certificate of one that speaks TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.loads.base import Upstream
from bench.processes import HOST, Launch, Missing, free_port, module, running


@contextmanager
def behind(name: str, folder: Path, *, tls: bool = False) -> Iterator[Upstream]:
    """Run the module `name` of bench/upstreams/ until the block ends. Raises Missing without trustme for `tls`."""
    authority, certificate = _certified(folder) if tls else (None, None)
    port = free_port()
    arguments = () if certificate is None else (certificate,)
    launch = Launch(module(f"bench.upstreams.{name}", port, *arguments), {})
    with running("the upstream server", launch, port, folder / "upstream.log"):
        yield Upstream(port, authority)


def _certified(folder: Path) -> tuple[Path, Path]:
    try:
        import trustme
    except ImportError:
        raise Missing("trustme makes the upstream's certificate: pip install trustme") from None
    authority = trustme.CA()
    trusted, certificate = folder / "authority.pem", folder / "upstream.pem"
    authority.cert_pem.write_to_path(trusted)
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
    return trusted, certificate
