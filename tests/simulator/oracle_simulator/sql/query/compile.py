# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a query's syntax tree to the embedded engine's SQL and the description of its columns."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp, parse_one, transforms
from sqlglot.dialects.sqlite import SQLite

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.catalog import (
    ROW_ADDRESS,
    Catalog,
    CompiledQuery,
    LobColumn,
    Relation,
    RowLock,
)
from oracle_simulator.sql.query.dialect import BIND_FUNCTION, BoundText, SimulatorOracle, parse_query
from oracle_simulator.sql.query.expressions import (
    ExpressionRewriter,
    Node,
    Scope,
    Source,
    identifier_name,
    position_of,
    quoted,
)
from oracle_simulator.sql.query.operators import sort_keys
from oracle_simulator.sql.query.special_functions import Typed
from oracle_simulator.sql.query.types import SqlType

Columns = list[tuple[str, SqlType | None]]

_LEVELS = (
    'SELECT "LEVEL", \'X\' AS "DUMMY" FROM (WITH RECURSIVE "$N"("LEVEL") AS '
    '(SELECT 1 UNION ALL SELECT "LEVEL" + 1 FROM "$N" WHERE "LEVEL" < "$BOUND") SELECT "LEVEL" FROM "$N")'
)


def engine_sql(node: Node) -> str:
    """The text the embedded engine runs."""
    return SQLite().generate(node, copy=False)


def column_title(node: Node) -> str:
    """The name Oracle gives a column without alias: the expression as written, without blanks."""
    bare = node.copy()
    for bind in bare.find_all(exp.Anonymous):
        if str(bind.this).upper() == BIND_FUNCTION:
            bind.replace(exp.Var(this=f":{int(bind.expressions[0].this) + 1}"))
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == BIND_FUNCTION:
        return f":{int(node.expressions[0].this) + 1}"
    return SimulatorOracle().generate(bare).replace(" ", "").upper()[:128]


class QueryCompiler:
    """Compiles one statement for one session."""

    def __init__(self, catalog: Catalog, bind_types: Sequence[SqlType | None] = ()) -> None:
        self._catalog = catalog
        self._relations: dict[str, Relation] = {}
        self._by_alias: dict[str, Relation] = {}
        self._common: list[dict[str, Columns]] = []
        self._top_tables: dict[str, Relation] = {}
        self.expressions = ExpressionRewriter(bind_types, self._nested)

    def compile(self, tree: Node, *, lob_addresses: bool = False) -> CompiledQuery:
        """Compile a query; with ``lob_addresses`` its LOBs can be written. Raises OracleError: 904, 918, 923, 942,
        3001, ..."""
        lock = self._take_lock(tree)
        columns = self.query(tree, Scope())
        row_lock = self._row_lock(tree, lock) if lock is not None else None
        binds = self.expressions.bind_count
        lobs = self._add_lob_addresses(tree, columns) if lob_addresses else ()
        sorts = tree.find(exp.Order, exp.Group, exp.Distinct, exp.SetOperation) is not None
        return CompiledQuery(engine_sql(tree), tuple(columns), self.relations, row_lock, binds, lobs, sorts)

    def _add_lob_addresses(self, tree: Node, columns: Columns) -> tuple[LobColumn, ...]:
        """Have the query also give the address of each row that a LOB comes from: it can be written there."""
        simple = isinstance(tree, exp.Select) and not any(tree.args.get(n) for n in ("group", "distinct"))
        if not simple or not any(kind and kind.type in types.LOB_TYPES for _name, kind in columns):
            return ()
        found: list[LobColumn] = []
        for place, (item, (_name, kind)) in enumerate(zip(list(tree.expressions), columns, strict=True)):
            value = item.this
            if kind is None or kind.type not in types.LOB_TYPES or not isinstance(value, exp.Column):
                continue
            alias = identifier_name(value.args.get("table"))
            relation = self._top_tables.get(alias)
            if relation is None:
                continue
            address = exp.Column(this=quoted(ROW_ADDRESS), table=quoted(alias))
            tree.expressions.append(exp.Alias(this=address, alias=quoted(f"$LOB{place}")))
            found.append(LobColumn(place, len(columns) + len(found), relation, identifier_name(value.this)))
        return tuple(found)

    @property
    def relations(self) -> tuple[Relation, ...]:
        return tuple(self._relations.values())

    # ------------------------------------------------------------ queries

    def _nested(self, node: Node, scope: Scope) -> Columns:
        return self.query(node, scope)

    def query(self, node: Node, scope: Scope) -> Columns:
        """Rewrite a query in place; ``scope.parent`` holds the names of the query around it."""
        if isinstance(node, exp.Subquery):
            return self.query(node.this, scope)
        common = self._with_clause(node, scope)
        try:
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, scope)
            if isinstance(node, exp.Select):
                return self._select(node, scope)
        finally:
            if common:
                self._common.pop()
        raise OracleError(900, "invalid SQL statement")

    def _with_clause(self, node: Node, scope: Scope) -> bool:
        clause = node.args.get("with_")
        if clause is None:
            return False
        names: dict[str, Columns] = {}
        self._common.append(names)
        for table in clause.expressions:
            name = identifier_name(table.args["alias"].this)
            columns = self.query(table.this, Scope(parent=scope.parent))
            listed = table.args["alias"].args.get("columns") or []
            if listed:
                renamed = [identifier_name(column) for column in listed]
                columns = [(new, kind) for new, (_ignored, kind) in zip(renamed, columns, strict=False)]
            names[name] = columns
            table.args["alias"].set("this", quoted(name))
            table.args["alias"].set(
                "columns", [quoted(column) for column, _ignored in columns] if listed else None
            )
        return True

    def _set_operation(self, node: exp.SetOperation, scope: Scope) -> Columns:
        left = self.query(node.this, Scope(parent=scope.parent))
        right = self.query(node.expression, Scope(parent=scope.parent))
        if len(left) != len(right):
            raise OracleError(1789, "query block has incorrect number of result columns")
        columns = [(name, kind or other) for (name, kind), (_ignored, other) in zip(left, right, strict=True)]
        inner = Scope(parent=scope.parent, aliases=dict(columns))
        for name in ("order", "limit", "offset"):
            if node.args.get(name) is not None:
                self.expressions.visit_children(node.args[name], inner)
        self._fetch_to_limit(node)
        return columns

    def _select(self, select: exp.Select, scope: Scope) -> Columns:
        if not select.expressions:
            raise OracleError(936, "missing expression")
        if select.args.get("from_") is None:
            raise OracleError(923, "FROM keyword not found where expected")
        if any(column.args.get("join_mark") for column in select.find_all(exp.Column)):
            transforms.eliminate_join_marks(select)
        self._push_rownum(select)
        inner = Scope(parent=scope.parent)
        self._connect_by(select, inner)
        self._from_clause(select, inner)
        columns = self._select_list(select, inner)
        for name in ("where", "group", "having", "connect", "windows"):
            clause = select.args.get(name)
            if isinstance(clause, Node):
                self.expressions.visit_children(clause, inner)
        ordered = Scope(inner.sources, inner.parent, dict(columns), inner.pseudocolumns)
        for name in ("order", "limit", "offset"):
            clause = select.args.get(name)
            if isinstance(clause, Node):
                self._order_by(select, columns, clause, ordered)
        self._fetch_to_limit(select)
        # The outermost query is the last one to come here.
        self._top_tables = {
            source.alias: self._by_alias[source.alias]
            for source in inner.sources
            if source.data_object is not None
        }
        return columns

    def _order_by(self, select: exp.Select, columns: Columns, clause: Node, scope: Scope) -> None:
        # A select-list alias wins over a column of the same name in ORDER BY.
        names = [name for name, _kind in columns]
        keys: list[Node] = []
        for ordered in clause.find_all(exp.Ordered):
            column = ordered.this
            name = identifier_name(column.this) if isinstance(column, exp.Column) else ""
            if name in scope.aliases and not column.args.get("table"):
                place = names.index(name)
                chosen: Typed = (select.expressions[place].this.copy(), columns[place][1])
                if isinstance(chosen[0], exp.Literal):
                    chosen = (exp.Column(this=quoted(name)), chosen[1])
            else:
                chosen = self.expressions.visit(column, scope)
                chosen = _at_position(select, columns, chosen)
            for key in sort_keys(*chosen):
                nulls, descending = ordered.args.get("nulls_first"), ordered.args.get("desc")
                keys.append(exp.Ordered(this=key, desc=descending, nulls_first=nulls))
        if isinstance(clause, exp.Order):
            clause.set("expressions", keys)
        else:
            self.expressions.visit_children(clause, scope)

    @staticmethod
    def _fetch_to_limit(query: Node) -> None:
        fetch = query.args.get("limit")
        if isinstance(fetch, exp.Fetch):
            query.set("limit", exp.Limit(expression=fetch.args.get("count") or exp.Literal.number(1)))
        elif query.args.get("offset") is not None and fetch is None:
            query.set("limit", exp.Limit(expression=exp.Literal.number(-1)))

    # ------------------------------------------------------------ select list

    def _select_list(self, select: exp.Select, scope: Scope) -> Columns:
        columns: Columns = []
        items: list[Node] = []
        for item in select.expressions:
            stars = self._star(item, scope)
            if stars is not None:
                for source, name, kind in stars:
                    column = exp.Column(this=quoted(name), table=quoted(source.alias))
                    items.append(exp.Alias(this=column, alias=quoted(name)))
                    columns.append((name, kind))
                continue
            if isinstance(item, exp.Alias):
                name, value = identifier_name(item.args["alias"]), item.this
            else:
                name, value = self._title(item), item
            rewritten, kind = self.expressions.visit(value, scope)
            items.append(exp.Alias(this=rewritten, alias=quoted(name)))
            columns.append((name, kind))
        select.set("expressions", items)
        return columns

    @staticmethod
    def _title(item: Node) -> str:
        if isinstance(item, (exp.Column, exp.Pseudocolumn)) and not isinstance(item.this, exp.Star):
            return identifier_name(item.this)
        return column_title(item)

    def _star(self, item: Node, scope: Scope) -> list[tuple[Source, str, SqlType | None]] | None:
        if isinstance(item, exp.Star):
            sources = scope.sources
        elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            alias = identifier_name(item.args.get("table"))
            sources = [source for source in scope.sources if source.alias == alias]
            if not sources:
                raise OracleError(904, f'"{alias}"."*": invalid identifier', offset=position_of(item))
        else:
            return None
        return [
            (source, name, kind)
            for source in sources
            for name, kind in source.columns.items()
            if name not in source.merged
        ]

    # ------------------------------------------------------------ FROM

    def _from_clause(self, select: exp.Select, scope: Scope) -> None:
        source = select.args["from_"]
        self._add_source(source, scope)
        for join in select.args.get("joins") or []:
            self._add_source(join, scope)
            using = [identifier_name(name) for name in join.args.get("using") or []]
            if using:
                scope.sources[-1].merged = frozenset(using)
                join.set("using", [quoted(name) for name in using])
            if join.args.get("method") == "NATURAL":
                raise OracleError(3001, "unimplemented feature")
            condition = join.args.get("on")
            if condition is not None:
                join.set("on", self.expressions.visit(condition, scope)[0])

    def _add_source(self, holder: Node, scope: Scope) -> None:
        node = holder.this
        if node.meta.get("engine_columns"):
            scope.sources.append(
                Source(identifier_name(node.args["alias"].this), node.meta["engine_columns"])
            )
        elif isinstance(node, exp.Subquery):
            alias = identifier_name(node.args["alias"].this) if node.args.get("alias") else "$INLINE"
            columns = self.query(node.this, Scope(parent=scope.parent))
            node.set("alias", exp.TableAlias(this=quoted(alias)))
            scope.sources.append(Source(alias, dict(columns)))
        elif isinstance(node, exp.Table):
            replacement, source = self._table(node)
            holder.set("this", replacement)
            scope.sources.append(source)
        else:
            raise OracleError(3001, "unimplemented feature", offset=position_of(node))
        for join in node.args.get("joins") or []:
            self._add_source(join, scope)

    def _table(self, node: exp.Table) -> tuple[Node, Source]:
        name = identifier_name(node.this)
        owner = identifier_name(node.args["db"]) if node.args.get("db") else None
        alias = identifier_name(node.args["alias"].this) if node.args.get("alias") else name
        if owner is None:
            for names in reversed(self._common):
                if name in names:
                    table = exp.Table(this=quoted(name), alias=exp.TableAlias(this=quoted(alias)))
                    return table, Source(alias, dict(names[name]))
        if any(node.args.get(clause) for clause in ("version", "sample", "partition", "pivots")):
            raise OracleError(3001, "unimplemented feature", offset=position_of(node))
        view = self._catalog.view_query(owner, name)
        if view is not None:
            return self._view(*view, alias)
        relation = self._catalog.relation(owner, name)
        if relation is None:
            raise OracleError(942, "table or view does not exist", offset=position_of(node))
        self._relations[relation.engine_name] = relation
        self._by_alias.setdefault(alias, relation)
        return relation_node(relation, alias), Source(alias, dict(relation.columns), relation.data_object_id)

    def _view(self, owner: str, text: str, alias: str) -> tuple[Node, Source]:
        """A view of a user: its query, in place of its name."""
        tree = parse_query(BoundText(text, (), ()))
        common, self._common = self._common, []
        try:
            with self._catalog.as_owner(owner):
                columns = self.query(tree, Scope())
        finally:
            self._common = common
        subquery = exp.Subquery(this=tree, alias=exp.TableAlias(this=quoted(alias)))
        return subquery, Source(alias, dict(columns))

    # ------------------------------------------------------------ Oracle's own clauses

    def _push_rownum(self, select: exp.Select) -> None:
        """ROWNUM <= n in WHERE becomes a limit, before grouping and ordering as in Oracle."""
        where = select.args.get("where")
        if where is None:
            return
        conditions = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        limits = [condition for condition in conditions if _rownum_limit(condition) is not None]
        if not limits:
            return
        rest = [condition for condition in conditions if _rownum_limit(condition) is None]
        count = _rownum_limit(limits[0]) or exp.Literal.number(0)
        select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)
        simple = not (
            any(select.args.get(name) for name in ("group", "order", "distinct", "limit"))
            or select.find(exp.AggFunc)
        )
        if simple:
            select.set("limit", exp.Limit(expression=count))
            return
        if select.args.get("joins"):
            raise OracleError(3001, "unimplemented feature")
        source = select.args["from_"].this
        alias = identifier_name(source.args["alias"].this) if source.args.get("alias") else None
        if alias is None and isinstance(source, exp.Table):
            alias = identifier_name(source.this)
        limit = exp.Limit(expression=count)
        inner = exp.Select(expressions=[exp.Star()], from_=exp.From(this=source), limit=limit)
        inner.set("where", select.args.get("where"))
        select.set("where", None)
        wrapped = exp.Subquery(this=inner, alias=exp.TableAlias(this=quoted(alias or "$INLINE")))
        select.set("from_", exp.From(this=wrapped))

    def _connect_by(self, select: exp.Select, scope: Scope) -> None:
        """CONNECT BY LEVEL <= n over DUAL, the row generator; other hierarchies are refused."""
        connect = select.args.get("connect")
        if connect is None:
            return
        condition = connect.args.get("connect")
        source = select.args["from_"].this
        is_dual = isinstance(source, exp.Table) and identifier_name(source.this) == "DUAL"
        if (
            connect.args.get("start") is not None
            or not is_dual
            or not isinstance(condition, (exp.LT, exp.LTE))
        ):
            raise OracleError(3001, "unimplemented feature")
        if not isinstance(condition.this, (exp.Column, exp.Pseudocolumn)) or identifier_name(
            condition.this.this
        ) not in ("LEVEL", "ROWNUM"):
            raise OracleError(3001, "unimplemented feature")
        bound = self.expressions.visit(condition.expression, scope)[0]
        if isinstance(condition, exp.LT):
            bound = exp.Sub(this=exp.Paren(this=bound), expression=exp.Literal.number(1))
        rows = parse_one(_LEVELS, read="sqlite")
        for place in list(rows.find_all(exp.Column)):
            if place.name == "$BOUND":
                place.replace(exp.Paren(this=bound))
        generator = exp.Subquery(this=rows, alias=exp.TableAlias(this=quoted("DUAL")))
        generator.meta["engine_columns"] = {"DUMMY": types.text_type(1), "LEVEL": types.NUMBER}
        select.set("from_", exp.From(this=generator))
        select.set("connect", None)

    def _take_lock(self, tree: Node) -> exp.Lock | None:
        locks = tree.args.get("locks")
        if not locks:
            return None
        tree.set("locks", None)
        found: exp.Lock = locks[0]
        return found

    def _row_lock(self, tree: Node, lock: exp.Lock) -> RowLock:
        grouped = any(tree.args.get(name) for name in ("group", "distinct", "having"))
        if not isinstance(tree, exp.Select) or tree.args.get("joins") or grouped:
            raise OracleError(2014, "cannot select FOR UPDATE from view with DISTINCT, GROUP BY, etc.")
        addresses = tree.copy()
        alias = addresses.args["from_"].this.args["alias"].this
        relation = self._by_alias.get(identifier_name(alias))
        if relation is None or not relation.is_table:
            raise OracleError(2014, "cannot select FOR UPDATE from view with DISTINCT, GROUP BY, etc.")
        addresses.set("expressions", [exp.Column(this=quoted(ROW_ADDRESS), table=alias.copy())])
        addresses.set("order", None)
        wait = lock.args.get("wait")
        # sqlglot: True is NOWAIT, False is SKIP LOCKED, an expression is WAIT n.
        if wait is False:
            raise OracleError(3001, "unimplemented feature")
        seconds = 0 if wait is True else int(str(wait.this)) if isinstance(wait, Node) else None
        return RowLock(relation, engine_sql(addresses), seconds)


def relation_node(relation: Relation, alias: str) -> Node:
    """The relation in a FROM clause, with the session's own uncommitted rows in place of the committed ones."""
    table_alias = exp.TableAlias(this=quoted(alias))
    if relation.overlay_name is None:
        return exp.Table(this=quoted(relation.engine_name), alias=table_alias)
    names = ", ".join(f'"{name}"' for name in (ROW_ADDRESS, *(name for name, _ignored in relation.columns)))
    rows = parse_one(
        f'SELECT {names} FROM "{relation.engine_name}" WHERE "{ROW_ADDRESS}" NOT IN '
        f'(SELECT "{ROW_ADDRESS}" FROM "{relation.overlay_name}") '
        f'UNION ALL SELECT {names} FROM "{relation.overlay_name}" WHERE "$GONE" = 0',
        read="sqlite",
    )
    return exp.Subquery(this=rows, alias=table_alias)


def _at_position(select: exp.Select, columns: Columns, chosen: Typed) -> Typed:
    """ORDER BY 2 is by the second column."""
    node, _kind = chosen
    if not isinstance(node, exp.Literal) or not str(node.this).isdigit():
        return chosen
    place = int(str(node.this))
    if not 1 <= place <= len(columns):
        raise OracleError(1785, "ORDER BY item must be the number of a SELECT-list expression")
    item = select.expressions[place - 1].this
    return (node if isinstance(item, exp.Literal) else item.copy(), columns[place - 1][1])


def _rownum_limit(condition: Node) -> Node | None:
    """The n of ROWNUM <= n, ROWNUM < n and ROWNUM = 1."""
    if not isinstance(condition, (exp.LT, exp.LTE, exp.EQ)):
        return None
    column = condition.this
    if not isinstance(column, (exp.Column, exp.Pseudocolumn)) or identifier_name(column.this) != "ROWNUM":
        return None
    if isinstance(condition, exp.LT):
        return exp.Sub(this=condition.expression, expression=exp.Literal.number(1))
    if isinstance(condition, exp.EQ) and str(condition.expression.this) != "1":
        return exp.Literal.number(0)
    limit: Node = condition.expression
    return limit
