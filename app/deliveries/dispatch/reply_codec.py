"""A relay's answer in the few bytes that the attempt journal keeps, and back."""

from functools import lru_cache

from app.deliveries.dispatch.attempt_journal import Result
from app.mail.replies import Answer, Disposition, Reply, Stage, classify

_STAGES = tuple(Stage)


def result_of(answer: Answer) -> Result:
    """Return what is noted of an answer: stage, code, enhanced code; no text."""
    reply = answer.reply
    return _result(answer.stage, reply.code, reply.enhanced) if reply else _result(answer.stage)


@lru_cache(maxsize=1000)
def _result(stage: Stage, code: int = 0, status: str | None = None) -> Result:
    enhanced = None
    if status:
        a, b, c = (int(part) for part in status.split("."))
        enhanced = (a, b, c)
    return Result(_STAGES.index(stage), code, enhanced)


def answer_of(result: Result) -> Answer:
    """Return the answer that a noted result stands for, without its text."""
    stage = _STAGES[result.stage]
    if not result.code:
        return Answer(stage, None)
    status = ".".join(map(str, result.enhanced)) if result.enhanced else None
    return Answer(stage, Reply(result.code, status, ""))


def verdict_of(result: Result) -> Disposition:
    """Return what a noted result means."""
    return classify(answer_of(result))
