# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values on their way out through bind variables, in the types these were declared with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from oracle_simulator.data.tables import TableColumn
from oracle_simulator.net.backend import Bind, DataType, Result, StoredLob
from oracle_simulator.sql.query.columns import converter

_COLUMN_TYPES = {
    DataType.VARCHAR2: "VARCHAR2",
    DataType.CHAR: "VARCHAR2",
    DataType.LONG: "VARCHAR2",
    DataType.ROWID: "VARCHAR2",
    DataType.UROWID: "VARCHAR2",
    DataType.NUMBER: "NUMBER",
    DataType.BINARY_DOUBLE: "BINARY_DOUBLE",
    DataType.BINARY_FLOAT: "BINARY_FLOAT",
    DataType.DATE: "DATE",
    DataType.TIMESTAMP: "TIMESTAMP",
    DataType.TIMESTAMP_TZ: "TIMESTAMP WITH TIME ZONE",
    DataType.TIMESTAMP_LTZ: "TIMESTAMP WITH LOCAL TIME ZONE",
    DataType.INTERVAL_DS: "INTERVAL DAY TO SECOND",
    DataType.INTERVAL_YM: "INTERVAL YEAR TO MONTH",
    DataType.RAW: "RAW",
    DataType.LONG_RAW: "RAW",
}
_CONVERTERS: dict[DataType, Callable[[Any], Any]] = {
    data_type: converter(TableColumn("", name)) for data_type, name in _COLUMN_TYPES.items()
}


def bind_value(value: Any, bind: Bind) -> Any:
    """A value in the type of a bind. Raises ORA-01722 and its like where it cannot be converted."""
    if value is None or bind.is_array:
        return value
    if bind.type in (DataType.CLOB, DataType.BLOB):
        return _lob(value, bind.type)
    if isinstance(value, StoredLob):
        value = value.content
    if isinstance(value, Result) or bind.type not in _CONVERTERS:
        return value
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, datetime) and value.tzinfo is None and bind.type == DataType.TIMESTAMP_LTZ:
        value = value.replace(tzinfo=UTC)
    return _CONVERTERS[bind.type](value)


def _lob(value: Any, data_type: DataType) -> Any:
    if isinstance(value, (StoredLob, bytes if data_type is DataType.BLOB else str)):
        return value
    return _CONVERTERS[DataType.RAW if data_type is DataType.BLOB else DataType.VARCHAR2](value)
