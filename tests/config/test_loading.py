"""Where settings come from and which source wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import Config, ConnectListener, EventLoopChoice, Limits, load
from emulator.config.settings import FILE_NAMES
from emulator.errors import ConfigError
from tests.config.messages import without_place


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a worker in src/worker.py and no settings file."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "worker.py").write_text("")
    return tmp_path


def read(project: Path, text: str, **overrides: object) -> Config:
    """Load `text` as the project's wrangler_py.toml."""
    (project / "wrangler_py.toml").write_text(text)
    return load(None, overrides, directory=project, environ={})


def refusal(project: Path, text: str | None = None, **overrides: object) -> str:
    """The message with which the settings are refused."""
    if text is not None:
        (project / "wrangler_py.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(None, overrides, directory=project, environ={})
    return str(caught.value)


def test_a_bare_script_has_the_defaults(project: Path) -> None:
    config = load(None, {"main": "src/worker.py"}, directory=project, environ={})
    assert config == Config(
        name="worker",
        main=project / "src" / "worker.py",
        compatibility_date=None,
        compatibility_flags=(),
        vars={},
        connect=(),
        ip="localhost",
        port=8787,
        tls_ca=(),
        tls_insecure=(),
        connect_timeout_seconds=30.0,
        limits=Limits(),
        strict=None,
        event_loop=EventLoopChoice.AUTO,
        source=None,
        notes=(),
        sources=tuple(
            project / "src" / name for name in (*FILE_NAMES, ".dev.vars", ".env", ".env.local")
        ),
    )


def test_a_file_says_everything(project: Path) -> None:
    config = read(
        project,
        """
        name = "gopher"
        main = "src/worker.py"
        compatibility_date = "2026-08-01"
        compatibility_flags = ["python_workers"]
        [vars]
        HOST = "localhost:7070"
        COUNT = 3
        RATIO = 0.5
        ON = true
        NESTED = { list = [1, "two", { three = 3 }] }
        [dev]
        ip = "127.0.0.1"
        port = 9000
        [[connect]]
        protocol = "tcp"
        port = 7070
        address = "127.0.0.1"
        [[connect]]
        protocol = "tcp"
        port = 7071
        """,
    )
    assert config.name == "gopher"
    assert config.main == project / "src" / "worker.py"
    assert config.compatibility_date == "2026-08-01"
    assert config.compatibility_flags == ("python_workers",)
    assert config.vars == {
        "HOST": "localhost:7070",
        "COUNT": 3,
        "RATIO": 0.5,
        "ON": True,
        "NESTED": {"list": [1, "two", {"three": 3}]},
    }
    assert (config.ip, config.port) == ("127.0.0.1", 9000)
    assert config.connect == (
        ConnectListener("tcp", 7070, "127.0.0.1"),
        ConnectListener("tcp", 7071, "localhost"),
    )
    assert config.source == project / "wrangler_py.toml"
    assert config.notes == ()


def test_the_command_line_wins(project: Path) -> None:
    (project / "other.py").write_text("")
    config = read(
        project,
        'name = "a"\nmain = "src/worker.py"\nvars = { A = 1 }\n[dev]\nport = 9000\nip = "::1"',
        main="other.py",
        port=0,
        ip=None,
    )
    assert config.main == project / "other.py"
    assert (config.ip, config.port) == ("::1", 0)
    assert config.vars == {"A": 1}


def test_vars_cannot_be_changed(project: Path) -> None:
    config = read(project, 'main = "src/worker.py"\nvars = { A = 1 }')
    with pytest.raises(TypeError):
        config.vars["A"] = 2  # type: ignore[index]


def test_the_nearest_file_is_read(project: Path) -> None:
    (project / "wrangler.toml").write_text('name = "far"\nmain = "src/worker.py"')
    assert load(None, directory=project / "src").name == "far"
    (project / "src" / "wrangler.toml").write_text('name = "near"\nmain = "worker.py"')
    assert load(None, directory=project / "src").name == "near"
    assert load(None, {"main": "src/worker.py"}, directory=project).name == "near"
    assert load(None, directory=project).name == "far"


def test_wrangler_py_toml_comes_before_wrangler_toml(project: Path) -> None:
    (project / "wrangler.toml").write_text('name = "second"\nmain = "src/worker.py"')
    assert read(project, 'name = "first"\nmain = "src/worker.py"').name == "first"


def test_a_file_named_outright_is_read(project: Path) -> None:
    (project / "wrangler.toml").write_text("never read")
    (project / "my.toml").write_text('main = "src/worker.py"\nname = "mine"')
    assert load(Path("my.toml"), directory=project).name == "mine"


def test_a_byte_order_mark_is_no_mistake(project: Path) -> None:
    (project / "wrangler.toml").write_bytes(b'\xef\xbb\xbfmain = "src/worker.py"\r\n')
    assert load(None, directory=project).name == "worker"


@pytest.mark.parametrize(
    ("file_name", "worker_name"),
    [("Hello World.py", "hello-world"), ("a_b-1.py", "a_b-1"), ("ü.py", "worker")],
)
def test_a_worker_without_name_is_named_after_its_file(
    project: Path, file_name: str, worker_name: str
) -> None:
    (project / file_name).write_text("")
    assert load(None, {"main": file_name}, directory=project).name == worker_name


def test_keys_without_effect_give_one_note_each(project: Path) -> None:
    config = read(
        project,
        '"$schema" = "x"\nmain = "src/worker.py"\nworkers_dev = true\n'
        '[[kv_namespaces]]\nbinding = "A"\n[[kv_namespaces]]\nbinding = "B"\n'
        '[env.staging]\nname = "s"',
    )
    assert config.notes == (
        "wrangler_py.toml: `workers_dev` has no effect here yet.",
        "wrangler_py.toml: `kv_namespaces` has no effect here yet.",
    )


def test_nothing_to_serve(project: Path) -> None:
    assert refusal(project) == (
        "There is no worker to serve: neither this folder nor one above it has a settings file "
        "(wrangler_py.toml, wrangler.toml, wrangler.json, wrangler.jsonc). Name the worker's file, pyworker dev "
        'path/to/worker.py, or write a wrangler_py.toml with main = "path/to/worker.py".'
    )


def test_no_main(project: Path) -> None:
    assert refusal(project, 'name = "a"') == (
        'wrangler_py.toml has no `main`. Add main = "path/to/worker.py", or name the worker\'s '
        "file: pyworker dev path/to/worker.py"
    )


def test_a_main_that_is_missing(project: Path) -> None:
    assert refusal(project, 'main = "src/workr.py"') == (
        "wrangler_py.toml, line 1, column 8: `main`: there is no file src/workr.py. Did you mean src/worker.py?"
    )


def test_a_script_that_is_missing(project: Path) -> None:
    assert refusal(project, main="zzz.py") == "SCRIPT zzz.py: there is no file zzz.py."


def test_a_script_that_is_a_directory(project: Path) -> None:
    assert refusal(project, main="src") == (
        "SCRIPT src: src is a directory. Name the worker's file in it."
    )


def test_a_main_that_is_not_python(project: Path) -> None:
    assert refusal(project, 'main = "src/index.js"') == (
        "wrangler_py.toml, line 1, column 8: `main`: src/index.js is not a Python file. pyworker runs workers in "
        ".py files."
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.toml", "none.toml does not exist. Check the path given to --config."),
        ("src", "src is a directory. Give --config the settings file inside it."),
    ],
)
def test_a_config_file_that_cannot_be_read(project: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(Path(name), directory=project)
    assert str(caught.value) == message


def test_a_file_that_is_not_utf8(project: Path) -> None:
    (project / "wrangler.toml").write_bytes(b'name = "\xff"')
    assert refusal(project) == "wrangler.toml is not UTF-8 text (byte 8). Save it as UTF-8."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'name = "a"\nmain "b"',
            "wrangler_py.toml, line 2, column 6: Expected '=' after a key in a key/value pair.\n"
            '  2 | main "b"\n'
            "           ^",
        ),
        (
            'name = "a',
            'wrangler_py.toml, line 1, column 10: Unterminated string.\n  1 | name = "a\n'
            "               ^",
        ),
    ],
)
def test_broken_toml_names_line_and_column(project: Path, text: str, message: str) -> None:
    assert refusal(project, text) == message


def test_two_listeners_on_one_port_are_both_named(project: Path) -> None:
    text = (
        'main = "src/worker.py"\n'
        '[[connect]]\nprotocol = "tcp"\nport = 7070\n'
        '[[connect]]\nprotocol = "tcp"\nport = 7070\naddress = "::1"\n'
    )
    assert without_place(refusal(project, text)) == (
        "wrangler_py.toml: two [[connect]] entries listen on tcp port 7070: number 1 (address "
        "localhost) and number 2 (address ::1). Give each its own port."
    )


def test_two_listeners_on_any_free_port_do_not_clash(project: Path) -> None:
    entry = '[[connect]]\nprotocol = "tcp"\nport = 0\n'
    assert len(read(project, 'main = "src/worker.py"\n' + entry * 2).connect) == 2


def test_names_and_dates_have_a_form(project: Path) -> None:
    assert without_place(refusal(project, 'name = "My Worker"')) == (
        "wrangler_py.toml: `name` must be lowercase letters, digits, dashes and underscores, "
        'found "My Worker".'
    )
    assert without_place(refusal(project, 'compatibility_date = "soon"')) == (
        'wrangler_py.toml: `compatibility_date` must be a date as "YYYY-MM-DD", found "soon".'
    )


def test_the_event_loop_comes_from_the_environment(project: Path) -> None:
    overrides = {"main": "src/worker.py"}
    environ = {"PYWORKER_LOOP": "asyncio"}
    config = load(None, overrides, directory=project, environ=environ)
    assert config.event_loop is EventLoopChoice.ASYNCIO
    with pytest.raises(ConfigError) as caught:
        load(None, overrides, directory=project, environ={"PYWORKER_LOOP": "trio"})
    assert str(caught.value) == (
        "The variable PYWORKER_LOOP must be one of auto, uvloop, asyncio, found trio."
    )


# Trust and time of connect().


def test_files_of_certificates_are_relative_to_what_names_them_and_add_up(project: Path) -> None:
    for name in ("file.pem", "src/line.pem", "src/second.pem"):
        (project / name).write_text("")
    (project / "wrangler_py.toml").write_text(
        'main = "src/worker.py"\n[dev]\ntls_ca = "file.pem"\ntls_insecure = ["a", "b"]'
    )
    config = load(
        project / "wrangler_py.toml",
        {"tls_ca": ("line.pem", "second.pem"), "tls_insecure": ("c",)},
        directory=project / "src",
        environ={},
    )
    assert config.tls_ca == (
        project / "file.pem",
        project / "src" / "line.pem",
        project / "src" / "second.pem",
    )
    assert config.tls_insecure == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ('tls_ca = "no.pem"', {}, "wrangler_py.toml: `dev.tls_ca`: there is no file no.pem."),
        ("", {"tls_ca": ("no.pem",)}, "--tls-ca: there is no file no.pem."),
        (
            "tls_ca = 3",
            {},
            "wrangler_py.toml: `dev.tls_ca` must be a string or a list of strings, "
            "found a whole number (3).",
        ),
        (
            'tls_insecure = ["a", 1]',
            {},
            "wrangler_py.toml: `dev.tls_insecure[1]` must be a string, found a whole number (1).",
        ),
        (
            "connect_timeout_seconds = 0",
            {},
            "wrangler_py.toml: `dev.connect_timeout_seconds` must be a number of seconds above 0, "
            "found a whole number (0).",
        ),
        (
            "connect_timeout_seconds = inf",
            {},
            "wrangler_py.toml: `dev.connect_timeout_seconds` must be a number of seconds above 0, "
            "found a number with a fraction (inf).",
        ),
        (
            "connect_timeout_seconds = true",
            {},
            "wrangler_py.toml: `dev.connect_timeout_seconds` must be a number of seconds above 0, "
            "found a boolean (true).",
        ),
        (
            "",
            {"connect_timeout_seconds": float("nan")},
            "--connect-timeout takes a number of seconds above 0, not nan.",
        ),
        (
            "",
            {"connect_timeout_seconds": -1.0},
            "--connect-timeout takes a number of seconds above 0, not -1.0.",
        ),
    ],
)
def test_trust_and_time_that_cannot_be(
    project: Path, text: str, overrides: dict[str, object], message: str
) -> None:
    assert (
        without_place(refusal(project, f'main = "src/worker.py"\n[dev]\n{text}', **overrides))
        == message
    )


@pytest.mark.parametrize(
    ("text", "overrides", "seconds"),
    [
        ("connect_timeout_seconds = 2.5", {}, 2.5),
        ("connect_timeout_seconds = 2", {"connect_timeout_seconds": 0.5}, 0.5),
    ],
)
def test_the_time_for_connecting(
    project: Path, text: str, overrides: dict[str, object], seconds: float
) -> None:
    config = read(project, f'main = "src/worker.py"\n[dev]\n{text}', **overrides)
    assert config.connect_timeout_seconds == seconds
