# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unique keys of a table: an index in memory, from key to rowid, built from the rows on first use.

Oracle keeps indexes in segments of their own; ours would tell recovery nothing that the rows do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oracle_simulator.data.tables import Table, TableKey
from oracle_simulator.storage.values import Value, decode_row

Key = tuple[Value, ...]
Keys = tuple[Key | None, ...]
"""The key values of one row, one per unique key of its table; None where all columns are null."""


class KeyIndex:
    """All unique keys of one table, over committed rows."""

    def __init__(self, table: Table, rows: Iterable[tuple[int, bytes]]) -> None:
        self._keys = table.unique_keys
        self._rowids: list[dict[Key, int]] = [{} for _ignored in self._keys]
        if self._keys:
            for rowid, data in rows:
                self.add(rowid, self.keys_of(decode_row(data)))

    @property
    def constraints(self) -> Sequence[TableKey]:
        """The keys, in the order of :data:`Keys`."""
        return [key for key, _positions in self._keys]

    def keys_of(self, values: Sequence[Value]) -> Keys:
        """The keys of a row."""
        found: list[Key | None] = []
        for _key, positions in self._keys:
            key = tuple([values[position] for position in positions])
            found.append(None if key.count(None) == len(key) else key)
        return tuple(found)

    def holder(self, number: int, key: Key) -> int | None:
        """The rowid of the committed row with this key."""
        return self._rowids[number].get(key)

    def add(self, rowid: int, keys: Keys) -> None:
        """A row has been committed."""
        for rowids, key in zip(self._rowids, keys, strict=True):
            if key is not None:
                rowids[key] = rowid

    def discard(self, rowid: int, keys: Keys) -> None:
        """A row has gone, unless another one has its keys by now."""
        for rowids, key in zip(self._rowids, keys, strict=True):
            if key is not None and rowids.get(key) == rowid:
                del rowids[key]
