"""Real servers for protocol tests: where they are found, and what their absence means.

A test whose server is missing is skipped by name, saying how to get it; with CI=true in the environment, where
`install-servers` has run, that is a failure.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from glob import glob
from pathlib import Path

import pytest

# Servers live beside this Python, or where only root's PATH looks; Debian has each PostgreSQL, newest last, in a
# folder of its own.
FOLDERS = (
    str(Path(sys.executable).parent),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    *sorted(glob("/usr/lib/postgresql/*/bin"))[::-1],
)
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])

RequireProgram = Callable[..., str]


@pytest.fixture(scope="session")
def require_program() -> RequireProgram:
    """Give `require_program(name, debian=package)`, or pypi=: the program's path, or this test is skipped."""

    def require(name: str, *, debian: str = "", pypi: str = "") -> str:
        path = shutil.which(name, path=SEARCH_PATH)
        if path is not None:
            return path
        command = f"apt-get install {debian}" if debian else f"pip install {pypi}"
        missing = f"{name} is not installed. To run this test: {command}"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)

    return require
