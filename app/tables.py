"""All tables, for migrations and tests. Nothing earlier in the story imports this back."""

from app.allowances import models as allowances
from app.database import Base
from app.deliveries import models as deliveries
from app.deliveries.groups import models as groups
from app.editions import models as editions
from app.issues import models as issues
from app.mailings import models as mailings
from app.operators import models as operators
from app.outcomes import models as outcomes
from app.seals import models as seals
from app.subscribers import models as subscribers
from app.suppressions import models as suppressions

CAPABILITIES = (
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
