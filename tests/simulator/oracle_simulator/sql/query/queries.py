# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running queries for a session: compile once per text, fill the views it names, take the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from oracle_simulator.data.tables import Table
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, Column, DataType, Result, StoredLob
from oracle_simulator.sql.ddl.container_visibility import visible_containers
from oracle_simulator.sql.lob_columns import LobOrigin
from oracle_simulator.sql.parser.reserved_words import RESERVED_WORDS
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.catalog import CompiledQuery, Relation
from oracle_simulator.sql.query.compile import QueryCompiler
from oracle_simulator.sql.query.dialect import BoundText, parse_query, rewrite_binds
from oracle_simulator.sql.query.engine_connection import EngineConnection
from oracle_simulator.sql.query.types import EngineValue, SqlType
from oracle_simulator.sql.session_catalog import SessionCatalog, check_readable
from oracle_simulator.sql.sort_space import require_sort_space
from oracle_simulator.sql.views import Needs, ViewContext, find_view

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_ROWS_LOOKED_AT = 50
T = TypeVar("T")


@dataclass(frozen=True)
class Prepared:
    """A compiled query with the tables it reads and the number of binds it was given."""

    query: CompiledQuery
    tables: tuple[Table, ...]
    bind_names: int


def bind_types(binds: Sequence[Bind]) -> tuple[SqlType | None, ...]:
    return tuple(_bind_type(bind) for bind in binds)


def _bind_type(bind: Bind) -> SqlType:
    if bind.type == DataType.NUMBER:
        return types.NUMBER
    return SqlType(bind.type, bind.size, national=bind.national)


def compile_text(
    session: DatabaseSession,
    text: str,
    kinds: tuple[SqlType | None, ...],
    build: Callable[[QueryCompiler, BoundText, SessionCatalog], T],
) -> T:
    """Run ``build`` with a compiler for ``text``; errors get their place in the text as the user wrote it."""
    bound = rewrite_binds(text, RESERVED_WORDS)
    catalog = SessionCatalog(session)
    try:
        return build(QueryCompiler(catalog, kinds), bound, catalog)
    except OracleError as problem:
        offset = bound.original_offset(problem.offset) if problem.offset else 0
        raise OracleError(problem.code, problem.text, *problem.more, offset=offset) from None


def prepare(session: DatabaseSession, text: str, binds: Sequence[Bind]) -> Prepared:
    """The compiled form of a query, from the session's cache when nothing it depends on has changed."""
    kinds = bind_types(binds)

    def build(compiler: QueryCompiler, bound: BoundText, catalog: SessionCatalog) -> Prepared:
        query = compiler.compile(parse_query(bound), lob_addresses=True)
        tables = tuple(catalog.tables[relation.engine_name] for relation in query.tables)
        return Prepared(query, tables, len(bound.names))

    return session.cached(("query", text, kinds), lambda: compile_text(session, text, kinds, build))


def execute_query(
    session: DatabaseSession, text: str, binds: Sequence[Bind], rows: Sequence[Sequence[Any]]
) -> Result:
    """Run a query. ``rows`` holds at most one row of bind values."""
    prepared = prepare(session, text, binds)
    values = list(rows[0]) if rows else []
    if len(values) < prepared.bind_names:
        raise OracleError(1008, "not all variables bound")
    encoded = [types.encode(value) for value in values[: prepared.query.bind_count]]
    if prepared.query.lock is not None:
        _lock_rows(session, prepared, encoded)
    found = run(session, prepared.query, prepared.tables, encoded)
    kinds = final_types(prepared.query, found)
    columns = [
        kind.column(name) for (name, _ignored), kind in zip(prepared.query.columns, kinds, strict=True)
    ]
    return Result(columns=columns, rows=_decoded(session, prepared, found, kinds))


def describe_query(session: DatabaseSession, text: str) -> list[Column]:
    """The columns of a query that is not run."""
    prepared = prepare(session, text, ())
    return [(kind or types.VARCHAR2).column(name) for name, kind in prepared.query.columns]


def final_types(query: CompiledQuery, rows: Sequence[Sequence[EngineValue]]) -> list[SqlType]:
    """The types of all columns; where only values can tell, the first rows do."""
    kinds: list[SqlType] = []
    for index, (_name, kind) in enumerate(query.columns):
        if kind is None:
            seen = (types.type_of_value(row[index]) for row in rows[:_ROWS_LOOKED_AT])
            kind = next((found for found in seen if found is not None), types.VARCHAR2)
        kinds.append(kind)
    return kinds


def _decoded(
    session: DatabaseSession,
    prepared: Prepared,
    rows: Sequence[Sequence[EngineValue]],
    kinds: Sequence[SqlType],
) -> Iterator[list[Any]]:
    decoders = [types.decoder(kind.type) for kind in kinds]
    lobs = prepared.query.lobs
    if not lobs:
        return (types.decode_row(row, decoders) for row in rows)
    return (_with_origins(row, types.decode_row(row[: len(kinds)], decoders), prepared) for row in rows)


def _with_origins(row: Sequence[EngineValue], values: list[Any], prepared: Prepared) -> list[Any]:
    """The values with LOBs that know the row they are in."""
    tables = {table.object_id: table for table in prepared.tables}
    for lob in prepared.query.lobs:
        address = row[lob.address]
        table = tables.get(lob.relation.object_id or 0)
        if values[lob.place] is not None and isinstance(address, int) and table is not None:
            origin = LobOrigin(table.owner, table.name, table.data_object_id, address, lob.column)
            values[lob.place] = StoredLob(values[lob.place], origin)
    return values


def run(
    session: DatabaseSession, query: CompiledQuery, tables: Sequence[Table], values: Sequence[EngineValue]
) -> list[tuple[EngineValue, ...]]:
    """All rows of a compiled query. Queries on tables share the mirror, others use the session's own engine."""
    if not tables:
        engine = session.own_engine
        _fill_views(session, query.views, engine)
        with session.interruptible(engine):
            return engine.query(query.sql, values, session)
    data = session.require_open()
    for table in tables:
        check_readable(session.instance, table)
    mirror = data.mirror
    view_rows = [(relation, _view_rows(session, relation)) for relation in query.views]
    with mirror.lock:
        mirror.prepare(tables)
        for table in tables:
            if session.overlay.has(table):
                session.transaction.refuse_loaded(table)
                session.overlay.sync(table, mirror.engine, session.transaction)
        for relation, rows in view_rows:
            _fill(mirror.engine, relation, rows)
        with session.interruptible(mirror.engine):
            rows = mirror.engine.query(query.sql, values, session)
    if query.sorts:
        require_sort_space(session, len(rows))
    return rows


def _fill_views(session: DatabaseSession, relations: Sequence[Relation], engine: EngineConnection) -> None:
    for relation in relations:
        _fill(engine, relation, _view_rows(session, relation))


def _view_rows(session: DatabaseSession, relation: Relation) -> list[tuple[EngineValue, ...]]:
    view = find_view(relation.name, session.instance.version)
    if view is None or relation.name == "DUAL":
        return []
    if view.needs >= Needs.CONTROL_FILE:
        session.instance.control_files.read()
    data = session.open_data
    context = ViewContext(
        session.instance,
        session.registry,
        session.record,
        data.dictionary if data else None,
        data.transactions if data else None,
        [each.dictionary for each in session.database.containers.all()],
        visible_containers(session),
        session.record.instance_number,
    )
    if view.reads_files:
        return list(view.rows(context))
    with session.instance.latch:
        return list(view.rows(context))


def _fill(engine: EngineConnection, relation: Relation, rows: list[tuple[EngineValue, ...]]) -> None:
    if relation.name == "DUAL":
        return
    columns = ", ".join(f'"{name}"' for name, _ignored in relation.columns)
    engine.run(f'CREATE TABLE IF NOT EXISTS "{relation.engine_name}" ({columns})')
    engine.run(f'DELETE FROM "{relation.engine_name}"')
    places = ", ".join("?" * len(relation.columns))
    engine.run_many(f'INSERT INTO "{relation.engine_name}" VALUES ({places})', rows)


def _lock_rows(session: DatabaseSession, prepared: Prepared, values: Sequence[EngineValue]) -> None:
    """FOR UPDATE: lock the rows, and look again until no other row has come in while waiting."""
    lock = prepared.query.lock
    assert lock is not None
    table = next(t for t in prepared.tables if t.object_id == lock.relation.object_id)
    query = CompiledQuery(lock.sql, (("ROWID", None),), prepared.query.relations)
    timeout = None if lock.wait is None else float(lock.wait)
    locked: set[int] = set()
    while True:
        found = {int(row[0] or 0) for row in run(session, query, prepared.tables, values)}
        if found <= locked:
            return
        for address in sorted(found - locked):
            if session.transaction.lock_row(table, address, session.is_cancelled, timeout) is not None:
                locked.add(address)
            else:
                found.discard(address)
