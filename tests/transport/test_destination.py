"""The host and port of a URL, as libcurl reads them."""

import pytest

from app.transport.destination import Destination, destination_of


@pytest.mark.parametrize(
    ("target_url", "destination"),
    [
        ("https://a.example.com/", Destination("a.example.com", 443, False)),
        ("http://a_b.example.com:8080/x?y=@z", Destination("a_b.example.com", 8080, False)),
        ("http://127.0.0.1/", Destination("127.0.0.1", 80, True)),
        ("https://[2606:2800:220:1::1]:8443/", Destination("2606:2800:220:1::1", 8443, True)),
        ("http://127.1/", Destination("127.1", 80, False)),
        ("http://999.1.1.1/", Destination("999.1.1.1", 80, False)),
    ],
)
def test_a_target_url_has_its_destination(target_url, destination):
    assert destination_of(target_url) == destination


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ftp://a.example.com/",
        "https://a.example.com",
        "https:///a.example.com/",
        "https://user@a.example.com/",
        "https://a.example.com\\@b.example.com/",
        "https://a.example.com:x/",
        "https://a.example.com:80:90/",
        "https://[::1%lo]/",
        "https://a.example.com/ b",
        "https://a.example.com/\n",
        "https://a.example.com,b/",
    ],
)
def test_anything_else_is_no_target_url(text):
    with pytest.raises(ValueError, match="not a target URL"):
        destination_of(text)
