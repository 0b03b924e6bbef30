"""Refusals in SMTP follow the law of bounces, at the moment when their rows forget the reader."""

import pytest
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.completion import anonymise
from app.deliveries.ledger.models import Delivery
from app.mail.replies import Answer, Reply, Stage, classify
from app.mailings.models import Mailing
from app.mailings.states import FINISHED
from app.outcomes.attribution import TokenReader
from app.outcomes.models import BounceMark, OutcomeCount
from app.outcomes.processing import Processor
from app.outcomes.smtp_rejections import SmtpRejections
from app.settings import BouncePolicy
from app.subscribers.models import PendingRemoval
from tests.deliveries.rows import a_mailing
from tests.support.builders import NEWSLETTER
from tests.support.clock import MONDAY


@pytest.fixture
def refusals(keyring: Keyring) -> SmtpRejections:
    signs = TokenReader(keyring.links, "back.example.org", "lists.example.org", NEWSLETTER)
    return SmtpRejections(Processor(signs, BouncePolicy()), keyring)


def ended(session: Transaction, keyring: Keyring, reply: Reply, readers: int = 1) -> None:
    """End a mailing all of whose messages got this answer to RCPT."""
    mailing = a_mailing(session, keyring, readers)
    verdict = classify(Answer(Stage.RCPT, reply))
    reason = f"{verdict.concern} {verdict.kind}"
    session.execute(
        update(Delivery).values(
            state="failed", reason=reason, reply_code=reply.code, reply_status=reply.enhanced
        )
    )
    session.execute(
        update(Mailing).where(Mailing.id == mailing.id).values(state=FINISHED, finished_at=MONDAY)
    )


def forget(session: Transaction, refusals: SmtpRejections) -> int:
    return anonymise(session, lambda s, ids: _ignore(refusals.take(s, ids, now=MONDAY)), now=MONDAY)


def _ignore(_taken: int) -> None:
    pass


def seen(session: Transaction) -> list[tuple[str, int]]:
    return [(row.outcome, row.count) for row in session.scalars(select(OutcomeCount))]


@pytest.mark.parametrize(
    ("said", "outcome", "gone"),
    [
        ("5.1.1 User unknown", "hard", 2),
        ("5.2.2 Mailbox full", "soft", 0),
    ],
)
def test_a_refusal_is_taken_once(
    database: Database,
    keyring: Keyring,
    refusals: SmtpRejections,
    said: str,
    outcome: str,
    gone: int,
) -> None:
    with database.transaction() as session:
        ended(session, keyring, Reply.parse(550, said), readers=2)
        assert forget(session, refusals) == 2
        assert forget(session, refusals) == 0
        assert seen(session) == [(outcome, 2)]
        assert len(session.scalars(select(PendingRemoval)).all()) == gone


@pytest.mark.parametrize(
    "said",
    ["Quux", "Rejected", "5.7.750 Client blocked from sending", "5.7.1 Blocked using a DNSBL"],
)
def test_our_own_fault_is_held_against_no_reader(
    database: Database, keyring: Keyring, refusals: SmtpRejections, said: str
) -> None:
    with database.transaction() as session:
        ended(session, keyring, Reply.parse(550, said))
        session.execute(update(Delivery).values(expires_at=MONDAY))
        assert forget(session, refusals) == 1
        assert {outcome for outcome, _ in seen(session)} <= {"block"}
        assert session.scalars(select(BounceMark)).all() == []
        assert session.scalars(select(PendingRemoval)).all() == []


def test_what_was_sent_is_no_refusal(
    database: Database, keyring: Keyring, refusals: SmtpRejections
) -> None:
    with database.transaction() as session:
        ended(session, keyring, Reply.parse(550, "5.1.1 User unknown"))
        session.execute(update(Delivery).values(state="sent", reason=None))
        assert forget(session, refusals) == 1
        assert seen(session) == []


def test_a_reader_who_left_meanwhile_is_left_alone(
    database: Database, keyring: Keyring, refusals: SmtpRejections
) -> None:
    with database.transaction() as session:
        ended(session, keyring, Reply.parse(550, "5.1.1 User unknown"))
        session.execute(update(Delivery).values(subscriber_id=b"x" * 16))
        assert forget(session, refusals) == 1
        assert seen(session) == []
