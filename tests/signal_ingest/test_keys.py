"""API keys: who may post what."""

import hashlib
import json

import pytest

from signal_ingest.keys import Grant, KeysError, load, refusal


def grant(source: str, *types: str) -> Grant:
    return Grant(source=source, sha256=hashlib.sha256(b"k").hexdigest(), types=list(types))


@pytest.mark.parametrize(
    ("grants", "source", "type_name", "why_not"),
    [
        ([grant("*", "*")], "/anything", "any.type", None),
        ([grant("/shop/*", "order.*")], "/shop/orders", "order.placed", None),
        ([grant("/shop/*", "order.*")], "/shop/orders", "payment.failed", "type 'payment.failed'"),
        ([grant("/shop/*", "order.*")], "/shopping", "order.placed", "source '/shopping'"),
        ([grant("/shop/*", "order.*")], "x/shop/orders", "order.placed", "source"),
        ([grant("/shop", "order.placed")], "/shop", "order.placed", None),
        ([grant("/shop", "order.placed")], "/shop/orders", "order.placed", "source"),
        ([grant("/a.b", "x?z")], "/aXb", "x?z", "source"),
        ([grant("/a", "x?z")], "/a", "xyz", "type"),
        ([grant("/a", "t"), grant("/b", "u")], "/b", "u", None),
        ([grant("/a", "t"), grant("/b", "u")], "/b", "t", "type"),
    ],
)
def test_a_key_is_for_its_sources_and_types(grants, source, type_name, why_not):
    why = refusal(grants, source, type_name)
    assert why is None if why_not is None else why_not in why


def test_a_key_is_found_by_its_hash_alone(tmp_path):
    path = tmp_path / "keys.json"
    entries = [
        {"source": s, "sha256": hashlib.sha256(k).hexdigest(), "types": ["*"]}
        for s, k in [("/a", b"k"), ("/b", b"k"), ("/c", b"l")]
    ]
    path.write_text(json.dumps(entries))
    keys = load(path)
    assert [each.source for each in keys.of("k")] == ["/a", "/b"]
    assert keys.of("K") == keys.of("") == keys.of(entries[0]["sha256"]) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "JSON list"),
        ("{}", "JSON list"),
        ('[{"source": "*", "types": ["*"]}]', "sha256"),
        ('[{"source": "*", "sha256": "abc", "types": ["*"]}]', "64 hexadecimal"),
        ('[{"source": "*", "sha256": "abc", "types": "*"}]', "types"),
        ('[{"source": "*", "sha256": "abc", "types": [], "typo": 1}]', "typo"),
    ],
)
def test_a_wrong_file_of_keys_is_an_error_that_says_what_is_expected(tmp_path, text, says):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(KeysError) as caught:
        load(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_of_keys_is_an_error_that_names_it(tmp_path):
    with pytest.raises(KeysError, match=r"gone\.json"):
        load(tmp_path / "gone.json")
