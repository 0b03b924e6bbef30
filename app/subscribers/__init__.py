"""Who asked for the newsletter, and their consent: from the sign-up to the last farewell."""
