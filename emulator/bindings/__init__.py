"""What env holds beyond variables: other workers. Floor 4; must not know how a worker is loaded or runs."""

from emulator.bindings.copying import Stub, copied
from emulator.bindings.fetcher import Fetcher
from emulator.bindings.service import Service

__all__ = ["Fetcher", "Service", "Stub", "copied"]
