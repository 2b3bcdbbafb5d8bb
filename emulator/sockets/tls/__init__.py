"""TLS: the one place that knows the ssl module. Floor 3; must not know sockets or requests.

layer.py speaks it as a client, trust.py says which certificates are accepted, refusal.py puts a refused one into words,
which certificate.py reads; identity.py is what a server shows.
"""

from emulator.sockets.tls.identity import Identity
from emulator.sockets.tls.layer import TlsLayer, TlsState
from emulator.sockets.tls.refusal import is_alert
from emulator.sockets.tls.trust import Trust

__all__ = ["Identity", "TlsLayer", "TlsState", "Trust", "is_alert"]
