"""The session that `pyworker dev` runs: its terminal, its output, its way to stop. Floor 7; must not know click."""
