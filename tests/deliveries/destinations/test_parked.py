"""Messages that wait: in order, without loss, in little memory."""

from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.destinations.parked import Parked


@given(st.lists(st.one_of(st.integers(1, 9), st.tuples(st.integers(0, 5), st.integers(0, 9)))))
def test_they_are_a_queue_of_each_mailing(acts: list[int | tuple[int, int]]) -> None:
    parked, model, number = Parked(), list[tuple[int, int]](), 0
    for act in acts:
        if isinstance(act, int):
            for _ in range(act):
                number += 1
                parked.add(number, number % 3 or None)
                model.append((number, number % 3))
        elif act[0] > 2:
            assert parked.take(act[1]) == [i for i, _ in model[: act[1]]]
            del model[: act[1]]
        else:
            taken = parked.take_of({act[0]}, act[1])
            assert taken == [i for i, mailing in model if mailing == act[0]][: act[1]]
            model = [each for each in model if each[0] not in taken]
        assert len(parked) == len(model)
        assert parked.mailings() == {mailing for _, mailing in model if mailing}


def test_what_was_taken_is_forgotten() -> None:
    parked = Parked()
    for number in range(100_000):
        parked.add(number, 1)
    while len(parked) > 10:
        parked.take(100)
    assert len(parked._ids) < 10_000
