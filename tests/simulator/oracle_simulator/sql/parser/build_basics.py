# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of the statement builder share: literals, names, files and how to pick from children."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

from lark import Token, Transformer

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60}


Kind = TypeVar("Kind")


class Name(str):
    """An identifier as the dictionary keeps it."""

    __slots__ = ()


class Text(str):
    """The value of a character literal."""

    __slots__ = ()


@dataclass(frozen=True)
class Option:
    """A clause that its statement collects by name."""

    name: str
    value: Any = True


def unquote_identifier(text: str) -> Name:
    return Name(text[1:-1] if text.startswith('"') else text.upper())


def parse_size(text: str) -> int:
    """``10M`` in bytes."""
    found = re.fullmatch(r"(\d+)([KMGTPE]?)", text.upper())
    if not found:
        raise OracleError(2017, "integer value required")
    return int(found[1]) * _UNITS[found[2]]


def has(children: Sequence[Any], *keywords: str) -> bool:
    return any(isinstance(child, Token) and child.type in keywords for child in children)


def all_of(children: Sequence[Any], kind: type[Kind]) -> tuple[Kind, ...]:
    return tuple(child for child in children if isinstance(child, kind) and not isinstance(child, Token))


def one_of(children: Sequence[Any], kind: type[Kind]) -> Kind | None:
    found = all_of(children, kind)
    return found[0] if found else None


def options_of(children: Sequence[Any]) -> dict[str, Any]:
    return {option.name: option.value for option in all_of(children, Option)}


def need(value: Kind | None) -> Kind:
    if value is None:
        raise OracleError(900, "invalid SQL statement")
    return value


class Basics(Transformer[Token, Any]):
    """Literals, names, files."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def start(self, children: list[Any]) -> Any:
        return children[0]

    def STRING(self, token: Token) -> Text:
        return Text(token[1:-1].replace("''", "'"))

    def INT(self, token: Token) -> int:
        return int(token)

    def SIGNED(self, token: Token) -> int:
        return int(token)

    def SIZE(self, token: Token) -> int:
        return parse_size(str(token))

    def name(self, children: list[Token]) -> Name:
        name = unquote_identifier(str(children[0]))
        if len(name) > 128:
            raise OracleError(972, "identifier is too long", offset=children[0].start_pos or 0)
        return name

    def object(self, children: list[Any]) -> tuple[str | None, str]:
        names = all_of(children, Name)
        return (names[0], names[1]) if len(names) > 1 else (None, names[0])

    def object_list(self, children: list[Any]) -> tuple[tuple[str | None, str], ...]:
        return tuple(child for child in children if isinstance(child, tuple))

    def names(self, children: list[Any]) -> tuple[Name, ...]:
        return all_of(children, Name)

    def strings(self, children: list[Any]) -> tuple[Text, ...]:
        return all_of(children, Text)

    def rest(self, children: list[Any]) -> None:
        return None

    def file_reference(self, children: list[Any]) -> int | str:
        return int(children[0]) if isinstance(children[0], int) else str(children[0])

    def file_references(self, children: list[Any]) -> tuple[int | str, ...]:
        return tuple(child for child in children if not isinstance(child, Token))

    def file_size(self, children: list[Any]) -> Option:
        return Option("size_bytes", children[1])

    def file_reuse(self, children: list[Any]) -> Option:
        return Option("reuse")

    def file_option(self, children: list[Any]) -> Option:
        return Option("autoextend", children[0])

    def autoextend_off(self, children: list[Any]) -> st.Autoextend:
        return st.Autoextend(False)

    def autoextend_on(self, children: list[Any]) -> st.Autoextend:
        next_bytes = maximum = None
        for word, value in pairwise(children):
            if isinstance(word, Token) and word.type == "NEXT":
                next_bytes = value
            if isinstance(word, Token) and word.type == "MAXSIZE":
                maximum = value if isinstance(value, int) else st.UNLIMITED
        return st.Autoextend(True, next_bytes, maximum)

    def autoextend(self, children: list[Any]) -> Any:
        return children[0]

    def file(self, children: list[Any]) -> st.FileSpecification:
        path = one_of(children, Text)
        return st.FileSpecification(None if path is None else str(path), **options_of(children))

    def files(self, children: list[Any]) -> tuple[st.FileSpecification, ...]:
        return all_of(children, st.FileSpecification)

    def redo_members(self, children: list[Any]) -> tuple[Text, ...]:
        return all_of(children, Text)

    def redo_group(self, children: list[Any]) -> st.RedoGroupSpecification:
        group = st.RedoGroupSpecification(tuple(map(str, need(one_of(children, tuple)))))
        for word, value in pairwise(children):
            if isinstance(word, Token) and word.type == "GROUP":
                group = replace(group, group=value)
            elif isinstance(word, Token) and word.type == "SIZE_KW":
                group = replace(group, size_bytes=value)
            elif isinstance(word, Token) and word.type == "BLOCKSIZE":
                group = replace(group, block_size=value)
        return replace(group, reuse=has(children, "REUSE"))
