"""What a refusal says of the address: one readable table, one small engine, for all servers."""

from app.mail.verdicts.judging import judge
from app.mail.verdicts.verdict import Class, Verdict

__all__ = ["Class", "Verdict", "judge"]
