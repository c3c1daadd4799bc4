# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds statements about tables, indexes, users and privileges."""

from __future__ import annotations

from typing import Any

from lark import Token

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.build_basics import Name, Option, Text, all_of, has, need, one_of, options_of
from oracle_simulator.sql.parser.build_tablespaces import TablespaceRules


class ObjectRules(TablespaceRules):
    """Tables, indexes, users and what is left."""

    def type_argument(self, children: list[Any]) -> Option:
        return Option("argument", children[0] if children and isinstance(children[0], int) else None)

    def datatype(self, children: list[Any]) -> st.TypeSpecification:
        zone = None
        if has(children, "ZONE"):
            zone = "LOCAL" if has(children, "LOCAL") else "ZONE"
        arguments = tuple(option.value for option in all_of(children, Option))
        return st.TypeSpecification(str(children[0]).upper(), arguments, zone)

    def long_type(self, children: list[Any]) -> st.TypeSpecification:
        return st.TypeSpecification("LONG RAW" if has(children, "RAW") else "LONG")

    def double_type(self, children: list[Any]) -> st.TypeSpecification:
        return st.TypeSpecification("DOUBLE PRECISION")

    def interval_digits(self, children: list[Any]) -> Option:
        return Option("digits", int(children[0]))

    def interval_day_type(self, children: list[Any]) -> st.TypeSpecification:
        """INTERVAL DAY [(days)] TO SECOND [(fraction)]: which of the two is missing depends on TO."""
        before = next(place for place, child in enumerate(children) if str(child).upper() == "TO")
        days = one_of(children[:before], Option)
        fraction = one_of(children[before:], Option)
        arguments = (days.value if days else None, fraction.value if fraction else None)
        return st.TypeSpecification("INTERVAL DAY TO SECOND", arguments)

    def interval_year_type(self, children: list[Any]) -> st.TypeSpecification:
        years = one_of(children, Option)
        return st.TypeSpecification("INTERVAL YEAR TO MONTH", (years.value if years else None,))

    def default_value(self, children: list[Token]) -> Option:
        tokens = [child for child in children if isinstance(child, Token)]
        if len(tokens) == len(children):
            return Option("default", " ".join(tokens))
        literal = next(child for child in children if not isinstance(child, Token))
        quoted = f"'{literal.replace(chr(39), chr(39) * 2)}'" if isinstance(literal, Text) else str(literal)
        return Option("default", " ".join([*tokens, quoted]))

    def column_default(self, children: list[Any]) -> Option:
        return need(one_of(children, Option))

    def column_not_null(self, children: list[Any]) -> Option:
        return Option("nullable", False)

    def column_null(self, children: list[Any]) -> Option:
        return Option("nullable", True)

    def column_primary(self, children: list[Any]) -> Option:
        return Option("primary_key", one_of(children, Name) or True)

    def column_unique(self, children: list[Any]) -> Option:
        return Option("unique", one_of(children, Name) or True)

    def column(self, children: list[Any]) -> st.ColumnDefinition:
        options = options_of(children)
        primary, unique = options.pop("primary_key", False), options.pop("unique", False)
        named = primary or unique
        return st.ColumnDefinition(
            str(children[0]),
            children[1],
            primary_key=bool(primary),
            unique=bool(unique),
            constraint_name=str(named) if isinstance(named, str) else None,
            **options,
        )

    def _key(self, children: list[Any], primary: bool) -> st.KeyConstraint:
        columns = tuple(map(str, need(one_of(children, tuple))))
        return st.KeyConstraint(columns, primary, one_of(children, Name))

    def using_index(self, children: list[Any]) -> None:
        return None

    def constraint_state(self, children: list[Any]) -> None:
        return None

    def primary_key(self, children: list[Any]) -> st.KeyConstraint:
        return self._key(children, True)

    def unique_key(self, children: list[Any]) -> st.KeyConstraint:
        return self._key(children, False)

    def table_tablespace(self, children: list[Any]) -> Option:
        return Option("tablespace", str(one_of(children, Name)))

    def table_ignored(self, children: list[Any]) -> Option:
        return Option("ignored")

    def create_table(self, children: list[Any]) -> st.CreateTable:
        owner_and_name: tuple[str | None, str] = need(one_of(children, tuple))
        columns = all_of(children, st.ColumnDefinition)
        names = [column.name for column in columns]
        if not columns:
            raise OracleError(904, ": invalid identifier")
        if len(set(names)) < len(names):
            raise OracleError(957, "duplicate column name")
        return st.CreateTable(
            *owner_and_name,
            columns,
            all_of(children, st.KeyConstraint),
            options_of(children).get("tablespace"),
            logging=options_of(children).get("logging"),
        )

    def table_option(self, children: list[Any]) -> Option:
        return children[0]

    def alter_table(self, children: list[Any]) -> st.Statement:
        return children[-1](*need(one_of(children, tuple)))

    def table_logging(self, children: list[Any]) -> Any:
        return lambda schema, name: st.TableLogging(schema, name, children[0].value)

    def table_add(self, children: list[Any]) -> Any:
        columns = all_of(children, st.ColumnDefinition)
        return lambda schema, name: st.AddColumns(schema, name, columns)

    def table_move(self, children: list[Any]) -> Any:
        tablespace = one_of(children, Name)
        return lambda schema, name: st.MoveTable(schema, name, tablespace)

    def table_not_supported(self, children: list[Any]) -> Any:
        return lambda _schema, _name: st.NotSupported(f"ALTER TABLE {children[0].upper()}")

    def drop_table(self, children: list[Any]) -> st.DropTable:
        return st.DropTable(*need(one_of(children, tuple)))

    def truncate_table(self, children: list[Any]) -> st.TruncateTable:
        return st.TruncateTable(*need(one_of(children, tuple)))

    def index_column(self, children: list[Any]) -> Name:
        return need(one_of(children, Name))

    def index_tablespace(self, children: list[Any]) -> Option:
        return Option("tablespace", str(one_of(children, Name)))

    def index_ignored(self, children: list[Any]) -> Option:
        return Option("ignored")

    def create_index(self, children: list[Any]) -> st.CreateIndex:
        (schema, name), (table_schema, table) = all_of(children, tuple)
        return st.CreateIndex(
            schema,
            name,
            table_schema,
            table,
            all_of(children, Name),
            has(children, "UNIQUE"),
            options_of(children).get("tablespace"),
        )

    def password(self, children: list[Any]) -> Option:
        word = children[0]
        if isinstance(word, Token) and word.type == "QUOTED":
            return Option("password", str(word[1:-1]))
        return Option("password", str(word))

    def user_password(self, children: list[Any]) -> Option:
        return need(one_of(children, Option))

    def user_default(self, children: list[Any]) -> Option:
        return Option("default_tablespace", str(one_of(children, Name)))

    def user_temporary(self, children: list[Any]) -> Option:
        return Option("temporary_tablespace", str(one_of(children, Name)))

    def user_lock(self, children: list[Any]) -> Option:
        return Option("locked", True)

    def user_unlock(self, children: list[Any]) -> Option:
        return Option("locked", False)

    def user_container(self, children: list[Any]) -> Option:
        return Option("container", "ALL" if has(children, "ALL") else "CURRENT")

    def user_container_data(self, children: list[Any]) -> Option:
        names = one_of(children, tuple)
        return Option("container_data", ",".join(names) if names else "ALL" if has(children, "ALL") else "")

    def user_ignored(self, children: list[Any]) -> Option:
        return Option("ignored")

    def _user(self, children: list[Any], create: bool) -> st.UserStatement:
        options = options_of(children)
        options.pop("ignored", None)
        if create and "password" not in options:
            raise OracleError(922, "missing or invalid option")
        return st.UserStatement(str(children[2]), create, **options)

    def create_user(self, children: list[Any]) -> st.UserStatement:
        return self._user(children, True)

    def alter_user(self, children: list[Any]) -> st.UserStatement:
        return self._user(children, False)

    def drop_user(self, children: list[Any]) -> st.DropUser:
        return st.DropUser(str(children[2]), has(children, "CASCADE"))

    def privilege_word(self, children: list[Token]) -> str:
        return str(children[0]).upper()

    def privilege(self, children: list[Any]) -> str:
        return " ".join(
            child for child in children if isinstance(child, str) and not isinstance(child, Token)
        )

    def privileges(self, children: list[Any]) -> Option:
        return Option("privileges", all_of(children, str))

    def _grant(self, children: list[Any], revoke: bool) -> st.Grant:
        tuples = list(all_of(children, tuple))
        target = tuples.pop(0) if has(children, "ON") else None
        grantees = tuple(map(str, tuples[0]))
        container = ("ALL" if has(children, "ALL") else "CURRENT") if has(children, "CONTAINER") else None
        return st.Grant(options_of(children)["privileges"], grantees, target, revoke, container)

    def grant(self, children: list[Any]) -> st.Grant:
        return self._grant(children, False)

    def revoke(self, children: list[Any]) -> st.Grant:
        return self._grant(children, True)

    def key_backup(self, children: list[Any]) -> Option:
        return Option("with_backup")

    def key_container(self, children: list[Any]) -> None:
        return None

    def key_create(self, children: list[Any]) -> st.KeyManagement:
        return _key_management("CREATE KEYSTORE", children)

    def key_auto_login(self, children: list[Any]) -> st.KeyManagement:
        return _key_management("CREATE AUTO_LOGIN KEYSTORE", children)

    def key_open(self, children: list[Any]) -> st.KeyManagement:
        return _key_management("OPEN", children)

    def key_close(self, children: list[Any]) -> st.KeyManagement:
        return _key_management("CLOSE", children)

    def key_set(self, children: list[Any]) -> st.KeyManagement:
        tagged = has(children, "USING")
        return _key_management(
            "SET KEY", [child for child in children if not (tagged and isinstance(child, Text))]
        )

    def administer_key(self, children: list[Any]) -> st.KeyManagement:
        return need(one_of(children, st.KeyManagement))

    def other_object(self, children: list[Token]) -> Name:
        return Name(children[0].upper())

    def altered_object(self, children: list[Token]) -> Name:
        return Name(children[0].upper())

    def not_supported(self, children: list[Any]) -> st.NotSupported:
        kind = one_of(children, Name)
        return st.NotSupported(str(children[0]).upper() + (f" {kind}" if kind else ""))


def _key_management(action: str, children: list[Any]) -> st.KeyManagement:
    location = one_of(children, Text)
    options = options_of(children)
    return st.KeyManagement(
        action,
        options.get("password", ""),
        None if location is None else str(location),
        has(children, "LOCAL"),
        has(children, "FORCE"),
        "with_backup" in options,
    )
