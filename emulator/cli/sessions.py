"""What `pyworker dev` and `pyworker serve` do with a command line: one process, or several.

Floor 8. Owns the way from options to a session; the session itself is emulator/dev/session.py.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from emulator.errors import WORKERS_UNSUPPORTED
from emulator.memory import importing


def serve(
    config_file: tuple[str, ...], overrides: Mapping[str, object], *, keys: bool = True
) -> NoReturn:
    """Serve what the command line says, and end the process. `keys` are heeded where there is a keyboard.

    Raises PyworkerError for what can't be served.
    """
    # Imported on use: `pyworker dev --help` loads neither the settings' reader nor the runtime.
    with importing():
        from emulator.config import Config, load_all

    def read() -> tuple[Config, ...]:
        return load_all([Path(file) for file in config_file], overrides)

    configs = read()

    # After the settings: a mistake in them is told at once.
    with importing():
        from emulator.dev.console import Console, face_for
        from emulator.dev.session import run

    face = face_for(configs[0])
    if configs[0].workers > 1:
        # Imported on use: most sessions have one process.
        from emulator.dev.processes import can_share, run_several
        from emulator.dev.slot import Command

        if can_share():
            command = Command(config_file, overrides)
            sys.exit(run_several(configs, face, read, command, keys=keys))
        face.note(WORKERS_UNSUPPORTED)
    sys.exit(run(configs, face, read, Console(face, keys=keys)))
