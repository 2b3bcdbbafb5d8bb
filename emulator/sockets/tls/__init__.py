"""TLS as a client: the one place that knows the ssl module. Floor 3; must not know sockets or requests.

layer.py speaks it, trust.py says which certificates are accepted, refusal.py puts a refused one into words, which
certificate.py reads.
"""

from emulator.sockets.tls.layer import TlsLayer, TlsState
from emulator.sockets.tls.refusal import is_alert
from emulator.sockets.tls.trust import Trust

__all__ = ["TlsLayer", "TlsState", "Trust", "is_alert"]
