"""Measurements: ratios in one run, medians of paired rounds. Nothing here is part of the service."""
