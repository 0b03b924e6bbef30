"""The pages behind the links of letters, and the forms.

GET shows and changes nothing; only a POST acts, and it needs no cookie, script or Origin. Links
that are unknown, expired or made for something else all get the same page.
"""

from fastapi import APIRouter

from app.subscribers.pages import confirming, declining, leaving, managing, notices, script

router = APIRouter()
for _pages in (notices, script, confirming, declining, leaving, managing):
    router.include_router(_pages.router)
