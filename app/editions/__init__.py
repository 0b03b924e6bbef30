"""An edition: an issue rendered for one segment in one reading language, and frozen."""
