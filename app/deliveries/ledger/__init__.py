"""The ledger: one row for each message to one reader, and every verb that changes it."""
