"""Every setting of an installation: its name, how its text is read, its default and its reason.

A setting is read when it is first used, so a command asks only for what it needs; a wrong or
missing one is refused in one sentence that names it and never repeats its value. `NAME_FILE` may
stand for any `NAME`: the value is then the content of that file.
"""

from collections.abc import Iterator
from typing import Any

from app.settings import bounce_settings, locations, mailboxes, values
from app.settings.setting import Environment, Setting, SettingUnknown, SettingWrong


class Settings(Environment):
    """The settings of one installation, read from a mapping such as the environment."""

    data_dir = Setting(
        "VESTKA_DATA_DIR",
        locations.path,
        "where the database and the attempt journal live",
        default="var",
    )
    keys_dir = Setting(
        "VESTKA_KEYS_DIR",
        locations.path,
        "where the key files live; never inside the data directory",
        default=lambda s: str(s.data_dir.with_name(s.data_dir.name + "-keys")),
        shown="the data directory's name with `-keys`",
    )
    database_url = Setting(
        "VESTKA_DATABASE_URL",
        locations.database_url,
        "`postgresql://…`, or SQLite in a file",
        default=lambda s: f"sqlite:///{s.data_dir / 'vestka.db'}",
        shown="SQLite in the data directory",
    )
    public_url = Setting(
        "VESTKA_PUBLIC_URL",
        locations.public_url,
        "what links in emails begin with; https, or http on a loopback host",
    )
    public_listen = Setting(
        "VESTKA_PUBLIC_LISTEN", locations.listen, "the readers' port", default="0.0.0.0:8000"
    )
    operators_listen = Setting(
        "VESTKA_OPERATORS_LISTEN", locations.listen, "the operators' port", default="127.0.0.1:8001"
    )
    sender_listen = Setting(
        "VESTKA_SENDER_LISTEN",
        locations.listen,
        "where the sender answers `/health/live` and `/health/ready`",
        default="127.0.0.1:8002",
    )
    relays = Setting(
        "VESTKA_RELAYS",
        values.some_words,
        "with commas: `smtps://user:password@host:465`, `smtp://user:password@host:587` (STARTTLS"
        " required), `smtp+insecure://127.0.0.1:1025` (no TLS, loopback only)",
    )
    from_address = Setting(
        "VESTKA_FROM", mailboxes.mailbox, "whom emails come from: `Name <address>`"
    )
    list_domain = Setting(
        "VESTKA_LIST_DOMAIN",
        mailboxes.list_domain,
        "the domain of List-Id and Message-ID, at most 34 characters",
        default=lambda s: s.from_address.domain,
        shown="the domain of VESTKA_FROM",
    )
    return_path_domain = Setting(
        "VESTKA_RETURN_PATH_DOMAIN",
        mailboxes.domain,
        "the domain that bounces come back to",
        default=lambda s: s.list_domain,
        shown="VESTKA_LIST_DOMAIN",
    )
    dkim_domain = Setting(
        "VESTKA_DKIM_DOMAIN",
        mailboxes.domain,
        "the domain that signs (d=), if there are DKIM keys; else the relay signs",
        default=lambda s: s.from_address.domain,
        shown="the domain of VESTKA_FROM",
    )
    schedule = Setting(
        "VESTKA_SCHEDULE",
        values.text,
        "when the week's issue goes: `CRON@ZONE`, or `segment=CRON@ZONE;…`, or `off`",
        default="0 9 * * TUE@Europe/Vilnius",
    )
    schedule_grace = Setting(
        "VESTKA_SCHEDULE_GRACE",
        values.duration,
        "how late a missed slot may still be used",
        default="12h",
    )
    send_window = Setting(
        "VESTKA_SEND_WINDOW",
        values.optional_window,
        "the window over which a mailing's emails are spread, such as `3h`, at most `6d`; else as"
        " fast as it goes",
        default="",
    )
    allowed_origins = Setting(
        "VESTKA_ALLOWED_ORIGINS",
        locations.origins,
        "websites besides the newsletter's own whose pages may call the sign-up API (CORS)",
        default="",
    )
    allowed_hosts = Setting(
        "VESTKA_ALLOWED_HOSTS",
        locations.host_names,
        "further names under which both ports may be called, besides that of VESTKA_PUBLIC_URL,"
        " loopback names and the address called; any other `Host` gets 421",
        default="",
    )
    trusted_proxies = Setting(
        "VESTKA_TRUSTED_PROXIES",
        locations.networks,
        "addresses and networks of the reverse proxies whose word counts on whom they speak for",
        default="",
    )
    proxy_header = Setting(
        "VESTKA_PROXY_HEADER",
        values.one_of("X-Forwarded-For", "Forwarded"),
        "the one header in which they say it, `X-Forwarded-For` or `Forwarded`",
        default="X-Forwarded-For",
    )
    trusted_clients = Setting(
        "VESTKA_TRUSTED_CLIENTS",
        locations.networks,
        "addresses and networks that are never limited, such as the website's own server",
        default="127.0.0.0/8,::1",
    )
    rate_limit_client = Setting(
        "VESTKA_RATE_LIMIT_CLIENT",
        values.rates,
        "how many sign-ups and manage links one client (IPv4 address, IPv6 /56) may ask for in any"
        " window: `COUNT/DURATION`, several with commas, or `off`",
        default="20/10m",
    )
    rate_limit_total = Setting(
        "VESTKA_RATE_LIMIT_TOTAL",
        values.rates,
        "the same for all clients together",
        default="1000/1h",
    )
    rate_limit_address = Setting(
        "VESTKA_RATE_LIMIT_ADDRESS",
        values.rates,
        "how many emails about its subscription an address may get in any window, whoever asks",
        default="6/1d,12/30d",
    )
    proof_of_work = Setting(
        "VESTKA_PROOF_OF_WORK",
        values.one_of("off", "on"),
        "`on` asks every browser to solve a small task (ALTCHA) before it signs up: against robots"
        " that come from many addresses; a form without JavaScript then works no more",
        default="off",
    )
    alerts_to = Setting(
        "VESTKA_ALERTS_TO",
        mailboxes.optional_mailbox,
        "where operators are told things; else log and API",
        default="",
    )
    newsletter_path = Setting(
        "VESTKA_NEWSLETTER_PATH",
        locations.optional_path,
        "a TOML file: names, segments, rubrics, website, postal address, consent texts",
        default="",
        shown="the one that ships, `app/newsletter.toml`",
    )
    photos = Setting(
        "VESTKA_PHOTOS",
        values.one_of("inside", "hosted"),
        "`inside` emails, or `hosted`: fetched from VESTKA_PUBLIC_URL, at one address for all",
        default="inside",
    )
    allowed_recipients = Setting(
        "VESTKA_ALLOWED_RECIPIENTS",
        mailboxes.recipients,
        "`everyone`, `nobody`, or a list of addresses that alone may be written to",
        default="everyone",
    )
    domain_limits = Setting(
        "VESTKA_DOMAIN_LIMITS",
        values.separated,
        "what receiving domains are to get at most, with commas: `gmail?per_minute=300`,"
        " `*.by?connections=2&per_hour=500`, or `off`",
        default="",
        shown="for the great providers, what `app/mail/providers.toml` says",
    )
    relay_connections = Setting(
        "VESTKA_RELAY_CONNECTIONS", values.count, "SMTP connections per relay", default="10"
    )
    retry_for = Setting(
        "VESTKA_RETRY_FOR", values.duration, "how long a mailing goes on trying", default="48h"
    )
    delivery_retention = Setting(
        "VESTKA_DELIVERY_RETENTION",
        values.duration,
        "when a finished mailing's rows are folded into counts",
        default="30d",
    )
    bounce_maildir = Setting(
        "VESTKA_BOUNCE_MAILDIR",
        locations.optional_path,
        "a Maildir kept for what comes back, emptied by the sender",
        default="",
    )
    bounce_imap = Setting(
        "VESTKA_BOUNCE_IMAP",
        locations.imap_place,
        "an IMAP mailbox kept for what comes back: `imaps://user:password@host:993/INBOX`",
        default="",
    )
    sns_topics = Setting(
        "VESTKA_SNS_TOPICS",
        values.separated,
        "the Amazon SNS topics (ARNs) whose notifications of SES are taken in",
        default="",
    )
    feedback_loops = Setting(
        "VESTKA_FEEDBACK_LOOPS",
        values.sender_addresses,
        "From addresses of feedback loops whose complaints by email are believed if their domain"
        " signed them (DKIM)",
        default="feedback@arf.mail.yahoo.com,staff@hotmail.com",
    )
    bounce_policy = Setting(
        "VESTKA_BOUNCE_POLICY",
        bounce_settings.bounce_policy,
        "when a subscription ends: after how many issues that came back",
        default="sure=1 hard=2 soft=5 soft-days=21 dead-days=30",
    )
    auto_pause = Setting(
        "VESTKA_AUTO_PAUSE",
        bounce_settings.thresholds,
        "from which share of emails that came back a mailing pauses",
        default="complaint=0.3% hard=5% block=1% least=3",
    )
    block_reimport_for = Setting(
        "VESTKA_BLOCK_REIMPORT_FOR",
        values.optional_duration,
        "how long an irreversible mark of those who left keeps imported lists from reviving them",
        default="",
    )
    stop_within = Setting(
        "VESTKA_STOP_WITHIN",
        values.stop_time,
        "how long a stop (SIGTERM, SIGINT) may take, `1s` to `10m`; whatever hangs longer is cut"
        " off. Give systemd or Docker five seconds more",
        default="20s",
    )
    log_format = Setting(
        "VESTKA_LOG_FORMAT", values.one_of("json", "text"), "`json` or `text`", default="text"
    )

    @property
    def hosts_photos(self) -> bool:
        """Whether readers fetch photos, instead of emails carrying them."""
        return self.photos == "hosted"

    @property
    def asks_for_proof(self) -> bool:
        """Whether a sign-up needs a proof of work."""
        return self.proof_of_work == "on"

    def unknown(self) -> list[SettingWrong]:
        """Return a refusal for each name given that is no setting's, with the nearest that is."""
        known = {
            name for setting in self.declared() for name in (setting.name, f"{setting.name}_FILE")
        }
        return [SettingUnknown(name, known) for name in sorted(self.names() - known)]

    @classmethod
    def declared(cls) -> Iterator[Setting[Any]]:
        """All declared in the order in which they are declared."""
        return (setting for setting in vars(cls).values() if isinstance(setting, Setting))
