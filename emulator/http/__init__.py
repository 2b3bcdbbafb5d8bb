"""Request, Response, Headers, forms and bodies as handlers see them. Floor 3; must not know a server or a socket."""

from emulator.http.blob import Blob, File
from emulator.http.body import BodyInit
from emulator.http.buffer import Buffer
from emulator.http.form_data import FormData
from emulator.http.headers import Headers, HeadersInit
from emulator.http.request import Request
from emulator.http.response import Response

__all__ = [
    "Blob",
    "BodyInit",
    "Buffer",
    "File",
    "FormData",
    "Headers",
    "HeadersInit",
    "Request",
    "Response",
]
