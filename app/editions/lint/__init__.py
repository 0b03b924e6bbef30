"""Findings: what an editor should correct in an issue before it is sent."""
