"""How a command's help reads: synopsis, what it does, options in groups, examples, exit codes, see also.

Floor 8. Owns the layout and which group an option of the table of settings is in; a command's own file has its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

WIDTH = 100
# Which group an option is in, by the parameter's name; a command may add groups of its own.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "What to run": ("main", "config_file", "environment", "var", "env_file", "name"),
    "Where to listen": (
        *("ip", "port", "local_protocol", "https_key_path", "https_cert_path", "unix_socket"),
    ),
    "What the worker may reach": (
        *("tls_ca", "tls_insecure", "connect_timeout_seconds", "strict"),
    ),
    "While it runs": ("workers", "reload", "keep_last_good", "run_crons"),
    "What is shown": ("show_errors", "log_level", "log_format"),
}
REST = "Other options"
FAILED = (
    "1",
    "The settings or the worker can't be used; the message says what to do.",
)
MISUSED = ("2", "The command line is wrong.")


class Manual(click.Command):
    """A command whose help ends with examples, exit codes and where to read on.

    `examples` are pairs of a command line and what it does; `exit_codes` of a code and its meaning. `groups` name
    options by their parameters, before those of GROUPS.
    """

    def __init__(
        self,
        *arguments: Any,
        examples: Sequence[tuple[str, str]] = (),
        exit_codes: Sequence[tuple[str, str]] = (),
        see_also: Sequence[str] = (),
        groups: Mapping[str, tuple[str, ...]] | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(*arguments, **keywords)
        self.context_settings.setdefault("max_content_width", WIDTH)
        self.examples = examples
        self.exit_codes = exit_codes
        self.see_also = see_also
        own = groups or {}
        self._groups = {
            title: (*own.get(title, ()), *GROUPS.get(title, ())) for title in {**own, **GROUPS}
        }

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group that has options; what is in none comes last."""
        left = {
            param.name: record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option)
            and (record := param.get_help_record(ctx)) is not None
        }
        for title, names in self._groups.items():
            _write_rows(formatter, title, [left.pop(name) for name in names if name in left])
        _write_rows(formatter, REST, list(left.values()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what follows the options."""
        write_sections(formatter, self.examples, self.exit_codes, self.see_also)


def write_sections(
    formatter: click.HelpFormatter,
    examples: Sequence[tuple[str, str]],
    exit_codes: Sequence[tuple[str, str]],
    see_also: Sequence[str],
) -> None:
    """Write the sections Examples, Exit codes and See also; an empty one is left out."""
    if examples:
        with formatter.section("Examples"):
            formatter.write_dl(examples, col_max=42)
    if exit_codes:
        with formatter.section("Exit codes"):
            formatter.write_dl(exit_codes)
    if see_also:
        with formatter.section("See also"):
            formatter.write_text(", ".join(see_also))


def _write_rows(
    formatter: click.HelpFormatter, title: str, rows: Sequence[tuple[str, str]]
) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
