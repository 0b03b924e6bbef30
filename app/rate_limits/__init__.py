"""How often something may happen: counted in the database, for somebody it does not name."""
