# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict reading of untrusted JSON objects: every key known, every type right, errors that name the place.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import safe_relative_path
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import parse_integer

_DIGEST = re.compile(r"[0-9a-f]{64}")
Item = TypeVar("Item")


class Fields:
    """One JSON object being read. ``close()`` refuses keys that nobody asked for."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise VerificationError(f"{where} must be an object, found {type(value).__name__}.")
        self._value = value
        self._where = where
        self._read: set[str] = set()

    def close(self) -> None:
        unknown = sorted(str(key) for key in set(self._value) - self._read)
        if unknown:
            raise VerificationError(f"{self._where} has unknown keys: {', '.join(unknown)}.")

    def take(self, name: str) -> Any:
        self._read.add(name)
        if name not in self._value:
            raise VerificationError(f"{self._where} lacks {name}.")
        return self._value[name]

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise VerificationError(f"{self.place(name)} must be text, found {value!r}.")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self.take(name) is None else self.text(name)

    def integer(self, name: str, minimum: int = 0) -> int:
        return parse_integer(self.take(name), self.place(name), minimum=minimum)

    def integer_or_none(self, name: str) -> int | None:
        return None if self.take(name) is None else self.integer(name)

    def flag(self, name: str) -> bool:
        value = self.take(name)
        if not isinstance(value, bool):
            raise VerificationError(f"{self.place(name)} must be true or false, found {value!r}.")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in choices:
            raise VerificationError(
                f"{self.place(name)} must be one of {', '.join(choices)}, found {value!r}."
            )
        return value

    def digest(self, name: str) -> str:
        value = self.text(name)
        if not _DIGEST.fullmatch(value):
            raise VerificationError(f"{self.place(name)} must be a SHA-256 in hexadecimal, found {value!r}.")
        return value

    def digest_or_none(self, name: str) -> str | None:
        return None if self.take(name) is None else self.digest(name)

    def path(self, name: str) -> str:
        try:
            return safe_relative_path(self.text(name))
        except VerificationError as exc:
            raise VerificationError(f"{self.place(name)}: {exc.message}") from exc

    def items(self, name: str, read: Callable[[Fields], Item]) -> tuple[Item, ...]:
        """Read a list of objects; each is closed after ``read``."""
        result = []
        for position, value in enumerate(self.values(name)):
            fields = Fields(value, f"{self.place(name)}[{position}]")
            result.append(read(fields))
            fields.close()
        return tuple(result)

    def values(self, name: str) -> list[Any]:
        value = self.take(name)
        if not isinstance(value, list):
            raise VerificationError(f"{self.place(name)} must be a list, found {value!r}.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.values(name)
        if not all(isinstance(item, str) for item in values):
            raise VerificationError(f"{self.place(name)} must be a list of texts.")
        return tuple(values)

    def digests(self, name: str) -> tuple[str, ...]:
        values = self.texts(name)
        if not all(_DIGEST.fullmatch(item) for item in values):
            raise VerificationError(f"{self.place(name)} must be a list of SHA-256 in hexadecimal.")
        return values

    def text_map(self, name: str) -> tuple[tuple[str, str], ...]:
        value = self.take(name)
        if not isinstance(value, Mapping) or not all(
            isinstance(key, str) and isinstance(item, str) for key, item in value.items()
        ):
            raise VerificationError(f"{self.place(name)} must be an object of texts.")
        return tuple(sorted(value.items()))

    def object(self, name: str, read: Callable[[Fields], Item]) -> Item:
        """Read one nested object and close it."""
        fields = Fields(self.take(name), self.place(name))
        result = read(fields)
        fields.close()
        return result

    def place(self, name: str) -> str:
        return f"{self._where}.{name}"
