"""The collector and the allocator; the latter in a process of its own, for it remembers."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from emulator.memory import YOUNG_OBJECTS, expect_requests, importing

BATCHES = """
import resource
from emulator.memory import expect_requests

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        bodies = [b"x" * 65_536 for _ in range(32)]
        del bodies
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
expect_requests()
faults()
print(before, faults())
"""


@pytest.fixture
def threshold() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    try:
        yield before
    finally:
        gc.set_threshold(*before)


def test_the_collector_looks_as_seldom_as_in_python_313(threshold: tuple[int, int, int]) -> None:
    gc.set_threshold(700, 10, 9)
    expect_requests()
    assert gc.get_threshold() == (YOUNG_OBJECTS, 10, 9)


def test_who_wants_it_to_look_more_seldom_is_heeded(threshold: tuple[int, int, int]) -> None:
    gc.set_threshold(50_000, 10, 10)
    expect_requests()
    assert gc.get_threshold() == (50_000, 10, 10)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc gives memory back")
def test_the_memory_of_bodies_is_kept_for_the_next_ones() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BATCHES], capture_output=True, text=True, check=True, timeout=60
    )
    before, after = map(int, ran.stdout.split())
    assert before > 10 * 32 * 16 / 2
    assert after < 100


def test_nothing_is_collected_while_importing() -> None:
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.unfreeze()


def test_an_import_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError("as asked")
    assert gc.isenabled()
    gc.unfreeze()
