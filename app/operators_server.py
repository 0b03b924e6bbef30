"""The operators' app: issues, mailings, counts, audit. It is given public keys and the link key."""

from fastapi import FastAPI

from app import metrics
from app.archive import corrections_api
from app.deliveries import api as deliveries_api
from app.deliveries import testing_api
from app.editions import api as editions_api
from app.issues import api as issues_api
from app.issues import photos_api
from app.mailings import api as mailings_api
from app.operators import api as operators_api
from app.outcomes import api as outcomes_api
from app.subscribers import counts_api
from app.suppressions import api as suppressions_api
from app.web.context import AppContext
from app.web_app import create_app

OPERATORS_BODY = 8 << 20


def create_operators(installation: AppContext) -> FastAPI:
    """Make the operators' app: issues, mailings, counts, audit. Every route needs a key."""
    app = create_app(installation, "Vestka for operators", OPERATORS_BODY)
    for api in (
        metrics,
        issues_api,
        photos_api,
        editions_api,
        mailings_api,
        testing_api,
        deliveries_api,
        corrections_api,
        counts_api,
        suppressions_api,
        outcomes_api,
        operators_api,
    ):
        app.include_router(api.router)
    return app
