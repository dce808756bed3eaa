import pytest

from scenescore_api.preferences import Preferences, parse_prefer


@pytest.mark.parametrize(
    ("header", "wait", "respond_async"),
    [
        (None, None, False),
        ("", None, False),
        ("wait=10", 10, False),
        ("WAIT = 10", 10, False),
        ('wait="10"', 10, False),
        ("wait=10; foo=bar", 10, False),
        ("respond-async", None, True),
        ("respond-async, wait=7", 7, True),
        ("handling=lenient,wait=7 , respond-async", 7, True),
        # the first one counts
        ("wait=7, wait=9", 7, False),
        ("wait=61", 60, False),
        ("wait=99999999999999999999", 60, False),
        ("wait=0", 0, False),
        # not understood: no preference
        ("wait", None, False),
        ("wait=", None, False),
        ("wait=-1", None, False),
        ("wait=1.5", None, False),
        ("wait=soon", None, False),
        ("wait=\u0661", None, False),
        (",,;==", None, False),
    ],
)
def test_the_header_is_read_as_the_rfc_has_it(
    header: str | None, wait: int | None, *, respond_async: bool
) -> None:
    assert parse_prefer(header) == Preferences(wait=wait, respond_async=respond_async)


def test_what_was_applied_is_what_was_done() -> None:
    both = Preferences(wait=10, respond_async=True)
    assert both.applied(ended=True) == "wait=10"
    assert both.applied(ended=False) == "respond-async, wait=10"
    assert Preferences().applied(ended=False) is None
    assert Preferences(respond_async=True).applied(ended=False) == "respond-async"
