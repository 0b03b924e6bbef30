"""`vestka migrate`: bring the database's schema up to date."""

from app.cli.opening import Opened
from app.cli.output import AsJson, print_record
from app.database import Database
from app.migrating import migrate as bring_up_to_date


def migrate(*, as_json: AsJson = False) -> None:
    """Bring the database's schema up to date; the other commands do so by themselves."""
    opened = Opened()
    if opened.settings.database_url.startswith("sqlite"):
        opened.data_dir()
    changed = bring_up_to_date(Database(opened.settings.database_url))
    print_record({"migrated": changed}, as_json=as_json)
