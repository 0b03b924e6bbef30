"""Who runs the service: API keys, what each may do, what was done, what operators are told."""
