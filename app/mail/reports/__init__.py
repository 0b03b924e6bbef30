"""What comes back by mail: bounces, complaints, automatic replies, receipts, and none of these."""

from app.mail.reports.parse import read_report
from app.mail.reports.report import Recipient, Report

__all__ = ["Recipient", "Report", "read_report"]
