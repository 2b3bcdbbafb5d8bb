"""Times and sizes as people read them."""

from __future__ import annotations

import pytest

from emulator.quantities import duration, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 ms"),
        (0.00042, "0.4 ms"),
        (0.00999, "10 ms"),
        (0.012, "12 ms"),
        (0.9994, "999 ms"),
        (0.9999, "1.00 s"),
        (1.25, "1.25 s"),
        (75.4, "75 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("byte_count", "text"),
    [
        (0, "0 B"),
        (13, "13 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (4200, "4.2 kB"),
        (12_345, "12 kB"),
        (999_499, "999 kB"),
        (999_600, "1.0 MB"),
        (3 * 10**12, "3.0 TB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes(byte_count: int, text: str) -> None:
    assert size(byte_count) == text
