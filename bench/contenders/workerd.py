"""workerd, the platform's own server, with a worker in JavaScript; and wrangler dev, which runs it for developers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from bench.contenders.base import Contender, Task
from bench.processes import HOST, Launch

_SCRIPT = Path(__file__).parents[1] / "servers" / "workerd.js"
_DATE = "2025-01-01"
# Where `make bench-peers` has npm put it; npm's own link wants a script that is not always run.
PACKAGES = Path(__file__).parents[1] / "peers" / "node_modules"
_CONFIGURATION = """\
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"]{trust})),
  ],
  sockets = [(name = "http", address = {address}, http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "{date}",
  bindings = [(name = "LOAD", text = {load}), (name = "UPSTREAM", text = {upstream})],
);
"""
_LOADS = ("hello", "echo", "json", "tcp", "stream", "stream-tls", "held", "slow", "idle", "start")


class Workerd(Contender):
    """`workerd serve` with bench/servers/workerd.js."""

    name = "workerd"
    is_peer = True
    has_loops = False

    def missing(self) -> str | None:
        return None if _program() else "npm install --prefix bench/peers workerd"

    def version(self) -> str | None:
        program = _program()
        if program is None:
            return None
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        return said.stdout.removeprefix("workerd").strip() or None

    def launch(self, task: Task, port: int) -> Launch | None:
        program = _program()
        if program is None or task.load not in _LOADS:
            return None
        trust = ""
        if task.authority is not None:
            certificate = json.dumps(task.authority.read_text())
            trust = f", tlsOptions = (trustedCertificates = [{certificate}])"
        folder = task.folder / f"workerd-{port}"
        folder.mkdir()
        shutil.copy(_SCRIPT, folder / "worker.js")
        configuration = folder / "worker.capnp"
        configuration.write_text(
            _CONFIGURATION.format(
                trust=trust,
                address=json.dumps(f"{HOST}:{port}"),
                date=_DATE,
                load=json.dumps(task.load),
                upstream=json.dumps(f"{HOST}:{task.upstream_port}"),
            )
        )
        return Launch([program, "serve", str(configuration)], {})


class Wrangler(Contender):
    """`wrangler dev` with a worker in JavaScript."""

    name = "wrangler"
    is_peer = True
    has_loops = False

    def missing(self) -> str | None:
        return None if _wrangler() else "npm install --prefix bench/peers wrangler"

    def version(self) -> str | None:
        manifest = PACKAGES / "wrangler" / "package.json"
        if not manifest.exists():
            return None
        return str(json.loads(manifest.read_text())["version"])

    def launch(self, task: Task, port: int) -> Launch | None:
        program = _wrangler()
        if program is None or task.load not in ("start", "reload"):
            return None
        folder = task.folder / "wrangler"
        if not folder.exists():
            self.edit(task, "Hello, World!")
        argv = (program, "dev", "worker.js", "--ip", HOST, "--port", str(port))
        options = ("--name", "bench", "--compatibility-date", _DATE, "--cwd", str(folder))
        return Launch([*argv, *options], {"WRANGLER_SEND_METRICS": "false", "CI": "1"})

    def edit(self, task: Task, text: str) -> bool:
        folder = task.folder / "wrangler"
        folder.mkdir(exist_ok=True)
        script = f"export default {{ fetch() {{ return new Response({json.dumps(text)}) }} }}\n"
        (folder / "worker.js").write_text(script)
        return True


def _program() -> str | None:
    shipped = sorted(PACKAGES.glob("@cloudflare/workerd-*/bin/workerd*"))
    return str(shipped[0]) if shipped else shutil.which("workerd")


def _wrangler() -> str | None:
    shipped = PACKAGES / ".bin" / "wrangler"
    return str(shipped) if shipped.exists() else shutil.which("wrangler")


WORKERD = Workerd()
WRANGLER = Wrangler()
