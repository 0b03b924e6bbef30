"""A running newsletter for each story of an operator's worst day, on each database."""

from tests.journeys.conftest import engine, opening

__all__ = ["engine", "opening"]
