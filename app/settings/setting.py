"""One setting, read at its first use and then kept, and the texts that were given for all.

What cannot be used is refused by the setting's name, and its value is never repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from app.errors import DomainError
from app.settings.values import InvalidValue

T = TypeVar("T")


class SettingWrong(DomainError):
    """A setting cannot be used as it stands."""

    def __init__(self, name: str, why: str) -> None:
        """Name the setting and what it should be; never its value."""
        super().__init__(f"{name} {why}")


class SettingUnknown(SettingWrong):
    """There is no such setting; ignored, it would leave another one as it stands by default."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name the setting and the nearest of those that there are."""
        nearest = get_close_matches(name, known, n=1, cutoff=0)[0]
        super().__init__(name, f"is no setting; the nearest is {nearest}")


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Turn a refusal of a later room into one that names the setting it came from."""
    try:
        yield
    except SettingWrong:
        raise
    except DomainError as refusal:
        raise SettingWrong(name, f"cannot be used: {refusal}") from None


class Environment:
    """What an installation was given: texts by name, and the values already read from them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Keep the mapping; nothing is read yet."""
        self._environment = {k: v for k, v in environment.items() if k.startswith("VESTKA_")}
        self.read_values: dict[str, Any] = {}

    def names(self) -> set[str]:
        """Return the names that were given, but for those that tests are run with."""
        return {name for name in self._environment if not name.startswith("VESTKA_TEST_")}

    def text_of(self, name: str) -> str | None:
        """Return the text given for `name`, or the content of the file named by `NAME_FILE`."""
        file = self._environment.get(f"{name}_FILE")
        if file is None:
            return self._environment.get(name)
        if name in self._environment:
            raise SettingWrong(name, f"and {name}_FILE are both set; keep one")
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingWrong(f"{name}_FILE", "names a file that cannot be read") from None


class Setting(Generic[T]):
    """One setting; as an attribute of `Settings` it is that setting's value."""

    def __init__(
        self,
        name: str,
        read: Callable[[str], T],
        about: str,
        *,
        default: str | Callable[[Any], str] | None = None,
        shown: str | None = None,
    ) -> None:
        """`default` is text as an operator would write it; None makes the setting required."""
        self.name = name
        self.read = read
        self.about = about
        self.default = default
        self.shown = shown if shown is not None else (default if isinstance(default, str) else "")

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the attribute's name, under which the value is kept."""
        self.attribute = name

    @overload
    def __get__(self, settings: None, owner: type) -> "Setting[T]": ...
    @overload
    def __get__(self, settings: Environment, owner: type) -> T: ...
    def __get__(self, settings: Environment | None, owner: type) -> "Setting[T] | T":
        """Read the setting at first use, and keep it."""
        if settings is None:
            return self
        if self.attribute not in settings.read_values:
            settings.read_values[self.attribute] = self._value(settings)
        value: T = settings.read_values[self.attribute]
        return value

    def _value(self, settings: Environment) -> T:
        text = settings.text_of(self.name)
        if text is None:
            if self.default is None:
                raise SettingWrong(self.name, "is not set, and this needs it")
            text = self.default if isinstance(self.default, str) else self.default(settings)
        try:
            return self.read(text)
        except InvalidValue as wrong:
            raise SettingWrong(self.name, str(wrong)) from None
        except ValueError:  # of a library, whose words may repeat the value
            raise SettingWrong(self.name, "cannot be read") from None
