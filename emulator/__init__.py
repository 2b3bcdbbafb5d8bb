"""pyworker: a local Workers-style runtime for Python on CPython."""

__version__ = "0.1.0"
