"""The inbox's pages show every message, and run and load nothing of what is in one."""

from email.message import EmailMessage

import pytest
from fastapi.testclient import TestClient

from app.demo.inbox_pages import create_inbox
from app.demo.smtpd import Inbox

LINK = "http://127.0.0.1:8000/unsubscribe/abc"


@pytest.fixture
def pages() -> TestClient:
    message = EmailMessage()
    message["From"] = "news@example.org"
    message["Subject"] = "<b>News</b> – навіны"
    message["Content-Language"] = "be"
    message["List-Id"] = "<be-ru.example.org>"
    message["List-Unsubscribe"] = f"<{LINK}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Тэкст & text")
    html = "<html><head><title>x</title></head><body><script>alert(1)</script></body></html>"
    message.add_alternative(html, subtype="html")
    inbox = Inbox()
    inbox.put("b@example.org", ("ann@example.org",), message.as_bytes())
    plain = EmailMessage()
    plain["Subject"] = "Confirm"
    plain.set_content("Only text")
    inbox.put("b@example.org", ("bob@example.org",), plain.as_bytes())
    return TestClient(create_inbox(inbox, "http://127.0.0.1:8000/form"))


def test_the_list_shows_the_newest_first_and_escapes(pages: TestClient) -> None:
    html = pages.get("/").text
    assert html.index("bob@example.org") < html.index("ann@example.org")
    assert "&lt;b&gt;News&lt;/b&gt; – навіны" in html
    assert "<b>News" not in html


def test_an_empty_inbox_says_so() -> None:
    html = TestClient(create_inbox(Inbox(), "http://127.0.0.1:8000/form")).get("/").text
    assert "There are no emails yet." in html


def test_the_html_part_is_framed_and_may_do_nothing(pages: TestClient) -> None:
    assert 'src="/letters/1/html" sandbox="allow-popups' in pages.get("/letters/1").text
    framed = pages.get("/letters/1/html")
    policy = framed.headers["content-security-policy"]
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert '<head><base target="_blank">' in framed.text


def test_text_and_source_are_shown_as_text(pages: TestClient) -> None:
    assert "Тэкст &amp; text" in pages.get("/letters/1?show=text").text
    source = pages.get("/letters/1?show=source").text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in source
    assert "<script>" not in source


def test_a_message_without_html_shows_its_text(pages: TestClient) -> None:
    html = pages.get("/letters/2").text
    assert "Only text" in html
    assert "iframe" not in html.partition("</style>")[2]


def test_the_one_click_button_may_post_there_and_nowhere_else(pages: TestClient) -> None:
    shown = pages.get("/letters/1")
    assert f'<form method="post" action="{LINK}"' in shown.text
    policy = shown.headers["content-security-policy"]
    assert policy.endswith("form-action http://127.0.0.1:8000")
    assert pages.get("/letters/2").headers["content-security-policy"].endswith("form-action 'none'")
    assert "<form" not in pages.get("/letters/2").text


@pytest.mark.parametrize("path", ["/letters/0", "/letters/3", "/letters/3/html", "/letters/-1"])
def test_there_is_no_other_message(pages: TestClient, path: str) -> None:
    assert pages.get(path).status_code == 404
