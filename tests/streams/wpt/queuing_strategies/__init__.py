"""The suite's queuing-strategies, in Python."""
