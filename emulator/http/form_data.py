"""FormData: a form's fields in order, a name possibly many times.

Floor 3. Owns the fields and their validation; must not know how a form is written in a body (form_codec.py does).
Source of the behaviour: the platform's Python SDK (a MutableMapping) and the XMLHttpRequest standard.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, MutableMapping, ValuesView

from emulator import errors
from emulator.http.blob import Blob, File
from emulator.naming import camel_case_aliases

FormValue = str | File


@camel_case_aliases
class FormData(MutableMapping[str, "FormValue | Blob"]):
    """A form's fields: str, or File. A Blob put in becomes a File named "blob" unless `filename` says otherwise.

    `form[name]` is the first value of `name` (KeyError if there is none), `get_all` gives every one; assignment
    replaces all of them. Iteration, `len()` and `items()` go through every field, a repeated name each time.
    """

    def __init__(self, form_data: Mapping[str, FormValue | Blob] | FormData | None = None) -> None:
        self._fields: list[tuple[str, FormValue]] = []
        if form_data is None:
            return
        if not isinstance(form_data, Mapping):
            raise TypeError(errors.FORM_INIT)
        for name, value in form_data.items():
            self.append(name, value)

    def __repr__(self) -> str:
        return f"FormData({self._fields!r})"

    def append(self, name: str, value: FormValue | Blob, filename: str | None = None) -> None:
        """Add a field. Raises TypeError for a value that is not str or Blob, and for a str with a filename."""
        self._fields.append((_checked_name(name), _checked_value(name, value, filename)))

    def set(self, name: str, value: FormValue | Blob, filename: str | None = None) -> None:
        """Make `value` the only one of `name`, in the place of the first."""
        field = (_checked_name(name), _checked_value(name, value, filename))
        places = [at for at, (other, _) in enumerate(self._fields) if other == name]
        if not places:
            self._fields.append(field)
            return
        self._fields[places[0]] = field
        for at in reversed(places[1:]):
            del self._fields[at]

    def delete(self, name: str) -> None:
        """Remove every value of `name`; harmless when there is none."""
        self._fields = [field for field in self._fields if field[0] != name]

    def has(self, name: str) -> bool:
        """Say whether there is a field of that name."""
        return name in self

    def get_all(self, name: str) -> list[FormValue]:
        """Return every value of `name`, in order; an empty list if there is none."""
        return [value for other, value in self._fields if other == name]

    def entries(self) -> list[tuple[str, FormValue]]:
        """Return every field, in order."""
        return list(self._fields)

    def __getitem__(self, name: str) -> FormValue:
        for other, value in self._fields:
            if other == name:
                return value
        raise KeyError(name)

    def __setitem__(self, name: str, value: FormValue | Blob) -> None:
        if isinstance(value, (list, tuple)):
            raise TypeError(errors.FORM_SINGLE_ITEM)
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self.delete(name)

    def __contains__(self, name: object) -> bool:
        return any(other == name for other, _ in self._fields)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._fields])

    def __len__(self) -> int:
        return len(self._fields)

    def keys(self) -> KeysView[str]:
        """Return the names, a repeated one each time."""
        return _Names(self)

    def values(self) -> ValuesView[FormValue | Blob]:
        """Return every value, in order."""
        return _Values(self)

    def items(self) -> ItemsView[str, FormValue | Blob]:
        """Return every field, in order."""
        return _Fields(self)


class _Names(KeysView[str]):
    """The names; a set's operations work on it as on a dict's keys."""


class _Values(ValuesView["FormValue | Blob"]):
    """Every value, where Mapping's own view gives a repeated name's first value each time."""

    _mapping: FormData

    def __iter__(self) -> Iterator[FormValue | Blob]:
        return iter([value for _, value in self._mapping.entries()])

    def __contains__(self, value: object) -> bool:
        return any(value == other for _, other in self._mapping.entries())


class _Fields(ItemsView[str, "FormValue | Blob"]):
    """Every field, where Mapping's own view gives a repeated name's first value each time."""

    _mapping: FormData

    def __iter__(self) -> Iterator[tuple[str, FormValue | Blob]]:
        return iter(self._mapping.entries())

    def __contains__(self, item: object) -> bool:
        return item in self._mapping.entries()


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(errors.FORM_NAME.format(type=type(name).__name__))
    return name


def _checked_value(name: str, value: object, filename: str | None) -> FormValue:
    if isinstance(value, File) and filename is None:
        return value
    if isinstance(value, Blob):
        return File(value, "blob" if filename is None else filename)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)  # As the platform does.
    if not isinstance(value, str):
        hint = errors.FORM_BLOB_HINT if isinstance(value, (bytes, bytearray, memoryview)) else ""
        raise TypeError(errors.FORM_VALUE.format(name=name, type=type(value).__name__, hint=hint))
    if filename is not None:
        raise TypeError(errors.FORM_FILENAME.format(name=name))
    return value
