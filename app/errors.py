"""The root of every "no" we say on purpose.

A refusal is a fact, named beside the verb that raises it; its docstring is its message. It never
carries an HTTP status, an address or a secret: what it says may be shown to anyone.
"""

import inspect


class DomainError(Exception):
    """This cannot be done."""

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        """Say `message`, or else the first paragraph of the class's docstring.

        `field` names the input that is refused, as the client wrote its name.
        """
        said = message or " ".join((inspect.getdoc(type(self)) or "").split("\n\n")[0].split())
        super().__init__(said)
        self.field = field
