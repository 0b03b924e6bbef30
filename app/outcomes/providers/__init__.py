"""Notifications of mail providers, one provider a file."""
