"""New projects: what is written, and what never is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.cli import main
from emulator.cli.init import TEMPLATES
from emulator.config import load
from emulator.dev.project import create, worker_name
from emulator.errors import ProjectError


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_project_has_its_files_and_its_settings_are_read(template: str, tmp_path: Path) -> None:
    project = create(tmp_path / "My Worker", template)
    assert project.name == "my-worker"
    assert files_of(project.folder) == set(project.files)
    needed = {"src/entry.py", "wrangler.toml", "tests/test_worker.py", "README.md", ".gitignore"}
    assert needed <= set(project.files)
    config = load(project.folder / "wrangler.toml")
    assert (config.name, config.main) == ("my-worker", project.folder / "src" / "entry.py")
    for path in project.files:
        assert "$" not in (project.folder / path).read_text("utf-8"), path


def test_an_empty_folder_will_do_and_so_does_a_clone(tmp_path: Path) -> None:
    (tmp_path / "app" / ".git").mkdir(parents=True)
    assert create(tmp_path / "app", "hello").files


def test_nothing_is_written_beside_something(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number}.txt").write_text("mine")
    with pytest.raises(ProjectError) as raised:
        create(tmp_path, "hello")
    assert str(raised.value) == (
        f"{tmp_path} is not empty: it has 0.txt, 1.txt, 2.txt, 3.txt, 4.txt …. Nothing was written. "
        "Choose a new name: pyworker init NAME"
    )
    assert len(files_of(tmp_path)) == 7


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("mine")
    with pytest.raises(ProjectError, match=r"app is a file\. Choose another name"):
        create(tmp_path / "app", "hello")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_is_closed_is_told_of(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ProjectError, match="can't be written: Permission denied"):
        create(tmp_path / "app", "hello")


def test_a_folder_below_a_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("mine")
    with pytest.raises(ProjectError, match="can't be written: Not a directory"):
        create(tmp_path / "app" / "inner", "hello")


@pytest.mark.parametrize(
    ("text", "name"),
    [("app", "app"), ("My App_2", "my-app-2"), ("é-x", "x"), ("a" * 80, "a" * 63)],
)
def test_names_have_the_letters_that_a_host_name_has(text: str, name: str) -> None:
    assert worker_name(text) == name


def test_a_name_without_letters_is_refused() -> None:
    with pytest.raises(ProjectError, match="No worker can be called '…'"):
        worker_name("…")


def test_the_command_tells_what_it_wrote_and_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["init", "my app"])
    assert result.exit_code == 0
    assert "  src/entry.py\n" in result.output
    assert "Made the worker my-app. Next:\n\n  cd 'my app'\n  pyworker dev " in result.output
    again = CliRunner().invoke(main, ["init", "my app"])
    assert again.exit_code == 1
    assert "is not empty: it has .gitignore, README.md," in again.stderr


def test_without_a_name_the_current_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["init"])
    assert result.exit_code == 0
    assert "cd " not in result.output
    assert (tmp_path / "src" / "entry.py").is_file()
