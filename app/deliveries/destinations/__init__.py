"""Pacing per receiving domain: what its servers take, and what they ask of us. No address."""
