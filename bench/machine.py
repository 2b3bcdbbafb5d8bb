"""Where a run was made: the machine, and the versions of what took part."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS
from bench.processes import REPOSITORY

_PACKAGES = ("uvloop", "httptools")


def description() -> dict[str, Any]:
    """Return what tells this machine from others."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "release": platform.release(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "revision": _revision(),
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    found = {contender.package or contender.name: contender.version() for contender in CONTENDERS}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return {name: each for name, each in sorted(found.items()) if each is not None}


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _revision() -> str | None:
    """Return the commit that was measured, with a "+" when the tree was changed since."""
    if shutil.which("git") is None:
        return None
    commands = (["git", "rev-parse", "--short", "HEAD"], ["git", "status", "--porcelain", "-uno"])
    said = [
        subprocess.run(each, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout
        for each in commands
    ]
    return said[0].strip() + ("+" if said[1].strip() else "") or None
