"""How well a bounce or a complaint proves whose message it is about, and what it may therefore do.

One table. Whoever was forwarded a message has its Message-ID and can write a report that names it,
so such a report may end that one subscription, which its forwarder could end by the link, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Evidence(StrEnum):
    """What proves that a report is about a message of ours."""

    AUTHENTICATED = "authenticated"  # a webhook's key, Amazon's signature, a feedback loop's DKIM
    RETURN_PATH = "return path"  # a token that we signed into the envelope sender
    MESSAGE_ID = "message id"  # a token that stands in every copy and every forward


@dataclass(frozen=True, slots=True)
class Weight:
    """What a report with this evidence may do.

    `ends_reader`: end all subscriptions, suppress the address, and count together with what came
    back of other issues; else, end at most the subscription to the message's own segment.
    """

    ends_reader: bool


WEIGHTS: Mapping[Evidence, Weight] = {
    Evidence.AUTHENTICATED: Weight(ends_reader=True),
    Evidence.RETURN_PATH: Weight(ends_reader=True),
    Evidence.MESSAGE_ID: Weight(ends_reader=False),
}


def strengthened(evidence: Evidence, *, authenticated: bool) -> Evidence:
    """Return what a report's own evidence is worth if its source is authenticated."""
    return Evidence.AUTHENTICATED if authenticated else evidence
