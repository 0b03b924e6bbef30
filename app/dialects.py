"""The few statements that the two databases say differently.

Everything else is one SQLAlchemy statement for both; SQLite ignores `FOR UPDATE SKIP LOCKED`, which
it does not need: there a writing transaction is alone.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    CursorResult,
    Dialect,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

type_names = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def _insert(session: Session, table: Any) -> Any:
    return type_names[session.get_bind().dialect.name](table)


def insert_if_absent(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose keys are not there yet; return how many were inserted."""
    if not rows:
        return 0
    statement = _insert(session, table).on_conflict_do_nothing().returning(*_key(table))
    return len(session.execute(statement, list(rows)).all())


def insert_ignore(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose keys are not there yet, needing no right to read the table."""
    if rows:
        session.execute(_insert(session, table).on_conflict_do_nothing(), list(rows))


def insert_from_select(session: Session, table: Any, columns: Sequence[str], select: Any) -> int:
    """Insert what `select` finds, passing over keys that are there; return how many were new."""
    statement = _insert(session, table).from_select(list(columns), select).on_conflict_do_nothing()
    # Without being asked to, PostgreSQL's driver counts no inserted rows: it says -1.
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement, execution_options={"preserve_rowcount": True}
    )
    return result.rowcount


def insert_or_add(
    session: Session, table: Any, row: Mapping[str, Any], *, key: Sequence[str], add: str
) -> None:
    """Insert a counter's row, or add its `add` column to the one that is there."""
    statement = _insert(session, table).values(**row)
    column: ColumnElement[int] = getattr(table, add)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_={add: column + statement.excluded[add]}
        )
    )


def insert_or_increment(
    session: Session, table: Any, row: Any, *, add: str, where: ColumnElement[bool]
) -> bool:
    """Insert the row that the select `row` gives, or add one to `add` of the row that is there.

    `where` must hold for the row that is there; whether anything was done is returned.
    """
    columns = [column.name for column in table.__table__.columns]
    statement = (
        _insert(session, table.__table__)
        .from_select(columns, row)
        .on_conflict_do_update(
            index_elements=list(_key(table)), set_={add: getattr(table, add) + 1}, where=where
        )
        .returning(*_key(table))
    )
    return session.execute(statement).first() is not None


class _Numbers(TypeDecorator[Collection[int]]):
    """Row numbers as one value: an array, or JSON where there are no arrays."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = postgresql.ARRAY(BigInteger()) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        return list(value or ()) if dialect.name == "postgresql" else json.dumps(list(value or ()))


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Among":
        """Stand by itself: made "= 1", as of anything true or false, SQLite reads every row."""
        return self


@compiles(_Among)
def _as_json(element: Any, compiler: Any, **options: Any) -> str:
    column, numbers = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608 (of SQLAlchemy's making)


@compiles(_Among, "postgresql")
def _as_array(element: Any, compiler: Any, **options: Any) -> str:
    column, numbers = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({numbers})"


def in_ids(column: Any, numbers: Collection[int]) -> ColumnElement[bool]:
    """Say that a column of row numbers holds one of these, in the same words for any count.

    With a place for each number, every count would be a statement of its own: to be compiled anew,
    and kept, a hundred of them for each connection.
    """
    return _Among(column, bindparam(None, numbers, type_=_Numbers(), unique=True))


def jittered(
    session: Session, since: datetime, seconds: int, kind: TypeEngine[Any]
) -> ColumnElement[Any]:
    """Return an instant of the type `kind`, drawn anew for each row, in these `seconds`."""
    if session.get_bind().dialect.name == "postgresql":
        drawn = cast(since, kind) + func.random() * timedelta(seconds=seconds)
        return type_coerce(drawn, kind)
    # Milliseconds, written as SQLAlchemy writes an instant: with six digits after the point.
    after = func.abs(func.random() % (seconds * 1000)) / literal(1000.0)
    text = func.strftime(
        "%Y-%m-%d %H:%M:%f", literal(since, kind), func.printf("+%.3f seconds", after)
    )
    return type_coerce(text.op("||")("000"), kind)


def _key(table: Any) -> Sequence[ColumnElement[Any]]:
    real: Table = table if isinstance(table, Table) else table.__table__
    return tuple(real.primary_key.columns)
