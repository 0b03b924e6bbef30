"""Revising: none of the earlier edition goes once the new one is approved, in either language."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries import revising
from app.deliveries.ledger.cancelling import cancel_mailing, resume_mailing
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.completion import aggregate
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.progress import as_record
from app.deliveries.recalling import MessagesClaimed, recall
from app.deliveries.revising import NothingUnsent, NotPaused, revise, revise_mailing
from app.editions.freezing import EditionContext, editions_of
from app.editions.lint.rules import Finding
from app.issues.approval import IssueIncomplete, approve, approved_segments
from app.issues.content import IssueContent, UnknownLanguage
from app.issues.drafting import EtagDiffers, WeekDiffers, content_of, find
from app.issues.models import IssueVersion
from app.issues.versions import list_versions
from app.mailings.control import pause
from app.mailings.launch import launch
from app.mailings.models import Mailing
from tests.deliveries.rows import LIFE, a_mailing, a_sender
from tests.support.builders import NEWSLETTER, PUBLIC_URL, WEEK, a_document, a_subscriber, an_issue
from tests.support.clock import MONDAY

CONTEXT = EditionContext(NEWSLETTER, PUBLIC_URL)
LATER = MONDAY + timedelta(hours=1)


def better(**more: Any) -> IssueContent:
    return IssueContent.model_validate(a_document(said="Better", **more))


def a_paused_mailing(session: Transaction, keyring: Keyring, readers: int = 3) -> Mailing:
    mailing = a_mailing(session, keyring, readers)
    return pause(session, mailing.id)


def revised(
    session: Transaction, mailing: Mailing, content: IssueContent | None = None, **more: Any
) -> tuple[Mailing, tuple[Finding, ...]]:
    text = content or better()
    return revise(session, CONTEXT, mailing.id, text, by="editor", now=LATER, **more)


def test_the_rest_is_claimed_with_the_new_edition(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_paused_mailing(session, keyring)
        session.execute(
            update(Delivery).where(Delivery.id == 1).values(state="sent", attempts=1, revision=1)
        )
        assert revised(session, mailing)[0].revision == 2
        assert "Better" in editions_of(session, str(WEEK), "en")["en"].text
        assert "Better" not in editions_of(session, str(WEEK), "en", 1)["en"].text
        assert content_of(find(session, WEEK)) == better()
        assert as_record(session, mailing, now=LATER)["sent_by_revision"] == {"1": 1}
        resume_mailing(session, mailing.id, life=LIFE, now=LATER)
        taken = claim(session, a_sender(session), limit=9, now=LATER)
        assert [each.revision for each in taken] == [2, 2]
        session.execute(update(Delivery).values(state="sent"))
        record = as_record(session, mailing, now=LATER)
        assert (record["revision"], record["sent_by_revision"]) == (2, {"1": 1, "2": 2})
        mailing.state, mailing.finished_at = "finished", LATER
        session.flush()
        aggregate(session, timedelta(days=1), now=LATER + timedelta(days=2))
        folded = as_record(session, mailing, now=LATER)
        assert folded["sent_by_revision"] == {"1": 1, "2": 2}


def test_both_languages_of_a_segment_are_revised(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        an_issue(session, approved=["be-ru"])
        a_subscriber(session, keyring, segments=["be-ru"])
        mailing, _ = launch(session, WEEK, NEWSLETTER.segment("be-ru"), by="editor", now=MONDAY)
        pause(session, mailing.id)
        revised(session, mailing)
        found = editions_of(session, str(WEEK), "be-ru")
        assert sorted(found) == ["be", "ru"]
        assert all(each.revision == 2 and "Better" in each.text for each in found.values())


def test_an_approved_segment_that_waits_gets_the_new_text_too(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_paused_mailing(session, keyring)
        approve(session, NEWSLETTER, WEEK, ["be-ru"], by="editor", now=MONDAY)
    with (
        pytest.raises(IssueIncomplete, match="be-ru"),
        database.transaction() as session,
    ):
        revised(session, session.get_one(Mailing, mailing.id), better(languages=["en"]))
    with database.transaction() as session:
        revised(session, session.get_one(Mailing, mailing.id))
        a_subscriber(session, keyring, "late@example.org", segments=["be-ru"])
        second, _ = launch(session, WEEK, NEWSLETTER.segment("be-ru"), by="editor", now=LATER)
        assert second.revision == 1, "its first edition"
        found = editions_of(session, str(WEEK), "be-ru", second.revision)
        assert all("Better" in each.text for each in found.values())
        assert approved_segments(session, WEEK) == ("be-ru", "en")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("running", "Pause it first"),
        ("enrolling", "Pause it first"),
        ("finished", "vestka issue correct 2025-W04"),
        ("recalled", "Its issue is open"),
    ],
)
def test_only_what_stands_still_is_revised(
    state: str, said: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 1)
        mailing.state = state
        mailing.finished_at = MONDAY if state == "finished" else None
        session.flush()
        with pytest.raises(NotPaused, match=said):
            revised(session, mailing)


def test_a_cancelled_mailing_is_revised_before_it_is_resumed(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        cancel_mailing(session, mailing.id, now=MONDAY)
        assert revised(session, mailing)[0].revision == 2
        session.execute(update(Delivery).values(state="sent"))
        with pytest.raises(NothingUnsent):
            revised(session, mailing)


def test_nothing_is_revised_while_a_sender_holds_the_earlier_edition(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        claim(session, a_sender(session), limit=1, now=MONDAY)
        pause(session, mailing.id)
    waits: list[int] = []
    monkeypatch.setattr(revising, "wait_until_released", lambda _, number: waits.append(number))
    with pytest.raises(MessagesClaimed, match=r"at this moment: 1\."):
        revise_mailing(database, CONTEXT, mailing.id, better(), by="editor", now=LATER)
    assert waits == [mailing.id]
    with database.reading() as session:
        assert session.scalars(select(IssueVersion)).all() == []


def test_a_wrong_text_changes_nothing(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_paused_mailing(session, keyring)
        etag = find(session, WEEK).etag
    unknown = a_document()
    unknown["commentaries"][0]["texts"]["de"] = {"title": "T", "body": "B"}
    for content, refusal, more in (
        (IssueContent.model_validate(unknown), UnknownLanguage, {}),
        (better(week="2025-W05"), WeekDiffers, {}),
        (better(languages=["be"]), IssueIncomplete, {}),
        (better(), EtagDiffers, {"if_match": '"other"'}),
    ):
        with pytest.raises(refusal), database.transaction() as session:
            revised(session, session.get_one(Mailing, mailing.id), content, **more)
    with database.transaction() as session:
        assert session.scalars(select(IssueVersion)).all() == []
        assert find(session, WEEK).etag == etag
        revised(session, session.get_one(Mailing, mailing.id), if_match=f'"{etag}"')


def test_a_draft_stored_after_a_recall_is_kept_as_an_original(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_paused_mailing(session, keyring)
        revised(session, mailing)
        recall(session, mailing.id)
        an_issue(session, approved=["en"])
        again, new = launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=LATER)
        assert new
        assert again.revision == 1
        again.state = "paused"
        session.flush()
        revised(session, again)
        kinds = [each.kind for each in list_versions(session, WEEK)]
        assert kinds == ["revision", "original", "revision", "original"]
