"""Variables and secrets: which file is read, and which source wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import Config, load
from emulator.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "worker.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(
        'main = "src/worker.py"\nvars = { A = "file", B = 2 }\n[env.x]\n[env.y]\n'
    )
    return tmp_path


def loaded(project: Path, environ: dict[str, str] | None = None, **overrides: object) -> Config:
    return load(None, overrides, directory=project, environ=environ or {})


def write(project: Path, **texts: str) -> None:
    """Write files; `dev_vars_x` is .dev.vars.x."""
    for name, text in texts.items():
        (project / f".{name.replace('_', '.')}").write_text(text)


def test_secrets_win_over_variables_and_the_command_line_over_both(project: Path) -> None:
    write(project, dev_vars="A=secret\nTOKEN=t")
    config = loaded(project)
    assert config.vars == {"A": "secret", "B": 2, "TOKEN": "t"}
    assert config.secrets == {"A", "TOKEN"}
    config = loaded(project, var=("TOKEN:a:b", "C:"))
    assert config.vars == {"A": "secret", "B": 2, "TOKEN": "a:b", "C": ""}
    assert config.secrets == {"A", "TOKEN"}


@pytest.mark.parametrize("text", ["A", ":x", ""])
def test_what_is_no_variable(project: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(project, var=(text,))
    assert str(caught.value) == f"--var takes KEY:VALUE, found {text!r}."


def test_an_environment_has_its_file_instead(project: Path) -> None:
    write(project, dev_vars="T=all\nU=u", dev_vars_x="T=x")
    assert loaded(project).vars["T"] == "all"
    assert loaded(project, environment="x").vars == {"T": "x"}
    assert loaded(project, environment="y").vars == {"T": "all", "U": "u"}


def test_env_files_are_read_together_when_there_is_no_dev_vars(project: Path) -> None:
    write(project, env="A=1\nB=1\nC=1\nD=$A", env_local="B=2\nC=2", env_x="C=3", env_x_local="A=4")
    assert loaded(project).vars == {"A": "1", "B": "2", "C": "2", "D": "1"}
    assert loaded(project, environment="x").vars == {"A": "4", "B": "2", "C": "3", "D": "4"}
    write(project, dev_vars="Z=1\nY=$Z")
    assert loaded(project, environment="x").vars == {"Z": "1", "Y": "$Z"}


def test_env_files_can_be_left_alone(project: Path) -> None:
    write(project, env="not a dotenv file")
    variable = "CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV"
    assert loaded(project, {variable: "false"}).secrets == frozenset()
    with pytest.raises(ConfigError, match=r"^\.env, line 1: a line must be KEY=value"):
        loaded(project, {variable: "true"})
    with pytest.raises(ConfigError) as caught:
        loaded(project, {variable: "no"})
    assert str(caught.value) == f"The variable {variable} must be one of true, false, found no."


def test_files_named_outright_take_the_place_of_env(project: Path) -> None:
    write(project, env="A=env")
    (project / "src" / "one").write_text("A=1\nB=1")
    (project / "two").write_text("A=2")
    assert loaded(project, env_file=("src/one", "two")).vars == {"A": "2", "B": "1"}
    with pytest.raises(ConfigError) as caught:
        loaded(project, env_file=("two", "three"))
    assert str(caught.value) == "--env-file: there is no file three."
    write(project, dev_vars="A=dev")
    config = loaded(project, env_file=("two",))
    assert config.vars["A"] == "dev"
    assert config.notes == ("--env-file has no effect: .dev.vars is there, and comes first.",)


def test_a_folder_called_env_is_none(project: Path) -> None:
    (project / ".env").mkdir()
    assert loaded(project).secrets == frozenset()


def test_they_are_beside_the_settings_or_the_worker(project: Path) -> None:
    write(project / "src", dev_vars="T=src")
    assert "T" not in loaded(project).vars
    (project / "wrangler.toml").unlink()
    assert loaded(project, main="src/worker.py").vars == {"T": "src"}


def test_a_file_that_is_not_text(project: Path) -> None:
    (project / ".dev.vars").write_bytes(b"A=\xff")
    with pytest.raises(ConfigError) as caught:
        loaded(project)
    assert str(caught.value) == ".dev.vars is not UTF-8 text (byte 2). Save it as UTF-8."


def test_required_secrets_are_the_only_ones(project: Path) -> None:
    with (project / "wrangler.toml").open("a") as file:
        file.write('[secrets]\nrequired = ["TOKEN", "GONE"]\n')
    write(project, dev_vars="TOKEN=1\nOTHER=2")
    config = loaded(project)
    assert config.secrets == {"TOKEN"}
    assert "OTHER" not in config.vars
    assert config.notes == (
        "wrangler.toml: `secrets.required` names GONE, which .dev.vars does not have.",
    )


def test_all_files_that_matter_are_known(project: Path) -> None:
    names = [*("wrangler.toml", "wrangler_py.toml", ".dev.vars", ".env", ".env.local")]
    assert loaded(project).sources == tuple(project / name for name in names)
    assert {file.name for file in loaded(project, environment="x").sources} == {
        *names,
        *(".dev.vars.x", ".env.x", ".env.x.local"),
    }


def test_an_environment_with_a_name_that_no_file_can_have(project: Path) -> None:
    (project / "wrangler.toml").write_text('main = "src/worker.py"')
    assert loaded(project, environment="x" * 5000).secrets == frozenset()


def test_strict_mode_counts_secrets(project: Path) -> None:
    write(project, dev_vars=f"A={'x' * 6000}")
    with pytest.raises(ConfigError) as caught:
        loaded(project, strict=True)
    assert str(caught.value).startswith("wrangler.toml: the variable A is 6000 bytes;")
    assert "xxx" not in str(caught.value)
