"""What handlers know as `env`: a worker's variables and bindings by name.

Floor 5. Owns the look-up and its errors; must not know what a binding is or where variables come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from emulator.errors import ENV_MISSING, ENV_OUTSIDE
from emulator.nearest import nearest


class Environment(Mapping[str, Any]):
    """`env.GOPHER` and `env["GOPHER"]`; iterating gives the names. Its repr tells names, never values."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        # Attributes of the instance go before methods: a variable may be called `get`.
        vars(self).update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_missing(name, self), name=name, obj=self)

    def __getitem__(self, name: str) -> Any:
        try:
            return vars(self)[name]
        except KeyError:
            raise KeyError(_missing(name, self)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def __len__(self) -> int:
        return len(vars(self))

    def __repr__(self) -> str:
        return f"<env {', '.join(self) or 'without variables'}>"


_current: ContextVar[Environment | None] = ContextVar("pyworker_env", default=None)


class ImportedEnvironment:
    """`from workers import env`: stands for the env of whichever worker is running."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_require(), name)

    def __getitem__(self, name: str) -> Any:
        return _require()[name]

    def __contains__(self, name: object) -> bool:
        return name in _require()

    def __iter__(self) -> Iterator[str]:
        return iter(_require())

    def __len__(self) -> int:
        return len(_require())

    def __repr__(self) -> str:
        environment = _current.get()
        return "<env outside a worker>" if environment is None else repr(environment)


env = ImportedEnvironment()


# The two halves of `current`, for who can't afford an object for it.
make_current = _current.set
restore = _current.reset


def current_environment() -> Environment | None:
    """The env of whichever worker's code is running; None outside a worker."""
    return _current.get()


class current:
    """`with current(environment):` has `from workers import env` mean it in the block and the tasks it starts."""

    __slots__ = ("_environment", "_token")

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __enter__(self) -> None:
        self._token = _current.set(self._environment)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def _require() -> Environment:
    environment = _current.get()
    if environment is None:
        raise RuntimeError(ENV_OUTSIDE)
    return environment


def _missing(name: str, environment: Environment) -> str:
    near = nearest(name.upper(), (known.upper() for known in environment))
    meant = next((known for known in environment if known.upper() == near), None)
    hint = f" Did you mean {meant}?" if meant else ""
    return ENV_MISSING.format(name=name, hint=hint)
