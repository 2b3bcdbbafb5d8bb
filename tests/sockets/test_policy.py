"""Addresses that production refuses: one line each, and nothing about the others."""

from __future__ import annotations

import pytest

from emulator.sockets import parse_address
from emulator.sockets.policy import production_note


@pytest.mark.parametrize(
    "address",
    [
        "localhost:80",
        "LOCALHOST.:80",
        "db.localhost:5432",
        "127.0.0.1:80",
        "10.1.2.3:80",
        "172.16.0.1:80",
        "192.168.1.1:80",
        "169.254.169.254:80",
        "0.0.0.0:80",
        "[::1]:80",
        "[fd00::1]:80",
    ],
)
def test_local_and_private_addresses_are_noted(address: str) -> None:
    assert production_note(parse_address(address)) == (
        f"connect() to {address}: production refuses addresses on this machine and in private networks. "
        "Deployed, this worker needs a public address (or a tunnel to this one)."
    )


@pytest.mark.parametrize("address", ["104.16.132.229:443", "[2606:4700::6810:84e5]:443"])
def test_cloudflares_own_ranges_are_noted(address: str) -> None:
    assert production_note(parse_address(address)) == (
        f"connect() to {address}: production refuses addresses of Cloudflare's own network. "
        "Deployed, use fetch() for what is served from there."
    )


@pytest.mark.parametrize("address", ["mail.example.com:25", "localhost:25"])
def test_port_25_is_noted(address: str) -> None:
    assert production_note(parse_address(address)) == (
        f"connect() to {address}: production prohibits connections to port 25. "
        "Deployed, use port 587 or 465."
    )


@pytest.mark.parametrize(
    "address",
    [
        "example.com:80",
        "8.8.8.8:53",
        "[2001:4860:4860::8888]:53",
        "notlocalhost:80",
        "localhost.com:80",
    ],
)
def test_public_addresses_and_names_are_not(address: str) -> None:
    assert production_note(parse_address(address)) is None
