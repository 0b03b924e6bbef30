"""Which installation a database belongs to, by its keys; and what its witness files are told."""
