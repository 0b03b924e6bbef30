"""What the attempt journal keeps of an answer means what the answer meant."""

from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.dispatch.reply_codec import answer_of, result_of, verdict_of
from app.mail.replies import Answer, Outcome, Reply, Stage, classify

STATUSES = st.none() | st.builds(
    "{}.{}.{}".format, st.sampled_from("245"), st.integers(0, 999), st.integers(0, 999)
)
REPLIES = st.none() | st.builds(Reply, st.integers(200, 599), STATUSES, st.just(""))
ANSWERS = st.builds(Answer, st.sampled_from(Stage), REPLIES)


@given(ANSWERS)
def test_an_answer_comes_back_as_it_was_but_for_its_text(answer: Answer) -> None:
    assert answer_of(result_of(answer)) == answer
    assert verdict_of(result_of(answer)) == classify(answer)


@given(st.text())
def test_no_text_decides_whether_a_message_was_taken(text: str) -> None:
    taken = Answer(Stage.DOT, Reply(250, None, text))
    assert verdict_of(result_of(taken)).outcome is Outcome.ACCEPTED
