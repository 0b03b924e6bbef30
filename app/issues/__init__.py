"""An issue: one week's commentaries, in every language they were written in."""
