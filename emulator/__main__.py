"""`python -m emulator` is `pyworker`. Floor 8."""

from emulator.cli import main

if __name__ == "__main__":
    main(prog_name="pyworker")
