# For type checkers and editors: inside the runtime `workers` is the module that cloudflare.workers is, too.
from cloudflare.workers import *  # noqa: F403
