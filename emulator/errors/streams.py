"""Streams.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

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
WRITABLE_FAILED = "This WritableStream has failed: there is nothing left to close."
READER_OF = "A {reader} is made of a ReadableStream, not {type}."
WRITER_OF = "A WritableStreamDefaultWriter is made of a WritableStream, not {type}."
DESTINATION_CLOSED = "This WritableStream has been closed, so nothing more can be piped to it."
REQUEST_OVER = "The request that made this stream is over."
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
VIEW_SHORT = "The stream ends with fewer bytes than this read's minimum."
VIEW_OVERRUN = "More bytes were responded with than the view has room for."
VIEW_NOT_WRITABLE = "read(view) takes a bytearray or a writable memoryview to fill, not {type}."
VIEW_READ_ONLY = "read(view) fills its view: {type} can't be written to. Give a bytearray."
VIEW_EMPTY = "read(view) needs a view of at least one byte."
VIEW_NOT_FLAT = (
    "read(view) fills contiguous memory of native elements, which this {type} (format {format!r}) is not. "
    "Give a bytearray, an array.array or a memoryview of one."
)
NEW_VIEW_INVALID = "respond_with_new_view() takes bytes, a bytearray or a memoryview, not {type}."
RESPOND_INVALID = "respond() takes a whole number of bytes from 0 up, not {value!r}."
ILLEGAL_CONSTRUCTOR = "Illegal constructor: a {name} is made by its stream."
MINIMUM_INVALID = (
    "A minimum is a whole number from 1 to the view's {limit} elements, not {value!r}."
)
RESPOND_AFTER_CLOSE = "The stream is closed: respond(0) is all that can be said."
RESPOND_NOTHING = (
    "respond() takes at least 1 byte; close() the controller first when there is nothing more."
)
STEP_NOT_AWAITABLE = "An async iterator's __anext__() must return an awaitable, not {type}."
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
COMPRESSION_FORMAT = "The compression format must be either 'deflate', 'deflate-raw' or 'gzip'."
COMPRESSION_CHUNK = "A compression stream takes bytes, bytearray or memoryview, not {type}.{hint}"
WRITABLE_ABORTED = "The stream was aborted."
TIMEOUT_INVALID = "AbortSignal.timeout() takes milliseconds from 0 up, not {value!r}."
NOT_A_SIGNAL = "AbortSignal.any() takes AbortSignals, not {type}."
WRITER_RELEASED = "This WritableStream writer has been released."
CHUNK_NOT_BYTES = "This WritableStream takes bytes, bytearray or memoryview, not {type}.{hint}"
SOURCE_CHUNK_NOT_BYTES = "A body's chunks must be bytes, bytearray or memoryview, not {type}.{hint}"
BODY_ITERATOR_CANCELLED = "The body's iterator was cancelled before its end."
ENCODE_HINT = " Encode the text first: text.encode()."


def chunk_not_bytes(chunk: object, sentence: str = CHUNK_NOT_BYTES) -> TypeError:
    """Return the TypeError for `chunk`, which a byte stream can't take."""
    hint = ENCODE_HINT if isinstance(chunk, str) else ""
    return TypeError(sentence.format(type=type(chunk).__name__, hint=hint))
