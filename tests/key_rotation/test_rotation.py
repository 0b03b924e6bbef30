"""A change of keys: nobody is lost, no link changes, and what was copied before is unreadable."""

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, undefer_group

from app.addresses.address import EmailAddress
from app.addresses.blind_index import known_indexes
from app.addresses.keyring import Keyring
from app.addresses.sealing import seal
from app.clock import Clock
from app.database import Database
from app.key_rotation import rotation as rotation_module
from app.key_rotation.in_use import who_uses_older
from app.key_rotation.key_users import ALIVE, KeysBehind, refuse_behind, say
from app.key_rotation.rotation import (
    Rotated,
    Rotation,
    RotationRuns,
    RotationUnfinished,
    destroy_spare,
)
from app.keys.creation import create_keys
from app.keys.generations import begun, generation_in_use, make_generation, use_generation
from app.keys.key_format import KeyName, key_names
from app.subscribers.admission import admit
from app.subscribers.models import SEALS, ServiceMessage, SignUp, Subscriber, Subscription
from app.subscribers.row_integrity import Flaw, open_selected, rows
from app.subscribers.service_messages import ask_to_confirm, token_of
from app.subscribers.sign_up import drop
from app.subscribers.unsubscription import UNSUBSCRIBED, end
from app.tokens import new_id
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY, SetClock

NAMES = ("ann", "bob", "eve")


class Hurrying(SetClock):
    """A clock that goes on by itself: every look takes a second."""

    def monotonic(self) -> float:
        self.go_on(seconds=1)
        return super().monotonic()


@pytest.fixture
def own_keys(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation_module, "LOOK_EVERY", 0.0)


def rotate(
    database: Database, keys_dir: Path, *, patience: float = 5, clock: Clock | None = None
) -> Rotated:
    told: list[str] = []
    here = clock or Hurrying()
    return Rotation(database, keys_dir, here, patience, told.append).run()


def enlist(database: Database, keys_dir: Path, names: Sequence[str] = NAMES) -> None:
    keyring = Keyring.load(keys_dir)
    with database.transaction() as session:
        for name in names:
            a_subscriber(session, keyring, f"{name}@example.org", segments=["en"])


def opened(database: Database, keyring: Keyring) -> dict[bytes, EmailAddress | Flaw]:
    with database.reading() as session:
        return {row.link_id: open_selected(keyring, row) for row in session.execute(rows())}


def generations(database: Database) -> set[tuple[int, int, int]]:
    with database.reading() as session:
        return {(r.sealed[1], r.blind_index[0], r.admit[0]) for r in session.execute(rows())}


def secret_kids(keys_dir: Path) -> set[tuple[str, int]]:
    return {(name.purpose, name.kid) for name in key_names(keys_dir)}


def test_c7_everybody_is_sealed_anew_and_the_old_keys_are_gone(
    database: Database, own_keys: Path
) -> None:
    enlist(database, own_keys)
    before = opened(database, Keyring.load(own_keys))
    done = rotate(database, own_keys)
    assert (done.generation, done.resealed, done.flawed, done.kept) == (2, 3, 0, [])
    assert generations(database) == {(2, 2, 2)}
    assert opened(database, Keyring.load(own_keys)) == before
    assert secret_kids(own_keys) == {
        *((purpose, 2) for purpose in ("list", "hot", "index", "mac")),
        ("never", 1),
        ("link", 1),
    }
    assert {path.stat().st_mode & 0o777 for path in own_keys.glob("*.key")} == {0o400}
    assert not list(own_keys.glob(".*"))


def test_who_is_admitted_under_the_old_keys_after_the_first_round_is_not_lost(
    database: Database, own_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enlist(database, own_keys, ["ann"])
    old, late = Keyring.load(own_keys), list[bytes]()

    def admitting(session: Session, kid: int, *, now: datetime) -> str:
        if not late:
            with database.transaction() as other:
                late.append(a_subscriber(other, old, "bob@example.org").link_id)
        return who_uses_older(session, kid, now=now)

    monkeypatch.setattr(rotation_module, "who_uses_older", admitting)
    assert rotate(database, own_keys).resealed == 2
    assert opened(database, Keyring.load(own_keys))[late[0]] == address_of("bob")


def test_c7_a_copy_from_before_is_unreadable(database: Database, own_keys: Path) -> None:
    enlist(database, own_keys)
    with database.reading() as session:
        backup = session.execute(rows()).all()
    rotate(database, own_keys)
    keyring = Keyring.load(own_keys)
    assert {open_selected(keyring, row) for row in backup} == {Flaw.CHANGED}
    known = {index for name in NAMES for index in known_indexes(keyring.index, address_of(name))}
    assert not known & {row.blind_index for row in backup}


def address_of(name: str) -> EmailAddress:
    return EmailAddress(f"{name}@example.org")


def test_rotating_again_makes_the_next_generation(database: Database, own_keys: Path) -> None:
    enlist(database, own_keys)
    assert [rotate(database, own_keys).generation for _ in range(3)] == [2, 3, 4]
    assert generations(database) == {(4, 4, 4)}
    assert begun(own_keys) == {kid: MONDAY.date() for kid in (2, 3, 4)}


def test_a_flawed_row_gets_no_seal_of_ours(database: Database, own_keys: Path) -> None:
    enlist(database, own_keys)
    with database.transaction() as session:
        bob = session.execute(rows()).first()
        assert bob is not None
        session.execute(update(Subscriber).where(Subscriber.id == bob.id).values(admit=b"x" * 33))
    done = rotate(database, own_keys)
    assert (done.resealed, done.flawed) == (2, 1)
    assert sorted(map(str, opened(database, Keyring.load(own_keys)).values())) == [
        "EmailAddress(…)",
        "EmailAddress(…)",
        "changed or planted",
    ]


@pytest.mark.parametrize("step", ["some made", "all made", "half used", "used", "half sealed"])
def test_what_was_begun_is_finished(database: Database, own_keys: Path, step: str) -> None:
    enlist(database, own_keys)
    make_generation(own_keys, 2, today=MONDAY.date())
    if step == "some made":
        (own_keys / "hot.2.key").unlink()
        (own_keys / ".mac.2.key.new").write_text("half")
        (own_keys / "mac.2.key").unlink()
    elif step != "all made":
        use_generation(own_keys, 2)
    if step == "half used":
        (own_keys / "list.2.pub").unlink()
    if step == "half sealed":
        (own_keys / "hot.1.key").unlink()
    before = opened(database, Keyring.load(own_keys)) if step != "some made" else None
    assert rotate(database, own_keys).generation == 2
    assert generations(database) == {(2, 2, 2)}
    after = opened(database, Keyring.load(own_keys))
    assert before in (None, after)
    assert {kid for purpose, kid in secret_kids(own_keys) if purpose == "list"} == {2}
    assert not list(own_keys.glob(".*"))


def test_links_that_are_on_their_way_stay_as_they_are(database: Database, own_keys: Path) -> None:
    enlist(database, own_keys, ["ann"])
    old = Keyring.load(own_keys)
    with database.transaction() as session:
        ann = session.scalars(select(Subscriber)).one()
        ask_to_confirm(session, old, ann.id, ["be-ru"], "be", MONDAY.date())
    with database.reading() as session:
        message = session.scalars(select(ServiceMessage)).one()
    token = token_of(old, message.kind, message.nonce)
    done = rotate(database, own_keys)
    assert done.kept == ["mac.1.key"]
    new = Keyring.load(own_keys)
    assert token_of(new, message.kind, message.nonce) == token
    assert new.message_ids == old.message_ids
    assert destroy_spare(database, own_keys, now=MONDAY + timedelta(days=2)) == []
    spare = destroy_spare(database, own_keys, now=MONDAY + timedelta(days=3))
    assert spare == [KeyName("mac", 1, "key")]
    assert secret_kids(own_keys) >= {("mac", 2)}
    assert destroy_spare(database, own_keys, now=MONDAY + timedelta(days=3)) == []


def test_a_second_rotation_does_not_wait_for_messages(database: Database, own_keys: Path) -> None:
    enlist(database, own_keys, ["ann"])
    with database.transaction() as session:
        ann = session.scalars(select(Subscriber)).one()
        ask_to_confirm(session, Keyring.load(own_keys), ann.id, ["be-ru"], "be", MONDAY.date())
    assert rotate(database, own_keys).generation == 2
    done = rotate(database, own_keys)
    assert (done.generation, done.kept) == (3, ["mac.1.key", "mac.2.key"])


def test_it_waits_until_who_opens_knows_the_new_keys(database: Database, own_keys: Path) -> None:
    enlist(database, own_keys)
    user = new_id()
    with database.transaction() as session:
        say(session, user, "sender", seals=1, knows=1, now=MONDAY)
    clock = Hurrying()
    with pytest.raises(RotationUnfinished, match=r"not read the new keys yet \(sender\)"):
        rotate(database, own_keys, clock=clock)
    assert generation_in_use(own_keys) == 1
    with database.transaction() as session:
        say(session, user, "sender", seals=1, knows=2, now=clock.now())
    with pytest.raises(RotationUnfinished, match=r"still seals with older keys \(sender\)"):
        rotate(database, own_keys, clock=clock)
    assert generation_in_use(own_keys) == 2
    assert ("list", 1) in secret_kids(own_keys)
    with database.transaction() as session:
        say(session, user, "sender", seals=2, knows=2, now=clock.now())
    assert rotate(database, own_keys, clock=clock).generation == 2
    assert ("list", 1) not in secret_kids(own_keys)


def test_it_does_not_wait_for_the_dead(database: Database, own_keys: Path) -> None:
    with database.transaction() as session:
        say(session, new_id(), "sender", seals=1, knows=1, now=MONDAY - ALIVE)
    assert rotate(database, own_keys).generation == 2


def test_what_old_keys_sealed_is_taken_in_before_they_go(
    database: Database, own_keys: Path
) -> None:
    keyring, today = Keyring.load(own_keys), MONDAY.date()
    facts = {"segments": ["en"], "language": "en", "consent": "1", "today": today}
    with database.transaction() as session:
        drop(session, keyring, address_of("ann"), **facts)  # type: ignore[arg-type]
    with pytest.raises(RotationUnfinished, match=r"in the inbox \(2\)"):
        rotate(database, own_keys)
    assert ("hot", 1) in secret_kids(own_keys)
    with database.transaction() as session:
        assert admit(session, Keyring.load(own_keys), rates=(), now=MONDAY) == 1
        assert session.scalars(select(SignUp)).all() == []
    assert rotate(database, own_keys).resealed == 1
    assert set(opened(database, Keyring.load(own_keys)).values()) == {address_of("ann")}


def test_who_starts_with_keys_of_before_is_refused(database: Database, own_keys: Path) -> None:
    rotate(database, own_keys)
    with database.reading() as session:
        refuse_behind(session, 2)
        with pytest.raises(KeysBehind):
            refuse_behind(session, 1)


def test_two_at_once_are_not_done(database: Database, own_keys: Path) -> None:
    with rotation_module._alone(own_keys), pytest.raises(RotationRuns):
        rotate(database, own_keys)


def test_two_rows_of_one_address_become_one(database: Database, own_keys: Path) -> None:
    """As two senders make them, of which one had not taken up the new keys."""
    enlist(database, own_keys, ["ann", "bob"])
    make_generation(own_keys, 2, today=MONDAY.date())
    use_generation(own_keys, 2)
    with database.transaction() as session:
        a_subscriber(
            session, Keyring.load(own_keys), "ann@example.org", segments=["be-ru"], language="be"
        )
    assert rotate(database, own_keys).resealed == 2
    found = opened(database, Keyring.load(own_keys))
    assert sorted(str(a.wire) for a in found.values() if isinstance(a, EmailAddress)) == [
        "ann@example.org",
        "bob@example.org",
    ]
    with database.reading() as session:
        held = session.execute(
            select(Subscriber.link_id, Subscription.segment).join(
                Subscription, Subscription.subscriber_id == Subscriber.id
            )
        ).all()
    ann = {row.segment for row in held if found[row.link_id] == address_of("ann")}
    assert ann == {"en", "be-ru"}


def test_a_row_of_an_older_key_cannot_be_put_back(database: Database, own_keys: Path) -> None:
    enlist(database, own_keys, ["ann"])
    with database.transaction() as session:
        ann = session.scalars(select(Subscriber).options(undefer_group(SEALS))).one()
        columns = Subscriber.__table__.columns
        kept = {column.key: getattr(ann, column.key) for column in columns}
        end(session, ann.id, None, UNSUBSCRIBED, today=MONDAY.date())
    rotate(database, own_keys)
    with database.transaction() as session:
        session.execute(insert(Subscriber), [kept])
    assert set(opened(database, Keyring.load(own_keys)).values()) == {Flaw.REPLAYED}


def test_a_planted_seal_of_the_new_key_is_not_taken_for_ours(
    database: Database, own_keys: Path
) -> None:
    enlist(database, own_keys, ["ann"])
    rotate(database, own_keys)
    keyring = Keyring.load(own_keys)
    with database.transaction() as session:
        ann = session.scalars(select(Subscriber)).one()
        ann.sealed = seal(keyring.list_sealing, ann.id, address_of("eve"))
    assert set(opened(database, keyring).values()) == {Flaw.CHANGED}


def test_backups_of_the_keys_from_before_open_nothing_new(
    database: Database, own_keys: Path, tmp_path: Path
) -> None:
    enlist(database, own_keys)
    shutil.copytree(own_keys, tmp_path / "escrow")
    rotate(database, own_keys)
    old = Keyring.load(tmp_path / "escrow")
    assert set(opened(database, old).values()) == {Flaw.CHANGED}
