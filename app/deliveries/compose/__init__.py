"""Composing: one message for one reader, from a compiled edition and a sealed address."""
