"""`pyworker config`: the settings in force, and where each is from.

Floor 8. Owns the command's words and columns; what is in force is emulator/config/explanation.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from emulator.cli.manual import FAILED, MISUSED, Manual
from emulator.cli.options import SESSION, from_settings
from emulator.printable import printable

VALUE_COLUMNS = 40


@click.command(
    "config",
    cls=Manual,
    short_help="Show the settings in force, and where each is from.",
    groups={"What is shown": ("as_json",)},
    examples=(
        ("pyworker config", "what pyworker dev would use here"),
        ("pyworker config --env staging", "what it would use in an environment"),
        ("pyworker config --json", "the same for programs"),
    ),
    exit_codes=(("0", "The settings can be used."), FAILED, MISUSED),
    see_also=("pyworker dev", "pyworker check", "docs/settings.md"),
)
@from_settings(*SESSION)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(config_file: tuple[str, ...], as_json: bool, **overrides: object) -> None:
    """Show the settings that `pyworker dev` would have with the same options.

    Each line is a setting, its value, and where it is from: a file and its line, the command line,
    an environment variable, or the default. The values of secrets are hidden.
    """
    # Imported on use: `pyworker config --help` does not load the settings' reader.
    from emulator.config.explanation import explain

    explanations = explain([Path(file) for file in config_file], overrides)
    if as_json:
        documents = [
            {
                "source": None if each.config.source is None else str(each.config.source),
                "environment": each.config.environment,
                "settings": [
                    {
                        "setting": setting.label,
                        "value": setting.value,
                        "hidden": setting.hidden,
                        "from": origin,
                    }
                    for setting, origin in each.settings
                ],
                "notes": each.config.notes,
            }
            for each in explanations
        ]
        click.echo(json.dumps(documents, indent=2))
        return
    for number, each in enumerate(explanations):
        if number:
            click.echo()
        _show([(setting.label, setting.text, origin) for setting, origin in each.settings])
        for note in each.config.notes:
            click.echo(note, err=True)


def _show(rows: list[tuple[str, str, str]]) -> None:
    """Print three columns; a long value pushes only its own line's last one aside."""
    label_width = max(len(label) for label, _, _ in rows)
    value_width = min(max(len(text) for _, text, _ in rows), VALUE_COLUMNS)
    for label, text, origin in rows:
        click.echo(f"{printable(label):{label_width}}  {text:{value_width}}  {printable(origin)}")
