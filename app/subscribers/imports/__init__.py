"""Importing the publisher's list: a CSV file, read in batches."""
