"""Every knob of an installation: its name, how its text is read, its default and its reason.

A knob is read when it is first used, so a command asks only for the settings it needs; a wrong or
missing one is refused in one sentence that names it and never repeats its value. `NAME_FILE` may
stand for any `NAME`: the value is then the content of that file.
"""

from collections.abc import Iterator
from typing import Any

from app.settings import mailboxes, places, returns, words
from app.settings.knob import Given, Knob, SettingUnknown, SettingWrong


class Settings(Given):
    """The settings of one installation, read from a mapping such as the environment."""

    data_dir = Knob(
        "VESTKA_DATA_DIR",
        places.path,
        "where the database and the attempt journal live",
        default="var",
    )
    keys_dir = Knob(
        "VESTKA_KEYS_DIR",
        places.path,
        "where the key files live; never inside the data directory",
        default=lambda s: str(s.data_dir.with_name(s.data_dir.name + "-keys")),
        shown="the data directory's name with `-keys`",
    )
    database_url = Knob(
        "VESTKA_DATABASE_URL",
        places.database_url,
        "`postgresql://…`, or SQLite in a file",
        default=lambda s: f"sqlite:///{s.data_dir / 'vestka.db'}",
        shown="SQLite in the data directory",
    )
    public_url = Knob(
        "VESTKA_PUBLIC_URL",
        places.public_url,
        "what links in letters begin with; https, or http on a loopback host",
    )
    public_listen = Knob(
        "VESTKA_PUBLIC_LISTEN", places.listen, "the readers' port", default="0.0.0.0:8000"
    )
    operators_listen = Knob(
        "VESTKA_OPERATORS_LISTEN", places.listen, "the operators' port", default="127.0.0.1:8001"
    )
    relays = Knob(
        "VESTKA_RELAYS",
        words.some_words,
        "with commas: `smtps://user:password@host:465`, `smtp://user:password@host:587` (STARTTLS"
        " required), `smtp+insecure://127.0.0.1:1025` (no TLS, loopback only)",
    )
    sender = Knob("VESTKA_FROM", mailboxes.mailbox, "whom letters come from: `Name <address>`")
    list_domain = Knob(
        "VESTKA_LIST_DOMAIN",
        mailboxes.list_domain,
        "the domain of List-Id and Message-ID, at most 34 characters",
        default=lambda s: s.sender.domain,
        shown="the domain of VESTKA_FROM",
    )
    return_path_domain = Knob(
        "VESTKA_RETURN_PATH_DOMAIN",
        mailboxes.domain,
        "the domain that bounces come back to",
        default=lambda s: s.list_domain,
        shown="VESTKA_LIST_DOMAIN",
    )
    dkim_domain = Knob(
        "VESTKA_DKIM_DOMAIN",
        mailboxes.domain,
        "the domain that signs (d=), if there are DKIM keys; else the relay signs",
        default=lambda s: s.sender.domain,
        shown="the domain of VESTKA_FROM",
    )
    schedule = Knob(
        "VESTKA_SCHEDULE",
        words.text,
        "when the week's issue goes: `CRON@ZONE`, or `segment=CRON@ZONE;…`, or `off`",
        default="0 9 * * TUE@Europe/Vilnius",
    )
    grace = Knob(
        "VESTKA_GRACE", words.duration, "how late a missed slot may still be used", default="12h"
    )
    over = Knob(
        "VESTKA_OVER",
        words.optional_window,
        "the window over which a mailing's letters are spread, such as `3h`, at most `6d`; else as"
        " fast as it goes",
        default="",
    )
    allowed_origins = Knob(
        "VESTKA_ALLOWED_ORIGINS",
        places.origins,
        "websites besides the newsletter's own whose pages may call the sign-up API (CORS)",
        default="",
    )
    hosts = Knob(
        "VESTKA_HOSTS",
        places.host_names,
        "further names under which both ports may be called, besides that of VESTKA_PUBLIC_URL,"
        " loopback names and the address called; any other `Host` gets 421",
        default="",
    )
    trusted_proxies = Knob(
        "VESTKA_TRUSTED_PROXIES",
        places.networks,
        "addresses and networks of the reverse proxies whose word counts on whom they speak for",
        default="",
    )
    proxy_header = Knob(
        "VESTKA_PROXY_HEADER",
        words.one_of("X-Forwarded-For", "Forwarded"),
        "the one header in which they say it, `X-Forwarded-For` or `Forwarded`",
        default="X-Forwarded-For",
    )
    trusted_clients = Knob(
        "VESTKA_TRUSTED_CLIENTS",
        places.networks,
        "addresses and networks that are never limited, such as the website's own server",
        default="127.0.0.0/8,::1",
    )
    client_limits = Knob(
        "VESTKA_CLIENT_LIMITS",
        words.rates,
        "how many sign-ups and manage links one client (IPv4 address, IPv6 /56) may ask for in any"
        " window: `COUNT/DURATION`, several with commas, or `off`",
        default="20/10m",
    )
    total_limits = Knob(
        "VESTKA_TOTAL_LIMITS", words.rates, "the same for all clients together", default="1000/1h"
    )
    address_limits = Knob(
        "VESTKA_ADDRESS_LIMITS",
        words.rates,
        "how many letters about its subscription an address may get in any window, whoever asks",
        default="6/1d,12/30d",
    )
    proof_of_work = Knob(
        "VESTKA_PROOF_OF_WORK",
        words.one_of("off", "on"),
        "`on` asks every browser to solve a small task (ALTCHA) before it signs up: against robots"
        " that come from many addresses; a form without JavaScript then works no more",
        default="off",
    )
    alerts_to = Knob(
        "VESTKA_ALERTS_TO",
        mailboxes.optional_mailbox,
        "where operators are told things; else log and API",
        default="",
    )
    newsletter = Knob(
        "VESTKA_NEWSLETTER",
        places.optional_path,
        "a TOML file: names, segments, rubrics, website, postal address, consent texts",
        default="",
        shown="the one that ships, `app/newsletter.toml`",
    )
    photos = Knob(
        "VESTKA_PHOTOS",
        words.one_of("inside", "hosted"),
        "`inside` letters, or `hosted`: fetched from VESTKA_PUBLIC_URL, at one address for all",
        default="inside",
    )
    recipients = Knob(
        "VESTKA_RECIPIENTS",
        mailboxes.recipients,
        "`everyone`, `nobody`, or a list of addresses that alone may be written to",
        default="everyone",
    )
    domain_limits = Knob(
        "VESTKA_DOMAIN_LIMITS",
        words.separated,
        "what receiving domains are to get at most, with commas: `gmail?per_minute=300`,"
        " `*.by?connections=2&per_hour=500`, or `off`",
        default="",
        shown="for the great providers, what `app/mail/providers.toml` says",
    )
    connections = Knob(
        "VESTKA_CONNECTIONS", words.count, "SMTP connections per relay", default="10"
    )
    mailing_life = Knob(
        "VESTKA_MAILING_LIFE", words.duration, "how long a mailing goes on trying", default="48h"
    )
    retention = Knob(
        "VESTKA_RETENTION",
        words.duration,
        "when a finished mailing's rows are folded into counts",
        default="30d",
    )
    bounce_maildir = Knob(
        "VESTKA_BOUNCE_MAILDIR",
        places.optional_path,
        "a Maildir kept for what comes back, emptied by the sender",
        default="",
    )
    bounce_imap = Knob(
        "VESTKA_BOUNCE_IMAP",
        places.imap_place,
        "an IMAP mailbox kept for what comes back: `imaps://user:password@host:993/INBOX`",
        default="",
    )
    sns_topics = Knob(
        "VESTKA_SNS_TOPICS",
        words.separated,
        "the Amazon SNS topics (ARNs) whose notifications of SES are taken in",
        default="",
    )
    consequences = Knob(
        "VESTKA_CONSEQUENCES",
        returns.consequences,
        "when a subscription ends: after how many issues that came back",
        default="sure=1 hard=2 soft=5 soft-days=21 dead-days=30",
    )
    pause_at = Knob(
        "VESTKA_PAUSE_AT",
        returns.thresholds,
        "from which share of letters that came back a mailing pauses",
        default="complaint=0.3% hard=5% block=1% least=3",
    )
    tombstones = Knob(
        "VESTKA_TOMBSTONES",
        words.optional_duration,
        "how long an irreversible mark of those who left keeps imported lists from reviving them",
        default="",
    )
    log_format = Knob(
        "VESTKA_LOG_FORMAT", words.one_of("json", "text"), "`json` or `text`", default="text"
    )

    @property
    def hosts_photos(self) -> bool:
        """Whether readers fetch photos, instead of letters carrying them."""
        return self.photos == "hosted"

    @property
    def asks_for_proof(self) -> bool:
        """Whether a sign-up needs a proof of work."""
        return self.proof_of_work == "on"

    def unknown(self) -> list[SettingWrong]:
        """Return a refusal for each name given that is no setting's, with the nearest that is."""
        known = {name for knob in self.knobs() for name in (knob.name, f"{knob.name}_FILE")}
        return [SettingUnknown(name, known) for name in sorted(self.names() - known)]

    @classmethod
    def knobs(cls) -> Iterator[Knob[Any]]:
        """All knobs in the order in which they are declared."""
        return (knob for knob in vars(cls).values() if isinstance(knob, Knob))
