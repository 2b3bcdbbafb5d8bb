"""Folders for servers that give root up: pytest's own are closed to everybody else."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a temporary folder that every user of the machine may look into; it is gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="pyworker-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
