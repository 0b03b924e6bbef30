"""Sending an issue to a segment: once, by calendar or by hand."""
