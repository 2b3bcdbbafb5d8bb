"""web-platform-tests, streams/, in Python: one test a case, in the suite's own folders."""
