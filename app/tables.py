"""All tables, for migrations and tests. Nothing earlier in the story imports this back."""

from app.database import Base
from app.deliveries.destinations import models as groups
from app.deliveries.ledger import models as deliveries
from app.editions import models as editions
from app.instance import models as instance
from app.issues import models as issues
from app.key_rotation import models as seals
from app.mailings import models as mailings
from app.operators import models as operators
from app.outcomes import models as outcomes
from app.rate_limits import models as allowances
from app.subscribers import models as subscribers
from app.suppressions import models as suppressions

CAPABILITIES = (
    instance,
    allowances,
    operators,
    suppressions,
    subscribers,
    seals,
    issues,
    editions,
    mailings,
    deliveries,
    groups,
    outcomes,
)
METADATA = Base.metadata
