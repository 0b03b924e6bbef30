"""Key files: one key a file, in generations; made, escrowed and destroyed here."""
