"""The pages behind the links of emails, and the forms.

GET shows and changes nothing; only a POST acts, and it needs no cookie, script or Origin. Links
that are unknown, expired or made for something else all get the same page.
"""

from fastapi import APIRouter

from app.subscribers.pages import (
    confirming,
    never_again,
    notices,
    preferences,
    script,
    unsubscribing,
)

router = APIRouter()
for _pages in (notices, script, confirming, never_again, unsubscribing, preferences):
    router.include_router(_pages.router)
