"""What came back: whose it is, what follows from it, and what operators see of it."""
