"""One message to one reader: the ledger, and the engine that moves it."""
