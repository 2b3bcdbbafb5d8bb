"""The plot of a run: a panel a load, a bar a server, whiskers from the lowest sample to the highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
# A panel with fewer has room left below them.
FEWEST_BARS = 6
OURS = "#d9622b"
THEIRS = "#7d92ab"


def draw(made: Mapping[str, Any], path: Path) -> None:
    """Write the plot of the document `made` to `path`, an SVG file. Raises ImportError without matplotlib."""
    import matplotlib as mpl  # Heavy, and there for this only.
    from matplotlib.figure import Figure

    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 8})
    loads = list(dict.fromkeys(entry["load"] for entry in made["results"]))
    rows = -(-len(loads) // COLUMNS)
    bars = max(sum(entry["load"] == load for entry in made["results"]) for load in loads)
    drawing = Figure(figsize=(5 * COLUMNS, rows * (0.8 + 0.22 * bars)), layout="constrained")
    panels = list(drawing.subplots(rows, COLUMNS, squeeze=False).flat)
    for load, panel in zip(loads, panels, strict=False):
        _draw_panel(panel, [entry for entry in made["results"] if entry["load"] == load])
    for panel in panels[len(loads) :]:
        panel.set_visible(False)
    drawing.savefig(path, metadata={"Date": None})


def _draw_panel(panel: Axes, entries: Sequence[Mapping[str, Any]]) -> None:
    names = [f"{entry['server']} {entry['loop']}".strip() for entry in entries]
    medians = [entry["value"]["median"] for entry in entries]
    below = [entry["value"]["median"] - entry["value"]["low"] for entry in entries]
    above = [entry["value"]["high"] - entry["value"]["median"] for entry in entries]
    colours = [OURS if name.startswith("pyworker") else THEIRS for name in names]
    panel.barh(names, medians, xerr=(below, above), color=colours, ecolor="#444444", capsize=2)
    panel.set_ylim(max(len(names), FEWEST_BARS) - 0.5, -0.5)
    first = entries[0]
    better = "less is better" if first["less_is_better"] else "more is better"
    panel.set_title(f"{first['load']}: {first['title']}\n{first['unit']}, {better}", loc="left")
    panel.spines[["top", "right"]].set_visible(False)
