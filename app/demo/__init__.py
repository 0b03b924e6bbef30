"""A trial instance: a service, an inbox to look into, a sample issue. Nothing of it is real."""
