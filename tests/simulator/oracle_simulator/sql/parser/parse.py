# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From SQL text to a :class:`~oracle_simulator.sql.parser.statements.Statement`.

Queries, DML and PL/SQL are recognised by their first word; everything else goes through the grammar.
Errors are Oracle's own codes, with the zero-based position in the text as ``offset``.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.build import StatementBuilder
from oracle_simulator.sql.parser.grammar import parser

_FIRST_WORD = re.compile(r"(?:\s+|--[^\n]*\n?|/\*.*?\*/|\()*([A-Za-z_]+)?", re.DOTALL)
_TOKENS = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?(?:\*/|(?P<comment>\Z))|(?P<open>')|(?P<semicolon>;)",
    re.DOTALL,
)
_CREATE_TABLE_AS = re.compile(
    r"\s*CREATE\s+TABLE\s+(?P<name>\S+?)\s+(?P<options>(?:TABLESPACE\s+\S+\s+|(?:NO)?LOGGING\s+)*)"
    r"AS\s*(?P<query>\(?\s*(?:SELECT|WITH)\b.*)",
    re.IGNORECASE | re.DOTALL,
)

_UNIT_KIND = r"PROCEDURE|FUNCTION|PACKAGE(?:\s+BODY)?"
_SOURCE_KIND = rf"(?P<kind>{_UNIT_KIND})"
_SOURCE_NAME = r"(?:(?P<schema>\"[^\"]+\"|[\w$#]+)\s*\.\s*)?(?P<name>\"[^\"]+\"|[\w$#]+)"
_CREATE_SOURCE = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*CREATE(?P<replace>\s+OR\s+REPLACE)?\s+(?:(?:NON)?EDITIONABLE\s+)?"
    rf"(?P<unit>{_SOURCE_KIND}\s+{_SOURCE_NAME}.*)",
    re.IGNORECASE | re.DOTALL,
)
_DROP_SOURCE = re.compile(rf"\s*DROP\s+(?P<kind>VIEW|{_UNIT_KIND})\s+{_SOURCE_NAME}\s*$", re.IGNORECASE)

_CREATE_VIEW = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*CREATE(?P<replace>\s+OR\s+REPLACE)?\s+(?:(?:NO)?\s*FORCE\s+)?(?:(?:NON)?EDITIONABLE\s+)?"
    rf"VIEW\s+{_SOURCE_NAME}\s*(?P<columns>\([^()]*\))?\s*AS\s+(?P<query>\(?\s*(?:SELECT|WITH)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
# Which error a wrong word raises depends on the statement it stands in.
_OPTION_ERRORS = (
    (("ALTER", "SYSTEM"), (2065, "illegal option for ALTER SYSTEM")),
    (("ALTER", "SESSION"), (2248, "invalid option for ALTER SESSION")),
    (("ALTER", "PLUGGABLE"), (922, "missing or invalid option")),
    (("CREATE", "PLUGGABLE"), (922, "missing or invalid option")),
    (("DROP", "PLUGGABLE"), (922, "missing or invalid option")),
    (("ALTER", "DATABASE"), (2231, "missing or invalid option to ALTER DATABASE")),
    (("ALTER", "TABLESPACE"), (2142, "missing or invalid ALTER TABLESPACE option")),
    (("CREATE", "CONTROLFILE"), (1967, "invalid option for CREATE CONTROLFILE")),
    (("CREATE", "TABLE"), (922, "missing or invalid option")),
    (("ALTER", "TABLE"), (1735, "invalid ALTER TABLE option")),
    (("CREATE", "TABLESPACE"), (2180, "invalid option for CREATE TABLESPACE")),
    (("DROP", "TABLESPACE"), (2173, "invalid option for DROP TABLESPACE")),
    (("CREATE", "USER"), (922, "missing or invalid option")),
    (("ALTER", "USER"), (922, "missing or invalid option")),
    (("CREATE", "PFILE"), (922, "missing or invalid option")),
    (("GRANT",), (990, "missing or invalid privilege")),
    (("REVOKE",), (990, "missing or invalid privilege")),
    (("CREATE",), (901, "invalid CREATE command")),
    (("ALTER",), (940, "invalid ALTER command")),
    (("DROP",), (950, "invalid DROP option")),
    (("TRUNCATE",), (3290, "Invalid truncate command - missing CLUSTER or TABLE keyword")),
    (("LOCK",), (922, "missing or invalid option")),
    (("SET",), (922, "missing or invalid option")),
)
# Legal Oracle that has no place in a simulated table: better refused than silently forgotten.
_UNSUPPORTED_WORDS = frozenset({"CHECK", "REFERENCES", "FOREIGN", "PARTITION", "GENERATED", "ORGANIZATION"})
_WORDS = re.compile(r"[A-Za-z_]+")
_LONG_TEXT = 32768  # longer ones are not worth the memory they would be kept in
_LAST_WORD = re.compile(r"[A-Za-z_]+\s*\(?\s*$")
_USUAL_CHARACTER = re.compile(r"[A-Za-z0-9'\"(),=.*]")


def parse(text: str) -> st.Statement:
    """Parse one statement, which must not end with a semicolon (ORA-00911) unless it is PL/SQL.

    Raises :class:`OracleError` with Oracle's code for what is wrong: 900, 911, 922, 1756, 2065, ...
    """
    return _remembered(text) if len(text) < _LONG_TEXT else _parse(text)


def _parse(text: str) -> st.Statement:
    first = _FIRST_WORD.match(text)
    verb = (first.group(1) or "").upper() if first else ""
    if verb in {"BEGIN", "DECLARE", "CALL"}:
        return st.PlsqlBlock(text)
    if verb == "CREATE" and (created := _CREATE_SOURCE.match(text)):
        place = (_stored_name(created["schema"]), _stored_name(created["name"]) or "")
        return st.CreateSource(*place, _kind(created), created["unit"], bool(created["replace"]))
    if verb == "CREATE" and (view := _CREATE_VIEW.match(text)):
        return _create_view(view)
    if verb == "DROP" and (dropped := _DROP_SOURCE.match(text)):
        place = (_stored_name(dropped["schema"]), _stored_name(dropped["name"]) or "")
        return st.DropSource(*place, _kind(dropped))
    _check_text(text)
    if verb in {"SELECT", "WITH"}:
        return st.Query(text)
    if verb in {"INSERT", "UPDATE", "DELETE", "MERGE"}:
        return st.Dml(verb, text)
    create_as = _CREATE_TABLE_AS.match(text) if verb == "CREATE" else None
    if create_as:
        return _create_table_as(create_as)
    try:
        tree = parser().parse(text)
    except UnexpectedInput as problem:
        raise _syntax_error(text, problem) from None
    return StatementBuilder(text).build(tree)


_remembered = functools.lru_cache(maxsize=2048)(_parse)


def _create_view(found: re.Match[str]) -> st.CreateSource:
    """A view is its query, under a WITH clause if the columns have names of their own."""
    query, columns = found["query"], found["columns"]
    if columns:
        query = f"WITH VIEW$QUERY{columns} AS ({query}) SELECT * FROM VIEW$QUERY"
    name = _stored_name(found["name"]) or ""
    return st.CreateSource(_stored_name(found["schema"]), name, "VIEW", query, bool(found["replace"]))


def _stored_name(name: str | None) -> str | None:
    return None if name is None else name[1:-1] if name.startswith('"') else name.upper()


def _kind(found: re.Match[str]) -> str:
    return " ".join(found["kind"].upper().split())


def _check_text(text: str) -> None:
    """Errors that Oracle's scanner finds before any parser sees the text."""
    if not text.strip(" \t\r\n;"):
        raise OracleError(900, "invalid SQL statement")
    for token in _TOKENS.finditer(text):
        if token.group("open"):
            raise OracleError(1756, "quoted string not properly terminated", offset=token.start())
        if token.group("comment") is not None:
            raise OracleError(1742, "comment not terminated properly", offset=token.start())
        if token.group("semicolon"):
            raise OracleError(911, "invalid character", offset=token.start())


def _create_table_as(found: re.Match[str]) -> st.CreateTable:
    # The columns come from the query; everything else is as in a CREATE TABLE with some column.
    head = f"CREATE TABLE {found['name']} (column1 NUMBER) {found['options']}"
    try:
        named = StatementBuilder(head).build(parser().parse(head))
    except UnexpectedInput:
        raise OracleError(903, "invalid table name", offset=found.start("name")) from None
    if not isinstance(named, st.CreateTable):
        raise OracleError(903, "invalid table name", offset=found.start("name"))
    return replace(named, columns=(), query=found["query"])


def _syntax_error(text: str, problem: UnexpectedInput) -> OracleError:
    offset = len(text) if problem.pos_in_stream is None else problem.pos_in_stream
    if isinstance(problem, UnexpectedToken) and problem.token.type == "$END":
        offset = len(text)
    words = tuple(word.upper() for word in _WORDS.findall(text[:offset])[:3])
    around = (_WORDS.match(text, offset), _LAST_WORD.search(text[max(offset - 100, 0) : offset]))
    if any(found and found.group().strip(" (\n\t").upper() in _UNSUPPORTED_WORDS for found in around):
        return OracleError(3001, "unimplemented feature", offset=offset)
    if isinstance(problem, UnexpectedCharacters) and not _USUAL_CHARACTER.match(text, offset):
        return OracleError(911, "invalid character", offset=offset)
    if not words:
        return OracleError(900, "invalid SQL statement", offset=offset)
    expected = _expected(problem)
    if expected == {"STRING"}:
        if re.search(r"\bTIME\s+$", text[:offset], re.IGNORECASE):
            return OracleError(285, "TIME not given as a string constant", offset=offset)
        return OracleError(2236, "invalid file name", offset=offset)
    if "RPAR" in expected and words[:2] == ("CREATE", "TABLE"):
        return OracleError(907, "missing right parenthesis", offset=offset)
    if expected and expected <= {"NAME", "QUOTED"}:
        return _missing_name(words, offset)
    if expected == {"$END"}:
        return OracleError(933, "SQL command not properly ended", offset=offset)
    for head, (code, message) in _OPTION_ERRORS:
        if words[: len(head)] == head:
            return OracleError(code, message, offset=offset)
    return OracleError(900, "invalid SQL statement", offset=offset)


def _expected(problem: UnexpectedInput) -> set[str]:
    if isinstance(problem, UnexpectedToken):
        return set(problem.accepts or problem.expected)
    if isinstance(problem, UnexpectedCharacters):
        return set(problem.allowed or ())
    return set()


def _missing_name(words: tuple[str, ...], offset: int) -> OracleError:
    match words:
        case (_, "TABLESPACE", *_):
            return OracleError(2216, "tablespace name expected", offset=offset)
        case (_, "TABLE", *_):
            return OracleError(903, "invalid table name", offset=offset)
        case (_, "USER", *_):
            return OracleError(1935, "missing user or role name", offset=offset)
    return OracleError(931, "missing identifier", offset=offset)
