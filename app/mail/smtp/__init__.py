"""SMTP: a connection to a relay, its pipeline, and its replies."""
