"""web-platform-tests, streams/piping, in Python."""
