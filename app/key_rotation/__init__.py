"""Changing keys under a running service: who uses which, the list sealed anew, the old gone."""
