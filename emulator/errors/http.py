"""Requests, responses, headers, bodies and forms.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Bodies.
BODY_USED = "Body already used"
BODY_UNSUPPORTED = "Unsupported type in {owner}: {type}"
BODY_JSON_NOTE = "To send it as JSON: Response.json(data)."
BODY_AWAIT_NOTE = "It was not awaited: await it first."
BODY_ITERABLE_NOTE = "A body in pieces is an async iterable of bytes: async def with yield."
NULL_BODY_STATUS = "Response with null body status (101, 204, 205, or 304) cannot have a body."
STATUS_OUT_OF_RANGE = (
    "Responses may only be constructed with status codes in the range 200 to 599, inclusive, "
    "or 101: found {status}."
)
STATUS_NOT_INTEGER = "A Response's status must be an int or http.HTTPStatus, not {type}."
STATUS_TEXT_INVALID = "Invalid status text {text!r}: no line break, NUL or character above U+00FF."
STATUS_NOT_REDIRECT = "{status} is not a redirect status code: use 301, 302, 303, 307 or 308."

# Requests.
URL_INVALID = "Invalid URL: {url}. It must be absolute, as in https://example.com/path."
REQUEST_INPUT = "Request() takes a URL as str, or a Request, not {type}."
REQUEST_OPTION = "Request() has no option {name!r}.{hint}"
REQUEST_METHOD = "Invalid HTTP method string: {method!r}"
REQUEST_BODY_METHOD = "Request with a GET or HEAD method cannot have a body."
REQUEST_REDIRECT = 'redirect must be "follow", "manual" or "error", found {redirect!r}.'

# Headers.
HEADERS_TYPE = "Received unexpected type for headers argument"
HEADER_PAIR = "Headers as a list are pairs of name and value: found {item!r}."
HEADER_NAME_TYPE = "A header's name must be str, not {type}: {name!r}."
HEADER_NAME = (
    "Invalid header name {name!r}: letters, digits and !#$%&'*+-.^_`|~ are allowed, at least one."
)
HEADER_VALUE_TYPE = "The value of header {name!r} must be str, not {type}."
HEADER_VALUE = "Invalid value of header {name!r}: {fault} at position {position}."

# Forms.
FORM_CONTENT_TYPE_MISSING = "Parsing a Body as FormData requires a Content-Type header."
FORM_CONTENT_TYPE = (
    "Unrecognized Content-Type header value. FormData can only parse the following MIME types: "
    "multipart/form-data, application/x-www-form-urlencoded. Found: {content_type}"
)
FORM_BOUNDARY = (
    "No boundary string in Content-Type header. The multipart/form-data MIME type requires a "
    "boundary parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. "
    "See RFC 7578, section 4."
)
FORM_MALFORMED = "The body is not valid multipart/form-data: {reason}."
FORM_INIT = "Expected form_data to be a dict or an instance of FormData"
FORM_SINGLE_ITEM = "Expected single item in arguments to FormData.__setitem__"
FORM_NAME = "A form field's name must be str, not {type}."
FORM_VALUE = "The value of form field {name!r} must be str, Blob or File, not {type}.{hint}"
FORM_BLOB_HINT = " Wrap the bytes: Blob(data), or File(data, filename)."
FORM_FILENAME = "A filename goes with a Blob or File only: the value of field {name!r} is a str."
BLOB_PART = "Don't know how to handle {type} for Blob()"
BLOB_ENDINGS = 'endings must be "transparent" or "native", found {endings!r}.'

TASK_EXITED = "A task of the worker raised {error}. Only that task ended; the server goes on."
