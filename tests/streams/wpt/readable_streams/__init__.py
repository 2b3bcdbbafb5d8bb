"""The suite's readable-streams, in Python."""
