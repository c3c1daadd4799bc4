# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Group functions that the embedded engine does not have, or not exactly enough."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from oracle_simulator.sql.query import arithmetic, types
from oracle_simulator.sql.query.function_support import number
from oracle_simulator.sql.query.types import EngineValue


class WindowAggregate(Protocol):
    """An aggregate as the engine uses it; ``inverse`` takes a row out of the window."""

    def step(self, value: EngineValue) -> None: ...

    def inverse(self, value: EngineValue) -> None: ...

    def value(self) -> EngineValue: ...

    def finalize(self) -> EngineValue: ...


class Sum:
    """SUM of NUMBERs, exact. Integers are added as such: that is the usual case."""

    def __init__(self) -> None:
        self._whole = 0
        self._rest = Decimal(0)
        self._count = 0

    def step(self, value: EngineValue) -> None:
        self._add(value, 1)

    def inverse(self, value: EngineValue) -> None:
        self._add(value, -1)

    def _add(self, value: EngineValue, sign: int) -> None:
        if value is None:
            return
        self._count += sign
        if isinstance(value, int):
            self._whole += sign * value
        else:
            added = number(value) if sign > 0 else number(value).copy_negate()
            self._rest = arithmetic.CONTEXT.add(self._rest, added)

    def total(self) -> Decimal:
        return arithmetic.CONTEXT.add(Decimal(self._whole), self._rest)

    def value(self) -> EngineValue:
        if not self._count:
            return None
        return types.encode_number(self.total()) if self._rest else types.encode(self._whole)

    def finalize(self) -> EngineValue:
        return self.value()


class Average(Sum):
    """AVG of NUMBERs."""

    def value(self) -> EngineValue:
        if not self._count:
            return None
        return types.encode_number(arithmetic.CONTEXT.divide(self.total(), Decimal(self._count)))


class _Extreme:
    """MIN or MAX of numbers, wide ones among them."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._best: EngineValue = None

    def step(self, value: EngineValue) -> None:
        if value is None:
            return
        if self._best is None or self._sign * arithmetic.compare(value, self._best) > 0:
            self._best = value

    def finalize(self) -> EngineValue:
        return self._best


class Least(_Extreme):
    """MIN."""

    def __init__(self) -> None:
        super().__init__(-1)


class Greatest(_Extreme):
    """MAX."""

    def __init__(self) -> None:
        super().__init__(1)


class ListAggregate:
    """LISTAGG(value, separator, sort key, 1 for descending)."""

    def __init__(self) -> None:
        self._items: list[tuple[EngineValue, str]] = []
        self._separator = ""
        self._descending = False

    def step(self, value: EngineValue, separator: str | None, key: EngineValue, descending: int) -> None:
        self._separator = separator or ""
        self._descending = bool(descending)
        if value is not None:
            self._items.append((key, str(value)))

    def finalize(self) -> str | None:
        self._items.sort(key=lambda item: _sort_key(item[0]), reverse=self._descending)
        return self._separator.join(value for _ignored, value in self._items) or None


def _sort_key(value: EngineValue) -> tuple[int, float, str]:
    if value is None:
        return 2, 0.0, ""
    if isinstance(value, (int, float)):
        return 0, value, ""
    return 1, 0.0, value if isinstance(value, str) else value.hex()
