"""Every exception pyworker raises and every sentence it says.

Floor 0: imports nothing of ours; everything may import it. The exceptions are in exceptions.py, the sentences in one
file a subject; all of them are names of this package. The sentences of the platform are part of the contract: users
search for them and libraries match on them.
"""

from emulator.errors.documentation import *
from emulator.errors.exceptions import *
from emulator.errors.http import *
from emulator.errors.pages import *
from emulator.errors.rules import *
from emulator.errors.schedules import *
from emulator.errors.server import *
from emulator.errors.services import *
from emulator.errors.session import *
from emulator.errors.settings import *
from emulator.errors.sockets import *
from emulator.errors.streams import *
from emulator.errors.tools import *
from emulator.errors.workers import *

for _found in list(vars().values()):
    if isinstance(_found, type) and issubclass(_found, BaseException):
        # A traceback names it as it is imported.
        _found.__module__ = __name__
