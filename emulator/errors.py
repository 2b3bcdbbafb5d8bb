"""Every exception pyworker raises and every sentence it says.

Floor 0: imports nothing of ours; everything may import it. The class says whose fault it is:

    PyworkerError            the person at the keyboard can mend it: the CLI prints the message and exits
      ConfigError            a settings file, an option or a variable
      WorkerLoadError        the worker's file: missing, broken, or without handlers
      ListenError            an address that can't be listened on
    PlatformError            what the platform throws into worker code
      GlobalScopeError       I/O while the worker's modules are being executed
      EntropyError           randomness there (an OSError, as on the platform)
      OwnershipError         another request's I/O object
      SubrequestError        more connections and fetches than one request may make
      HandlerError           a handler that is missing or returned what can't be sent (a TypeError)
      HandlerExit            worker code that tried to end the process
      SocketError            a connection failed or was lost (also a ConnectionError, for Python's libraries)
    StreamTypeError, …       plain TypeErrors carry the sentences below

The sentences of the platform are part of the contract: users search for them and libraries match on them.
"""

from __future__ import annotations

DOCS = "https://developers.cloudflare.com/workers"


class PyworkerError(Exception):
    """A mistake that whoever runs pyworker can mend; the message says how."""


class ConfigError(PyworkerError):
    """A setting that can't be used: names the file, key and value."""


class WorkerLoadError(PyworkerError):
    """A worker that can't be loaded; `__cause__` is the worker's own exception where there is one."""


class ListenError(PyworkerError):
    """An address that can't be listened on."""


class PlatformError(Exception):
    """An Error that the platform throws into worker code."""


class GlobalScopeError(PlatformError, RuntimeError):
    """I/O at global scope: while the worker's modules are being executed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or GLOBAL_SCOPE)


class EntropyError(PlatformError, OSError):
    """Randomness at global scope."""

    def __init__(self) -> None:
        OSError.__init__(self, 29, NO_ENTROPY)


class OwnershipError(PlatformError, RuntimeError):
    """An I/O object used by a request that did not make it."""

    def __init__(self, io_type: str, made_at: str, thread: str | None = None) -> None:
        where = USED_IN_THREAD.format(thread=thread) if thread else ""
        super().__init__(
            CROSS_REQUEST.format(io_type=io_type) + MADE_AT.format(place=made_at) + where
        )
        self.io_type = io_type
        self.made_at = made_at


class SubrequestError(PlatformError):
    """More connections and fetches than one request may make."""

    def __init__(self) -> None:
        super().__init__(TOO_MANY_SUBREQUESTS)


class SocketError(PlatformError, ConnectionError):
    """A connection that failed or was lost; `__cause__` is the operating system's reason."""


class RangeError(ValueError):
    """A number out of range: JavaScript's RangeError."""


class DOMException(PlatformError):
    """A failure that the web platform knows by `name`."""

    def __init__(self, message: str = "", name: str = "Error") -> None:
        super().__init__(message)
        self.message = message
        self.name = name


class AbortError(DOMException):
    """What was under way was aborted."""

    def __init__(self, message: str = "The operation was aborted") -> None:
        super().__init__(message, "AbortError")


class AbortTimeoutError(DOMException, TimeoutError):
    """The reason of AbortSignal.timeout()."""

    def __init__(self) -> None:
        super().__init__("The operation was aborted due to timeout", "TimeoutError")


class HandlerError(PlatformError, TypeError):
    """A handler that is missing, or that returned something the platform can't send."""


class HandlerExit(PlatformError):
    """A handler raised what would stop the event loop or pass for a cancellation; `__cause__` is that."""


# Global scope and ownership.
GLOBAL_SCOPE = (
    "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), "
    "setting a timeout, and generating random values are not allowed within global scope. To fix "
    "this error, perform this operation within a handler. "
    f"{DOCS}/runtime-apis/handlers/"
)
NO_ENTROPY = "Cannot get entropy outside of request context"
NO_RANDOM = "Cannot use random.{function}() outside of request context"
CROSS_REQUEST = (
    "Cannot perform I/O on behalf of a different request. I/O objects (such as streams, "
    "request/response bodies, and others) created in the context of one request handler cannot be "
    "accessed from a different request's handler. This is a limitation of Cloudflare Workers which "
    "allows us to improve overall performance. (I/O type: {io_type})"
)

MADE_AT = " It was made at {place}."
USED_IN_THREAD = (
    " It was used in the thread {thread}; it works in the handler's own. Give a thread plain data."
)
CONNECT_IN_THREAD = (
    "connect() works in the handler's own thread, this is {thread}. Give a thread plain data."
)

# Budgets.
TOO_MANY_SUBREQUESTS = "Too many subrequests by single Worker invocation."
EXCEEDED_RESOURCES = "Worker exceeded resource limits"
CPU_EXCEEDED = (
    "The handler used {milliseconds:.0f} ms of CPU time; its limit (limits.cpu_ms) is {limit} ms."
)
CPU_EXCEEDED_AT = " It was at {place}."
LIMIT_TOO_SMALL = "{file}: `{key}` must be 1 or more, not {value}."
TOO_MANY_VARIABLES = (
    "{file}: `vars` holds {count} variables; in strict mode {limit} are allowed, as in production. "
    "Put several into one, as JSON."
)
VARIABLE_TOO_LARGE = (
    "{file}: the variable {name} in `vars` is {size} bytes; "
    "in strict mode {limit} are allowed, as in production."
)
STARTUP_EXCEEDED = (
    "Script startup exceeded CPU time limit. (10021) Importing the worker took {milliseconds:.0f} ms of CPU time, "
    "{limit} ms are allowed: move work from module level into a handler."
)
MEMORY_EXCEEDED = (
    "The worker has grown by {grown} MB since it was loaded; production gives it {limit} MB in all."
)
HUNG = (
    "The Workers runtime canceled this request because it detected that your Worker's code had hung and would never "
    f"generate a response. Refer to: {DOCS}/observability/errors/"
)
HUNG_WAITS = "It waits on {awaited} at {place}."
HUNG_HINT = (
    "Nothing that this request started can still happen: no socket, timer, thread, task or body is left. "
    "What another request does later, such as setting an event, does not count: production cancels this one too."
)
CONNECTION_LIMIT = "Response closed due to connection limit"
SMTP_PROHIBITED = "Connections to port 25 are prohibited"
TCP_LOOP = "TCP Loop detected"
STRICTLY_REFUSED = (
    'strict mode: {reason}. To allow it here all the same: [strict] allow = ["{address}"]'
)

# Addresses and options of connect().
ADDRESS_UNPARSED = "Specified address could not be parsed."
ADDRESS_WITHOUT_HOST = "Specified address is missing hostname."
ADDRESS_WITHOUT_PORT = "Specified address is missing port."
ADDRESS_UNSUPPORTED = (
    "Specified address is empty string, contains unsupported characters or is too long."
)
PORT_NOT_INTEGER = "The value cannot be converted because it is not an integer."
PORT_NEGATIVE = (
    "The value cannot be converted because it is negative and this API expects a positive number."
)
PORT_TOO_LARGE = "Value out of range. Must be less than or equal to 65535."
OPTIONS_NOT_MAPPING = "connect(address, options): options must be a mapping or None, not {type}."
HIGH_WATER_MARK = "highWaterMark takes a number of bytes from 0 up, not {value}."
SECURE_TRANSPORT = "Unsupported value in secureTransport socket option: {value}"

# A connection's life.
CONNECT_FAILED = "proxy request failed, cannot connect to the specified address"
CONNECT_FAILED_HTTP = (
    f"{CONNECT_FAILED}. It looks like you might be trying to connect to a HTTP-based service — "
    "consider using fetch instead"
)
NO_ANSWER = "no answer within {seconds:g} s"
NO_HOST = "the host name is empty"
START_TLS_ON_TLS = "Cannot startTls on a TLS socket."
START_TLS_CLOSED = "The connection was closed before startTls could be started."
START_TLS_NOT_ASKED_FOR = (
    "The `secureTransport` socket option must be set to 'starttls' for startTls to be used."
)
TLS_CLOSED_IN_HANDSHAKE = "the peer closed the connection during the TLS handshake"
TLS_UNANSWERED = "the peer closed the connection without answering the TLS handshake: does it speak TLS on this port?"
TLS_NO_ANSWER = "The TCP connection was open; the TLS handshake was not over when the time was up."
TLS_NAME = "{name!r} can't be a server's name: {reason}"
TLS_TRUNCATED = "the peer closed the connection without ending TLS (no close_notify)"
TLS_PLAINTEXT_PEER = (
    "the peer does not speak TLS here: it answered {greeting!r}. Use the port that does, "
    'secureTransport "off", or "starttls" and start_tls() when the protocol says so'
)
TLS_REFUSED = "The certificate of {host} is refused: {reason}{issuer}. {remedy}"
TLS_EXPIRED = "it expired on {date:%Y-%m-%d}"
TLS_NOT_YET_VALID = "it is valid from {date:%Y-%m-%d} on"
TLS_SELF_SIGNED = "it is self-signed"
TLS_SELF_SIGNED_AUTHORITY = "the authority at the end of its chain is not trusted"
TLS_UNKNOWN_ISSUER = "its issuer is not trusted"
TLS_WRONG_NAME = "it is for {names}"
TLS_TRUST_IT = "To trust it: --tls-ca FILE, its PEM file. To check nothing: --tls-insecure {host}"
TLS_TRUST_ISSUER = (
    "To trust it: --tls-ca FILE, its issuer's PEM file. To check nothing: --tls-insecure {host}"
)
TLS_TRUST_NOTHING = "Mend it at the server, or check nothing for this host: --tls-insecure {host}"
TLS_CA_UNUSABLE = "{file} can't be used to trust certificates: {reason}. Give --tls-ca or `dev.tls_ca` a PEM file."
CERT_FILE_MISSING = (
    "The variable SSL_CERT_FILE names {file}, which is not there: "
    "the system's certificates are trusted alone."
)
START_TLS_TWICE = (
    "startTls has already been called on this socket, or the socket was transferred over RPC."
)
START_TLS_LOST = "The connection was closed before startTls completed."
START_TLS_UNREAD = (
    "{count} bytes arrived before startTls and were not read: {start!r}. In the clear anybody could have sent "
    "them: read the server's answer before upgrading"
)
UPGRADE_OPTIONS_NOT_MAPPING = "start_tls(options): options must be a mapping or None, not {type}."
SERVER_NAME_UNSUPPORTED = (
    "The expectedServerHostname option is not currently supported in startTls."
)
EXPECTED_SERVER_HOSTNAME = f"{SERVER_NAME_UNSUPPORTED} It works here; production refuses it."
TLS_EXPECTED = 'connect() to {address}: it answered with a TLS alert, so it expects TLS. Use secureTransport "on".'
TLS_MAYBE_EXPECTED = (
    "connect() to {address}: it closed the connection without an answer. "
    'If it expects TLS, use secureTransport "on".'
)
CONNECTION_LOST = "Network connection lost."
CLOSED_WHILE_CONNECTING = "The socket was closed before the connection was opened."
CONNECT_NOT_SUPPORTED = "Incoming CONNECT on a worker not supported"

# Streams.
READABLE_LOCKED = "This ReadableStream is currently locked to a reader."
READABLE_CLOSING = "This ReadableStream belongs to an object that is closing."
READABLE_DISTURBED = (
    "This ReadableStream is disturbed (has already been read from), and cannot be used as a body."
)
READER_RELEASED = "This ReadableStream reader has been released."
SINGLE_PENDING_READ = "This ReadableStream only supports a single pending read request at a time."
READER_MODE = 'get_reader() takes mode "byob" or none, not {mode!r}.'
WRITABLE_LOCKED = "This WritableStream is currently locked to a writer."
WRITABLE_CLOSING = "This WritableStream belongs to an object that is closing."
WRITABLE_CLOSED = "This WritableStream has been closed."
DESTINATION_CLOSED = "This WritableStream has been closed, so nothing more can be piped to it."
READ_ABANDONED = "Nobody waited for this read any more: its chunk went to the next one."
NOT_CALLABLE = (
    "The {name} of an underlying source, sink or transformer must be a function, not {type}."
)
ALGORITHM_EXITED = "A stream's algorithm raised {error}."
HIGH_WATER_MARK_INVALID = "A highWaterMark must be a number from 0 up, not {value}."
CHUNK_SIZE_INVALID = "A chunk's size must be a finite number from 0 up, not {size!r}."
SOURCE_TYPE_INVALID = 'An underlying source\'s type is None or "bytes", not {type!r}.'
SINK_TYPE_INVALID = "An underlying sink has no type: {type!r} is reserved."
BYTES_WITH_SIZE = "A stream of bytes measures chunks itself: leave size out of its strategy."
AUTO_ALLOCATE_INVALID = (
    "autoAllocateChunkSize must be a whole number of bytes from 1 up, not {value!r}."
)
CONTROLLER_CLOSED = "This stream is closed, closing or failed: it takes no more chunks."
CONTROLLER_NOT_OPEN = "This stream is closed, closing or failed already."
STREAM_FAILED = "The stream failed."
BYOB_REQUEST_OVER = "This BYOB request has been answered already."
CHUNK_EMPTY = "A stream of bytes takes no empty chunk: enqueue at least one byte."
VIEW_CUT = "The stream ended in the middle of an element of the reader's view."
VIEW_OVERRUN = "More bytes were responded with than the view has room for."
VIEW_NOT_WRITABLE = "read(view) takes a bytearray or a writable memoryview to fill, not {type}."
VIEW_READ_ONLY = "read(view) fills its view: {type} can't be written to. Give a bytearray."
VIEW_EMPTY = "read(view) needs a view of at least one byte."
MINIMUM_INVALID = (
    "A minimum is a whole number from 1 to the view's {limit} elements, not {value!r}."
)
RESPOND_AFTER_CLOSE = "The stream is closed: respond(0) is all that can be said."
RESPOND_NOTHING = (
    "respond() takes at least 1 byte; close() the controller first when there is nothing more."
)
NOT_ITERABLE = "ReadableStream.from_() takes an iterable or async iterable, not {type}."
OPTIONS_NOT_A_MAPPING = "Options must be a mapping or None, not {type}."
NOT_A_BYTE_STREAM = 'A reader with mode "byob" needs a stream of bytes: a source with type "bytes".'
DESTINATION_INVALID = "pipe_to() takes a WritableStream, not {type}."
TRANSFORM_INVALID = (
    "pipe_through() takes something with a readable and a writable stream, not {type}."
)
SIGNAL_INVALID = "A pipe's signal must be an AbortSignal, not {type}."
READABLE_CANCELLED = "This ReadableStream was cancelled."
TRANSFORM_TERMINATED = "The TransformStream has been terminated."
TRANSFORMER_TYPE_INVALID = "A transformer has no {name}: {type!r} is reserved."
FIXED_LENGTH_EXCEEDED = "Attempt to write too many bytes through a FixedLengthStream."
FIXED_LENGTH_MISSED = "FixedLengthStream did not see all expected bytes before close()."
FIXED_LENGTH_INVALID = "FixedLengthStream takes a whole number of bytes from 0 up, not {value!r}."
DECODER_CHUNK = "TextDecoderStream takes bytes, bytearray or memoryview, not {type}."
DECODER_FAILED = "The encoded data was not valid for encoding {encoding}."
ENCODING_UNKNOWN = "{label!r} is not an encoding that is known."
DECOMPRESSION_JUNK = "Trailing bytes after end of compressed data"
DECOMPRESSION_CUT = "Called close() on a decompression stream with incomplete data"
DECOMPRESSION_FAILED = "Decompression failed: {reason}."
COMPRESSION_FORMAT = "The compression format must be one of {known}, not {format!r}."
WRITABLE_ABORTED = "The stream was aborted."
WRITER_RELEASED = "This WritableStream writer has been released."
CHUNK_NOT_BYTES = "This WritableStream takes bytes, bytearray or memoryview, not {type}.{hint}"
SOURCE_CHUNK_NOT_BYTES = "A body's chunks must be bytes, bytearray or memoryview, not {type}.{hint}"
BODY_ITERATOR_CANCELLED = "The body's iterator was cancelled before its end."
ENCODE_HINT = " Encode the text first: text.encode()."

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

# Listening.
PORTS_TAKEN = "Ports {first} to {last} on {host} are all in use. Stop what listens there, or choose another: --port N."
PORT_TAKEN = "Port {port} on {host} is in use. Stop what listens there, or choose another port."
PORT_PRIVILEGED = "Port {port} needs privileges. Choose one from 1024 up: --port 8787."
HOST_UNKNOWN = "{host!r} is not an address of this machine ({reason}). Use an IP address or localhost: --ip 127.0.0.1."
HOST_NOT_LOCAL = (
    "{host} is not an address of this machine. Use one that is, or localhost: --ip 127.0.0.1."
)
CANNOT_LISTEN = "Can't listen on {host}:{port}: {reason}."

# Responses on their way.
REQUEST_BODY_AFTER_RESPONSE = "Can't read from request stream after response has been sent."
CLIENT_GONE = "The client closed the connection before its response was complete."
SWITCHING_PROTOCOLS = (
    "A Response with status 101 needs a WebSocket, which is not served yet. Return another status."
)
RESPONSE_HEADERS_TOO_LARGE = (
    "The response's headers are {size} bytes; "
    "the platform lets {limit} through. Send fewer or shorter headers."
)
BODY_LONGER_THAN_LENGTH = (
    "The response's body is longer than its Content-Length of {length} bytes. "
    "Leave the header out, or correct it."
)
BODY_SHORTER_THAN_LENGTH = (
    "The response's body ended after {sent} bytes, its Content-Length said {length}. "
    "Leave the header out, or correct it."
)

# Handlers.
NO_FETCH_HANDLER = "Handler does not export a fetch() function."
NO_HANDLER = "Handler does not export a {event}() function."
NOT_A_RESPONSE = "{handler} returned {what}, not a Response.{hint}"
FORGOT_RETURN = " Did you forget `return`?"
FORGOT_AWAIT = " Did you forget `await`?"
FORGOT_CALL = " Did you forget to call it: Response(...)?"
USE_JSON = " To send it as JSON: Response.json(...)."
USE_RESPONSE = " To send it as the body: Response(...)."
YIELDS_NOTHING = " A handler returns one Response; to send what it yields: Response(generator())."
HANDLER_EXITED = "{handler} raised {error}. Only this event failed: a worker can't stop the server."
HANDLER_CANCELLED = (
    "{handler} raised CancelledError although nobody cancelled the event: something that it awaited "
    "was cancelled."
)

# Loading a worker.
WORKER_MODULE_FAILED = (
    "The worker {name!r} can't be imported: {error}. A file is named by its path: worker.py"
)
WORKER_FILE_MISSING = "There is no worker file {path}.{hint}"
LOAD_FAILED = "The worker can't be loaded: {error} ({place})"
NO_HANDLERS = (
    "{worker} has no handlers. Define `async def on_fetch(request, env, ctx)`, or a class "
    "`Default(WorkerEntrypoint)` with `async def fetch(self, request)`.{hints}"
)
BOTH_FORMS = "{worker} has both a class and functions as its handlers: {classes} and {functions}. Keep one form."
TWO_HANDLERS = "{worker} has two handlers for one event: {first} and {second}. Keep one."
NOT_AN_ENTRYPOINT = (
    "{name} is not a subclass of WorkerEntrypoint: class {name}(WorkerEntrypoint), "
    "with `from workers import WorkerEntrypoint`."
)
HINT_NAME = " Did you mean `{expected}` where it says `{found}`?"
HINT_METHOD = " Did you mean `{expected}` where class {name} says `{found}`?"
HINT_SUBCLASS = " Class {name} has {methods} but is not a subclass of WorkerEntrypoint."
HINT_IMPORTED = (
    " `{name}` is imported from {module}: a handler is defined in the worker's own modules."
)
HINT_DEFAULT = " {worker} has no default entrypoint, only named ones: {classes}. The default one is called Default."
NOT_SERVED = "Class {name} is a {kind}: pyworker does not serve these yet, and it is left out."
EXACT_ARGUMENTS = (
    "{handler} is called with exactly ({arguments}) and can't take them: it has {signature}."
)
UNLOADED = "This worker has been unloaded; {name!r} can't be imported any more."

# What handlers find in env and ctx.
ENV_MISSING = "env has no variable or binding {name}.{hint}"
ENV_OUTSIDE = "`env` of the workers module is only there inside a worker."
NO_PASS_THROUGH = "pass_through_on_exception() does nothing here: there is no origin server to pass the request to."
NOT_FROM_JAVASCRIPT = "import_from_javascript({name!r}): only {names} exist here."

# Settings.
CONFIG_MISSING = "{file} does not exist. Check the path given to --config."
CONFIG_IS_DIRECTORY = "{file} is a directory. Give --config the settings file inside it."
CONFIG_UNREADABLE = "{file} can't be read: {reason}."
CONFIG_NOT_UTF8 = "{file} is not UTF-8 text (byte {byte}). Save it as UTF-8."
CONFIG_JSON = (
    "{file}: JSON settings are not read yet. Write them as wrangler_py.toml beside it, or name the "
    "worker's file: pyworker dev path/to/worker.py"
)
CONFIG_JSON_SKIPPED = "{file}: JSON settings are not read yet. Write them as wrangler_py.toml."
CONFIG_SYNTAX = "{file}{position}: {reason}."
CONFIG_UNKNOWN_KEY = "{file}: unknown key `{key}`.{hint}"
CONFIG_WRONG_VALUE = "{file}: `{key}` must be {expected}, found {found}."
CONFIG_REQUIRED = "{file}: `{table}` has no `{key}`. Add, for example: {key} = {example}"
CONFIG_NAME = (
    '{file}: `name` must be lowercase letters, digits, dashes and underscores, found "{name}".'
)
CONFIG_DATE = '{file}: `compatibility_date` must be a date as "YYYY-MM-DD", found "{date}".'
CONFIG_NOTED = "{file}: `{key}` has no effect here yet."
CONFIG_SAME_LISTENER = (
    "{file}: two [[connect]] entries listen on {protocol} port {port}: {first} and {second}. "
    "Give each its own port."
)
CONFIG_NO_WORKER = (
    "There is no worker to serve: neither this folder nor one above it has a settings file "
    "({names}). Name the worker's file, pyworker dev path/to/worker.py, or write a "
    'wrangler_py.toml with main = "path/to/worker.py".'
)
CONFIG_NO_MAIN = (
    '{file} has no `main`. Add main = "path/to/worker.py", or name the worker\'s file: '
    "pyworker dev path/to/worker.py"
)
MAIN_MISSING = "{origin}: there is no file {path}.{hint}"
MAIN_IS_DIRECTORY = "{origin}: {path} is a directory. Name the worker's file in it."
MAIN_NOT_PYTHON = "{origin}: {path} is not a Python file. pyworker runs workers in .py files."
TLS_CA_MISSING = "{origin}: there is no file {path}."
CONNECT_TIMEOUT = "--connect-timeout takes a number of seconds above 0, not {value}."
VARIABLE_WRONG_VALUE = "The variable {variable} must be one of {expected}, found {found}."
LOOP_MISSING = (
    "PYWORKER_LOOP asks for uvloop, which is not installed. Install it (pip install uvloop) or "
    "unset the variable."
)

# The command line.
COMMAND_UNKNOWN = "No such command {name!r}.{hint}"
COMMAND_IS_FILE = "{file!r} is a file, not a command. To serve it: pyworker dev {file}"


def chunk_not_bytes(chunk: object, sentence: str = CHUNK_NOT_BYTES) -> TypeError:
    """Return the TypeError for `chunk`, which a byte stream can't take."""
    hint = ENCODE_HINT if isinstance(chunk, str) else ""
    return TypeError(sentence.format(type=type(chunk).__name__, hint=hint))
