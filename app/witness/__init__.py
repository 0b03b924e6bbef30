"""What happened, noted beside the keys: a restored database is told what it forgot."""
