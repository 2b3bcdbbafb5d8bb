"""`python -m bench.streams`: chunks per second inside one process, beside other libraries' streams on the same work.

    __main__.py      the command: rounds in turns, medians, a table and JSON
    ends.py          where chunks come from and go to, for each library
    works.py         the works, for each library: reader, pipe, transform, tee

Every chunk has the same 1024 bytes, is taken as one chunk, and about 64 of them may wait in a buffer.
"""
