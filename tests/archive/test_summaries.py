"""Outlines: the titles of many issues, and the texts of none."""

from sqlalchemy import event

from app.archive import summaries as module
from app.archive.published import launches
from app.archive.summaries import summaries
from app.database import Database
from tests.archive.rows import FIRST, sent


def test_an_outline_has_the_titles_and_verdicts(database: Database) -> None:
    with database.transaction() as session:
        sent(session, segments=("en",))
        ((launch, told),) = summaries(session, launches(session))
    assert str(launch.week) == "2025-W04"
    assert [(each.rubric, each.situation) for each in told] == [
        ("economy", "worse"),
        ("security", "better"),
    ]
    assert told[1].titles == {"en": "A quiet week", "be": "Ціхі тыдзень"}


def test_a_text_is_read_once(database: Database) -> None:
    module._kept.clear()
    with database.transaction() as session:
        sent(session, "2025-W03", FIRST, segments=("en",))
        sent(session, "2025-W04", segments=("en", "be-ru"))
    asked: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_rest: asked.append(statement),
    )
    with database.reading() as session:
        first = summaries(session, launches(session))
        again = summaries(session, launches(session))
    assert first == again
    assert [str(launch.week) for launch, _ in first] == ["2025-W04", "2025-W04", "2025-W03"]
    assert len([statement for statement in asked if "issues.content" in statement]) == 1


def test_what_is_kept_is_bounded(database: Database) -> None:
    module._kept.clear()
    module._kept.update({f"{number}": () for number in range(module.KEPT_AT_MOST + 1)})
    with database.transaction() as session:
        sent(session, segments=("en",))
        assert len(summaries(session, launches(session))) == 1
    assert len(module._kept) == 1
