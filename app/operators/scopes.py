"""What an API key may be allowed to do, as data."""

from app.errors import DomainError

SCOPES = {
    "issues:read": "see issues, drafts and previews",
    "issues:write": "store and delete drafts, upload photos",
    "issues:approve": "approve an issue or withdraw that, revise a mailing, correct the archive",
    "messages:test": "send test messages to given addresses",
    "mailings:read": "see mailings and their progress",
    "mailings:control": "launch, pause, resume, cancel, recall, revise; resend or settle messages",
    "subscribers:count": "see how many subscribers each segment has",
    "bounces:write": "hand in what came back",
    "suppressions:read": "see how many addresses are suppressed",
    "suppressions:write": "suppress an address",
    "audit:read": "see who did what, and alerts",
    "metrics:read": "read the metrics",
}


class UnknownScope(DomainError):
    """A scope is not one of those that exist."""


def parse_scopes(text: str) -> tuple[str, ...]:
    """Read scopes with commas between them; `all` stands for every one.

    Raises UnknownScope.
    """
    wanted = {word.strip() for word in text.split(",") if word.strip()}
    if "all" in wanted:
        return tuple(SCOPES)
    if not wanted or not wanted <= set(SCOPES):
        raise UnknownScope(f"the scopes are: all, {', '.join(SCOPES)}", field="scope")
    return tuple(scope for scope in SCOPES if scope in wanted)
