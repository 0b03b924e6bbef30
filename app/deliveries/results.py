"""A relay's answer in the few bytes that the attempt journal keeps, and back."""

from app.deliveries.attempts import Result
from app.mail.replies import Answer, Reply, Stage, Verdict, classify

_STAGES = tuple(Stage)


def result_of(answer: Answer) -> Result:
    """Return what is noted of an answer: stage, code, enhanced code; no text."""
    reply = answer.reply
    if reply is None:
        return Result(_STAGES.index(answer.stage), 0, None)
    enhanced = None
    if reply.enhanced:
        a, b, c = (int(part) for part in reply.enhanced.split("."))
        enhanced = (a, b, c)
    return Result(_STAGES.index(answer.stage), reply.code, enhanced)


def answer_of(result: Result) -> Answer:
    """Return the answer that a noted result stands for, without its text."""
    stage = _STAGES[result.stage]
    if not result.code:
        return Answer(stage, None)
    status = ".".join(map(str, result.enhanced)) if result.enhanced else None
    return Answer(stage, Reply(result.code, status, ""))


def verdict_of(result: Result) -> Verdict:
    """Return what a noted result means."""
    return classify(answer_of(result))
