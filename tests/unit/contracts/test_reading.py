"""The reading rules of an adapter, as they are stored and as a scorer's settings change them."""

import json
from typing import Any

import pytest

from services.contracts.engine_settings import EngineSettings
from services.contracts.reading import PLAIN_RULES, ReadingRules, rules_from_json

RULES = ReadingRules(max_prompt_tokens=1024, max_resume_tokens=512, are_instructions_removed=False)


def test_what_is_stored_is_read_again() -> None:
    assert rules_from_json(json.loads(json.dumps(RULES.to_json()))) == RULES


def test_an_adapter_that_tells_none_is_read_whole_and_as_it_came() -> None:
    assert rules_from_json(None) == PLAIN_RULES
    assert ReadingRules(2048, 0, is_identity_masked=False, are_instructions_removed=False) == PLAIN_RULES


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"max_resume_tokens": "512"}, "max_resume_tokens"),
        ({"max_resume_tokens": True}, "max_resume_tokens"),
        ({"is_identity_masked": 1}, "is_identity_masked"),
        ({"is_translated": True}, "is_translated"),
    ],
)
def test_rules_that_are_not_known_are_refused_by_name(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        rules_from_json(RULES.to_json() | changes)


def test_a_missing_rule_and_another_form_are_refused() -> None:
    content = RULES.to_json()
    del content["max_prompt_tokens"]

    with pytest.raises(ValueError, match="max_prompt_tokens"):
        rules_from_json(content)
    with pytest.raises(ValueError, match="must be an object"):
        rules_from_json([])


def test_settings_have_the_last_word_where_they_say_one() -> None:
    assert EngineSettings(max_prompt_tokens=2048).rules_for(RULES) == ReadingRules(2048, 512)
    changed = EngineSettings(max_prompt_tokens=2048, mask_identity=False, max_resume_tokens=0)
    assert changed.rules_for(RULES) == ReadingRules(2048, 0, is_identity_masked=False)
