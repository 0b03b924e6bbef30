"""Measurements: ratios in one run, medians of paired rounds. No part of the service."""
