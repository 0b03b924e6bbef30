"""The situation of every rubric, week by week, as it was told to any segment; pure."""

from collections.abc import Iterable, Sequence

from app.archive.published import PublishedIssue
from app.archive.schemas import RubricSituation, Situations, WeekSituation
from app.archive.summaries import Outlines
from app.newsletter import Newsletter, Rubric


def situations(
    told: Iterable[tuple[PublishedIssue, Outlines]],
    newsletter: Newsletter,
    rubrics: Sequence[Rubric],
) -> Situations:
    """Return these rubrics' verdicts in the order of `told`; an issue sent twice counts once."""
    weeks = {launch.week: outlines for launch, outlines in told}
    rows = [
        RubricSituation(
            rubric=rubric.id,
            name={language: rubric.name[language] for language in newsletter.languages},
            weeks=[
                WeekSituation(week=str(week), situation=each.situation)
                for week, outlines in weeks.items()
                for each in outlines
                if each.rubric == rubric.id and each.titles
            ],
        )
        for rubric in rubrics
    ]
    return Situations(rubrics=rows)
