"""The page of a run, docs/benchmarks.md: `python -m bench.page RESULTS.json` writes it anew from a run's JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import plot
from bench.processes import REPOSITORY
from bench.report import goal_rows, result_rows

DOCS = REPOSITORY / "docs"
NAME = "benchmarks"
_ESCAPED = {"<=": "≤", ">=": "≥"}


def write(made: Mapping[str, Any], folder: Path = DOCS) -> Path:
    """Write page, plot and JSON of the document `made`; return the page's path.

    Raises ImportError without matplotlib.
    """
    plot.draw(made, folder / f"{NAME}.svg")
    (folder / f"{NAME}.json").write_text(json.dumps(made, indent=1) + "\n")
    path = folder / f"{NAME}.md"
    path.write_text(markdown(made))
    return path


def markdown(made: Mapping[str, Any]) -> str:
    """Return the page of the document `made`."""
    machine = made["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    notes = "".join(f"- {note}\n" for note in made["notes"])
    return f"""# Benchmarks

Made by `python -m bench --docs`; [performance.md](performance.md) explains it. Only ratios within one run mean
anything. The figures are medians of {made["rounds"]} samples, taken in turns, with the lowest and the highest; CPU is
the server's own. {made["connections"]} clients, {made["seconds"]:g} s a sample of a rate, by {made["generator"]};
streams of {made["stream_bytes"] // 1024**2:,} MiB.

- {made["date"]}, commit {machine["revision"] or "unknown"}
- {machine["processor"]}, {machine["processors"]} processors, {machine["memory_bytes"] / 1024**3:.0f} GiB,
  {machine["system"]} {machine["release"]}, Python {machine["python"]}
- {versions}
{notes}
## Ratios

{_table(goal_rows(made), 4)}

## Results

![A panel a load, a bar a server]({NAME}.svg)

{_table(result_rows(made), 3)}
"""


def _table(rows: Sequence[tuple[str, ...]], left: int) -> str:
    rule = " | ".join("---" if column < left else "---:" for column in range(len(rows[0])))
    lines = [" | ".join(_cell(cell) for cell in row) for row in rows]
    lines.insert(1, rule)
    return "\n".join(f"| {line} |" for line in lines)


def _cell(text: str) -> str:
    for plain, sign in _ESCAPED.items():
        text = text.replace(plain, sign)
    return text


def main() -> int:
    """Write the page from the file that is named."""
    if len(sys.argv) != 2:
        print("usage: python -m bench.page RESULTS.json", file=sys.stderr)
        return 2
    print(write(json.loads(Path(sys.argv[1]).read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
