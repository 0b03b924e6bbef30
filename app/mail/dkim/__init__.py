"""DKIM: keys, signatures, and what a signature covers."""
