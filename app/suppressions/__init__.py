"""Whom never to write to: known by the blind index alone, so that no list of them can be read."""
