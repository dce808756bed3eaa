import pytest
from samples.jobs import NOW

from scenescore_shared.api_keys import hash_of, is_owner, is_well_formed, new_key, redacted


def test_a_key_has_32_random_bytes_and_an_id_that_is_no_secret() -> None:
    key, kept = new_key(name="me", owner=None, scopes=frozenset({"jobs"}), now=NOW)
    prefix, key_id, secret = key.split("_")
    assert (prefix, key_id) == ("scs", kept.id)
    assert is_well_formed(key)
    # 62 ** 43 > 2 ** 256 > 62 ** 42
    assert len(secret) == 43
    assert kept.hash == hash_of(key)
    assert len(kept.hash) == 64
    assert secret not in repr(kept)


@pytest.mark.parametrize(
    "text", ["", "scs__", "scs_a_b", f"scs_{'a' * 12}_{'b' * 43}\n", f"xcs_{'a' * 12}_{'b' * 43}"]
)
def test_what_is_no_key(text: str) -> None:
    assert not is_well_formed(text)


def test_redacted_keeps_the_id_alone() -> None:
    key, kept = new_key(name="me", owner=None, scopes=frozenset(), now=NOW)
    assert redacted(f"GET /v1/jobs/{key}?key={key}") == f"GET /v1/jobs/scs_{kept.id}_…?key=scs_{kept.id}_…"
    assert redacted("scs_ab_cd and scs_ab") == "scs_ab_… and scs_ab"


def test_owners() -> None:
    assert is_owner("ann@example.org")
    assert not is_owner("a b")
    assert not is_owner("")
