"""Calling Amazon: the one place where an address from outside makes us connect, to one host only.

The host is made by ourselves from a topic's region, redirects are not followed, and what comes is
bounded.
"""

import http.client
import ssl
from functools import lru_cache

from app.outcomes.providers.sns import AmazonSilent

MOST = 65_536  # bytes
PATIENCE = 10.0  # seconds


def get(host: str, path: str) -> bytes:
    """Get what the host has there by https. Raises AmazonSilent."""
    context = ssl.create_default_context()
    connection = http.client.HTTPSConnection(host, timeout=PATIENCE, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(MOST)
    except (OSError, http.client.HTTPException):
        raise AmazonSilent from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise AmazonSilent
    return body


@lru_cache(maxsize=8)
def certificate(host: str, path: str) -> bytes:
    """Get a certificate, and keep it: its name says which it is. Raises AmazonSilent."""
    return get(host, path)
