"""What production would make of a worker's imports and addresses, as far as reading its files tells.

Floor 7. Owns the lists of what Pyodide lacks, with their dates and sources, and the reading; must not know how what is
found is shown. A guarded import (in `try: … except ImportError` or `if TYPE_CHECKING`) is the worker's own care.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from emulator import errors
from emulator.sockets import parse_address
from emulator.sockets.policy import production_note

# As of 22 June 2026: https://developers.cloudflare.com/workers/languages/python/stdlib/
MISSING = frozenset(
    {
        *("curses", "dbm", "ensurepip", "fcntl", "grp", "idlelib", "lib2to3", "msvcrt", "pty"),
        *("pwd", "resource", "syslog", "termios", "tkinter", "tty", "turtle", "turtledemo"),
        *("venv", "winreg", "winsound"),
    }
)
# The same page, and "Availability: not Emscripten" in Python's own documentation of these modules.
NOT_WORKING = {
    "multiprocessing": errors.NO_PROCESSES,
    "subprocess": errors.NO_PROCESSES,
    "threading": errors.NO_THREADS,
    "_thread": errors.NO_THREADS,
    "concurrent": errors.NO_THREADS,
}
# Distributions with compiled parts that Pyodide builds, as of 6 August 2026: https://github.com/pyodide/pyodide-recipes
_COMPILED = """
    aiohttp argon2-cffi-bindings astropy audioop-lts b2d bcrypt biopython bitarray boost-histogram bottleneck brotli
    cartopy casadi cbor-diag cffi cftime clarabel clingo contourpy coolprop coverage crc32c crcmod cryptography
    cvxpy-base cysignals cytoolz duckdb ewah-bool-utils fastparquet fiona freesasa frozenlist galpy gmpy2
    google-crc32c h3 h5py healpy highspy igraph iminuit jiter kiwisolver lakers-python lazy-object-proxy lightgbm lxml
    lz4 markupsafe matplotlib memory-allocator ml-dtypes mmh3 msgpack msgspec msprime multidict mypy ndindex netcdf4
    nh3 nlopt numcodecs numpy opencv-python orjson pandas patsy pcodec peewee phispy pi-heif pillow pillow-heif polars
    propcache protobuf pyarrow pyclipper pycryptodome pydantic-core pyerfa pygame-ce pyheif pyiceberg pyinstrument
    pymongo pymupdf pynacl pyproj pyroaring pyrodigal pyrsistent pysam pytaglib python-calamine python-flirt python-sat
    python-solvespace pywavelets pyxirr pyyaml rasterio rateslib rebound reboundx regex rpds-py safetensors
    scikit-image scikit-learn scipy screed sentencepiece shapely simplejson sisl soundfile sourmash soxr sparseqr
    sqlalchemy statsmodels swiglpk texture2ddecoder tiktoken traits tree-sitter tskit ujson wordcloud wrapt xgboost
    xxhash yarl yt zarr zengl zfpy zstandard
"""
COMPILED = frozenset(_COMPILED.split())
# Found in production without being a distribution of their name.
BUILT_IN = frozenset({"workers", "cloudflare", "js", "pyodide", "pyodide_js", "_pyodide"})
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def notes_on(files: Iterable[Path], allowed: frozenset[str] = frozenset()) -> list[str]:
    """Return what there is to say of the worker's `files`, a sentence for each thing, at the first place it occurs.

    Nothing is said of addresses, "host:port", that are `allowed`.
    """
    files = list(files)
    own = {file.stem for file in files} | {file.parent.name for file in files}
    notes: dict[str, str] = {}
    for file in files:
        tree = ast.parse(file.read_bytes(), file.name)
        for module, line in _imports(tree):
            if module not in own and module not in notes:
                notes[module] = _import_note(module, f"{file.name}:{line}")
        for address, line in _addresses(tree):
            if address not in notes and address.lower() not in allowed:
                notes[address] = _address_note(address, f"{file.name}:{line}")
    return [note for note in notes.values() if note]


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Top-level names of the modules that are imported, and where."""
    match tree:
        case ast.Import():
            for alias in tree.names:
                yield alias.name.partition(".")[0], tree.lineno
        case ast.ImportFrom(module=str(module), level=0):
            yield module.partition(".")[0], tree.lineno
    for child in ast.iter_child_nodes(tree):
        if not _is_guarded(tree, child):
            yield from _imports(child)


def _is_guarded(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(parent, ast.If) and child in parent.body:
        return ast.unparse(parent.test).endswith("TYPE_CHECKING")
    if not isinstance(parent, ast.Try) or child not in parent.body:
        return False
    caught = [ast.unparse(each.type) if each.type else "Exception" for each in parent.handlers]
    return any(_IMPORT_ERRORS & set(re.findall(r"\w+", text)) for text in caught)


def _addresses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The constant addresses that connect() is called with, where it is called so."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="connect") | ast.Attribute(attr="connect"),
                args=[ast.Constant(value=str(address)), *_],
            ) if ":" in address:
                yield address, node.lineno


def _import_note(module: str, place: str) -> str:
    if module in MISSING:
        return errors.CHECK_NOT_IN_PYODIDE.format(place=place, module=module)
    if why := NOT_WORKING.get(module):
        return errors.CHECK_NOT_WORKING.format(place=place, module=module, why=why)
    if module in sys.stdlib_module_names or module in BUILT_IN:
        return ""
    for distribution in _distributions().get(module, ()):
        if _normalized(distribution) not in COMPILED and _is_compiled(distribution):
            return errors.CHECK_COMPILED.format(
                place=place, module=module, distribution=distribution
            )
    return ""


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Which distributions hold which modules."""
    return metadata.packages_distributions()


def _is_compiled(distribution: str) -> bool:
    """Tell whether the installed wheel of `distribution` says that it is not pure Python."""
    wheel = metadata.distribution(distribution).read_text("WHEEL") or ""
    return "root-is-purelib: false" in wheel.lower()


def _normalized(distribution: str) -> str:
    """Source: the packaging specifications, "Names and normalization"."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _address_note(address: str, place: str) -> str:
    try:
        note = production_note(parse_address(address))
    except (TypeError, ValueError):
        return ""
    return "" if note is None else errors.CHECK_CONNECT.format(place=place, note=note)
