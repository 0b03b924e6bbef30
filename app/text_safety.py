"""Signs that no text of ours holds, wherever it comes from: a file, a form, a setting, the API.

Control characters and line breaks end headers and hide in logs; surrogates cannot be encoded; what
overrides the direction of a text shows readers another one than is written.
"""

from unicodedata import category

FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control, surrogate, line and paragraph separator
# U+202A–U+202E and U+2066–U+2069 make text read in another order than it is written.
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_plain(text: str, *, allowed: str = "") -> bool:
    """Tell whether a text holds none of them; `allowed` are those that may stand in this one."""
    return all(
        sign in allowed or (category(sign) not in FORBIDDEN and sign not in OVERRIDES)
        for sign in text
    )
