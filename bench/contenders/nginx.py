"""nginx with one worker process: static answers, and proxy_pass to the upstream, which speaks HTTP to it."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
from pathlib import Path

from bench.contenders.base import Contender, Task
from bench.processes import HOST, Launch

# Debian keeps it where only root's PATH looks.
_PLACES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx")
_CONFIGURATION = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_requests 100000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {host}:{port} backlog=4096;
        location / {{
            {location}
        }}
    }}
}}
"""
_STATIC = {
    "hello": 'return 200 "Hello, World!";',
    "json": "default_type application/json; return 200 "
    '\'{"message": "Hello, World!", "numbers": [1, 2, 3], "nested": {"yes": true}}\';',
    "idle": 'return 200 "Hello, World!";',
}
_BUFFERED = "proxy_buffers 16 256k; proxy_buffer_size 256k; proxy_max_temp_file_size 0;"
_UNBUFFERED = "proxy_buffering off;"
_PROXIED = {
    "tcp": "",
    "stream": _BUFFERED,
    "stream-tls": _BUFFERED,
    "held": _UNBUFFERED,
    "slow": _UNBUFFERED,
}


class Nginx(Contender):
    """Buffered with 16 x 256 KiB for fast streams, unbuffered for slow ones."""

    name = "nginx"
    is_peer = True
    has_loops = False

    def missing(self) -> str | None:
        return "apt-get install nginx-light" if _program() is None else None

    def version(self) -> str | None:
        program = _program()
        if program is None:
            return None
        said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
        found = re.search(r"nginx/([\d.]+)", said.stderr)
        return found[1] if found else None

    def launch(self, task: Task, port: int) -> Launch | None:
        program = _program()
        location = _location(task)
        if program is None or location is None:
            return None
        folder = task.folder / f"nginx-{port}"
        folder.mkdir()
        configuration = folder / "nginx.conf"
        files = _files()
        configuration.write_text(
            _CONFIGURATION.format(
                host=HOST, port=port, files=files, connections=files - 100, location=location
            )
        )
        return Launch([program, "-p", str(folder), "-c", str(configuration)], {})


def _location(task: Task) -> str | None:
    if task.load in _STATIC:
        return _STATIC[task.load]
    if task.load not in _PROXIED:
        return None
    scheme = "http" if task.authority is None else "https"
    address = f"{scheme}://{HOST}:{task.upstream_port}"
    return f"{_PROXIED[task.load]} proxy_http_version 1.1; proxy_pass {address};"


def _program() -> str | None:
    return shutil.which("nginx") or next((each for each in _PLACES if Path(each).exists()), None)


def _files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


NGINX = Nginx()
