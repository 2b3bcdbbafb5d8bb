"""What a named environment has of the top level."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import SETTINGS, Config, ServiceBinding, load, load_all, parse_cron
from emulator.config.environments import NOT_INHERITED, TOP_LEVEL_ONLY
from emulator.errors import ConfigError
from tests.config.messages import without_place

TEXT = """
name = "hello"
main = "worker.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["a"]
kv_namespaces = []
[vars]
A = "top"
B = "top"
[limits]
cpu_ms = 50
subrequests = 5
[[services]]
binding = "AUTH"
service = "auth"
[triggers]
crons = ["* * * * *"]
[dev]
port = 9000
[env.staging]
compatibility_date = "2026-02-02"
[env.staging.vars]
A = "staging"
[env.staging.limits]
cpu_ms = 60
[env.named]
name = "other"
vars = { A = "x", B = "y" }
kv_namespaces = []
[[env.named.services]]
binding = "DB"
service = "db"
entrypoint = "Admin"
environment = "named"
[env.bare]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text("")
    return tmp_path


def loaded(
    project: Path, environment: str | None, text: str = TEXT, environ: dict[str, str] | None = None
) -> Config:
    (project / "wrangler.toml").write_text(text)
    overrides = {"environment": environment}
    return load(None, overrides, directory=project, environ=environ or {})


def refusal(project: Path, environment: str, text: str = TEXT) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(project, environment, text)
    return str(caught.value)


def test_without_one_the_top_level_is_in_force(project: Path) -> None:
    config = loaded(project, None)
    assert (config.name, config.environment, config.vars["A"]) == ("hello", None, "top")
    assert config.services == (ServiceBinding("AUTH", "auth"),)
    assert config.notes == ("wrangler.toml: `kv_namespaces` has no effect here yet.",)


def test_most_keys_are_inherited_unless_the_environment_has_them(project: Path) -> None:
    config = loaded(project, "staging")
    assert config.environment == "staging"
    assert config.name == "hello-staging"
    assert config.main == project / "worker.py"
    assert config.compatibility_date == "2026-02-02"
    assert config.compatibility_flags == ("a",)
    assert config.crons == (parse_cron("* * * * *"),)
    assert config.port == 9000


def test_a_table_is_inherited_whole_or_not_at_all(project: Path) -> None:
    limits = loaded(project, "staging").limits
    assert (limits.cpu_ms, limits.subrequests) == (60, 10_000)
    assert loaded(project, "bare").limits.subrequests == 5


def test_variables_and_bindings_are_not_inherited_and_one_note_names_them(project: Path) -> None:
    config = loaded(project, "staging")
    assert config.vars == {"A": "staging"}
    assert config.services == ()
    assert config.notes == (
        "wrangler.toml: the top level has `kv_namespaces`, `services`, `vars.B`, `env.staging` has "
        "not, and an environment does not inherit these. Add to it what the worker needs.",
    )
    assert loaded(project, "bare").vars == {}


def test_an_environment_that_says_everything(project: Path) -> None:
    config = loaded(project, "named")
    assert config.name == "other"
    assert config.vars == {"A": "x", "B": "y"}
    assert config.services == (ServiceBinding("DB", "db", "Admin", "named"),)
    assert config.notes == ("wrangler.toml: `env.named.kv_namespaces` has no effect here yet.",)


def test_a_worker_without_name_has_its_files_and_the_environments(project: Path) -> None:
    assert loaded(project, "x", 'main = "worker.py"\n[env.x]').name == "worker-x"


def test_the_variable_chooses_and_the_option_wins(project: Path) -> None:
    environ = {"CLOUDFLARE_ENV": "staging"}
    assert loaded(project, None, environ=environ).environment == "staging"
    assert loaded(project, "named", environ=environ).environment == "named"
    assert loaded(project, "", environ=environ).environment is None
    assert loaded(project, None, environ={"CLOUDFLARE_ENV": ""}).environment is None


def test_one_that_is_not_there(project: Path) -> None:
    assert without_place(refusal(project, "stagin")) == (
        "wrangler.toml: there is no environment stagin; there are staging, named, bare. "
        "Did you mean staging?"
    )


def test_a_file_without_any_has_a_note(project: Path) -> None:
    config = loaded(project, "x", 'name = "a"\nmain = "worker.py"')
    assert config.name == "a-x"
    assert config.notes == (
        "wrangler.toml: there is no environment x: the file has no `env`. The top level's settings "
        "are used.",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[env.x.dev]\nport = 1", "`env.x.dev` has no place in an environment. Move `dev` to"),
        ("[env.x]\nvras = 1", "unknown key `env.x.vras`. Did you mean `env.x.vars`?"),
        ("[env.x]\nname = 1", "`env.x.name` must be a string, found a whole number (1)."),
        ("[env.x]\nname = 'A B'", "`env.x.name` must be lowercase letters"),
        ("[env]\nx = 1", "`env.x` must be a table, found a whole number (1)."),
        ("env = 1", "`env` must be a table, found a whole number (1)."),
        ("[[env.x.services]]\nbinding = 'A'", "`env.x.services[0]` has no `service`. Add, for"),
        ("[env.x.limits]\ncpu_ms = 0", "`env.x.limits.cpu_ms` must be 1 or more, not 0."),
        ("[env.x]\nmain = 'no.py'", "`env.x.main`: there is no file no.py."),
    ],
)
def test_mistakes_in_one(project: Path, text: str, message: str) -> None:
    told = refusal(project, "x", f'main = "worker.py"\n{text}')
    assert without_place(told).startswith(f"wrangler.toml: {message}")


def test_the_place_is_the_environments_own(project: Path) -> None:
    assert refusal(project, "x", 'vars = { A = 1 }\n[env.x]\nvars = "x"').startswith(
        "wrangler.toml, line 3, column 8: `env.x.vars`"
    )


def test_mistakes_in_another_do_not_matter(project: Path) -> None:
    text = 'main = "worker.py"\n[env.x]\n[env.y]\nnonsense = 1'
    assert loaded(project, "x", text).environment == "x"


def test_all_workers_have_the_environment_and_the_first_the_other_options(project: Path) -> None:
    for name in ("a", "b"):
        (project / f"{name}.toml").write_text(
            f'name = "{name}"\nmain = "worker.py"\n[dev]\nport = 9000\n[env.x]\n'
        )
    overrides = {"environment": "x", "port": 1, "var": ("A:1",)}
    files = [Path("a.toml"), Path("b.toml")]
    first, second = load_all(files, overrides, directory=project, environ={})
    assert (first.name, first.port, first.vars) == ("a-x", 1, {"A": "1"})
    assert (second.name, second.port, second.vars) == ("b-x", 9000, {})
    (alone,) = load_all((), {"main": "worker.py"}, directory=project, environ={})
    assert alone.source is None


def test_the_lists_name_keys_that_there_are() -> None:
    keys = {row.key.split(".")[0].removesuffix("[]") for row in SETTINGS if row.key is not None}
    assert keys >= NOT_INHERITED | TOP_LEVEL_ONLY
    assert not NOT_INHERITED & TOP_LEVEL_ONLY
