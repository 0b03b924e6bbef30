"""What a refusal says of the address: one readable table, one small engine, for all servers."""

from app.mail.classification.bounce_class import Class, Verdict
from app.mail.classification.classify import classify

__all__ = ["Class", "Verdict", "classify"]
