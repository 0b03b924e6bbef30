"""The real sender, measured from inside."""
