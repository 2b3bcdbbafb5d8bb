"""The base classes that workers subclass.

Floor 5. Owns `self.ctx` and `self.env`; must not know how classes are found or called.
"""

from __future__ import annotations

from typing import Any, Self


class _Base:
    """Sets `ctx` and `env` before `__init__` runs, so that they are there even without `super().__init__()`."""

    ctx: Any
    env: Any

    def __new__(cls, ctx: Any = None, env: Any = None, *args: Any, **kwargs: Any) -> Self:
        instance = super().__new__(cls)
        instance.ctx = ctx
        instance.env = env
        return instance

    def __init__(self, ctx: Any = None, env: Any = None) -> None:
        """Take the event's ExecutionContext (a Durable Object: its state) and the worker's env."""


class WorkerEntrypoint(_Base):
    """A worker's handlers as methods: fetch, connect, scheduled, queue, tail, email.

    A new instance is made for each event. Source: python-workers.md, "Entry points".
    """


class DurableObject(_Base):
    """Base of Durable Object classes, so that modules which define them import. They are not served."""


class WorkflowEntrypoint(_Base):
    """Base of Workflow classes, so that modules which define them import. They are not served."""
