"""One email as bytes: MIME, headers, and a template with a placeholder for each reader's values."""
