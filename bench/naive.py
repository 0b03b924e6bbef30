"""The usual sender: render, build with `email`, connect and send, for each message.

Prints messages a second: `python -m bench.naive PORT LETTERS BYTES`.
"""

import asyncio
import sys
import time
from email.message import EmailMessage

import aiosmtplib
from jinja2 import Environment

CONNECTIONS = 10
SENTENCE = "Гэта сказ сярэдняй даўжыні, напісаны толькі дзеля таго, каб ліст меў патрэбны памер. "
PAGE = Environment(autoescape=True).from_string(
    "<html lang='be'><body>{% for part in parts %}<p>{{ part }}</p>{% endfor %}"
    "<a href='https://news.example.org/unsubscribe/{{ token }}'>Адпісацца</a></body></html>"
)


def message(number: int, parts: list[str]) -> EmailMessage:
    """Build the message to one reader."""
    made = EmailMessage()
    made["From"], made["To"] = "news@example.org", f"reader{number}@example.org"
    made["Subject"] = "Тыднёвы выпуск"
    token = f"{number:040}"
    made.set_content("\n\n".join([*parts, f"https://news.example.org/unsubscribe/{token}"]))
    made.add_alternative(PAGE.render(parts=parts, token=token), subtype="html")
    return made


async def send(port: int, messages: int, size: int) -> float:
    """Send so many messages of about `size` bytes; return how many went in a second."""
    parts = [SENTENCE * 5] * max(1, size // (len(SENTENCE.encode()) * 5 * 8 // 3))
    numbers = iter(range(messages))

    async def line() -> None:
        for number in numbers:
            made = message(number, parts)
            await aiosmtplib.send(made, hostname="127.0.0.1", port=port, start_tls=False)

    began = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(CONNECTIONS)))
    return messages / (time.perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(send(*map(int, sys.argv[1:4]))))
