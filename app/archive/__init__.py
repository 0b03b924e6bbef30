"""The archive: what was sent, for everyone to read. It knows no subscriber."""
