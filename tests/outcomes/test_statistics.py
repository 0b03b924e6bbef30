"""What operators see: the counts by every heading, and no provider that few messages were for."""

from app.addresses.keyring import Keyring
from app.database import Database
from app.mail.classification import Class, Verdict
from app.outcomes.counting import Saying, count_outcome, forget_sayings, keep_saying
from app.outcomes.statistics import FEWEST, outcomes_of, since, totals
from tests.deliveries.rows import LIFE, a_mailing
from tests.support.builders import everything
from tests.support.clock import MONDAY

TODAY = MONDAY.date()
UNKNOWN = Verdict(Class.HARD, "user-unknown")
FULL = Verdict(Class.SOFT, "full")


def test_small_providers_have_no_name(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 1)
        for _ in range(FEWEST):
            count_outcome(session, mailing.week, mailing.segment, UNKNOWN, "gmail")
        for name in ("mail.ru", "yandex"):
            count_outcome(session, mailing.week, mailing.segment, FULL, name)
        count_outcome(session, "2025-W03", mailing.segment, FULL, "gmail")
        count_outcome(session, mailing.week, "be-ru", FULL, "gmail")
        count_outcome(session, mailing.week, "", FULL, "")
        seen = outcomes_of(session, mailing)
        assert seen["classes"] == {"hard": 5, "soft": 2}
        assert seen["reasons"] == [
            {"class": "hard", "reason": "user-unknown", "count": 5},
            {"class": "soft", "reason": "full", "count": 2},
        ]
        assert seen["providers"] == {"gmail": {"hard": 5}, "other": {"soft": 2}}
        assert since(session, "2025-W04") == (8, 1)
        assert sorted(totals(session)) == [
            ("", "soft", 1),
            ("be-ru", "soft", 1),
            ("en", "hard", 5),
            ("en", "soft", 3),
        ]


def test_what_was_said_is_shown_by_how_often(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 1)
        told = [("552 full", Class.SOFT)] * 4 + [("no Mr Smith here", Class.HARD)] * 2
        told += [("you are on a list", Class.BLOCK), ("", Class.SOFT)]
        for text, class_ in [*told, *[("I am away", Class.AUTO)] * 3]:
            said = Saying(text, text.encode()[:16])
            keep_saying(session, mailing.week, mailing.segment, class_, said, today=TODAY)
        shown = outcomes_of(session, mailing)["diagnostics"]
        assert [(each["text"], each["count"]) for each in shown] == [
            ("552 full", 4),
            ("you are on a list", 1),
        ]
        assert "Smith" not in repr(everything(database)["diagnostics"])
        forget_sayings(session, LIFE, today=TODAY + LIFE)
        assert len(outcomes_of(session, mailing)["diagnostics"]) == 2
        forget_sayings(session, LIFE, today=(MONDAY + 2 * LIFE).date())
        assert outcomes_of(session, mailing)["diagnostics"] == []
