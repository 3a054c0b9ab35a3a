import pytest
from pydantic import ValidationError

from connect.api import ConfigError, SourceRecord
from connect.transforms.regex_router import RegexRouter, RegexRouterConfig


def routed(regex, replacement, topic):
    record = SourceRecord(topic, 1)
    RegexRouter(RegexRouterConfig(regex=regex, replacement=replacement)).transform_batch([record])
    return record.topic


@pytest.mark.parametrize(
    ("regex", "replacement", "topic", "expected"),
    [
        ("(.*)", "prefix-$1", "orders", "prefix-orders"),
        ("shop\\.public\\.(.*)", "$1", "shop.public.orders", "orders"),
        ("orders", "x", "orders-2", "orders-2"),  # the whole name has to match
        ("([^.]+)\\.([^.]+)\\.([^.]+)", "$3-$1", "a.b.c", "c-a"),
        ("(?<table>\\w+)_v\\d+", "${table}", "orders_v12", "orders"),
        ("(a)(b)?", "$1[$2]", "a", "a[]"),
        ("(.)(.*)", "$12", "xyz", "x2"),  # there is no group 12: group 1 and a 2
        (".*", "costs\\$1", "t", "costs$1"),
        ("\\Qa.b\\E(.*)", "$1", "a.bc", "c"),
        ("\\Qa.b\\E(.*)", "$1", "axbc", "axbc"),
        ("\\p{Alpha}+([\\p{Digit}_]+)", "$1", "ab1_2", "1_2"),
        ("(?i)ORDERS", "o", "orders", "o"),
        ("\\w+", "ascii", "é", "é"),
        ("(.*)", "$0-$0", "t", "t-t"),
        ("a\\z", "b", "a", "b"),
    ],
)
def test_topics_are_renamed_as_java_would(regex, replacement, topic, expected):
    assert routed(regex, replacement, topic) == expected


@pytest.mark.parametrize("regex", ["(", "[a", "\\p{Greek}"])
def test_a_wrong_expression_is_a_wrong_config(regex):
    with pytest.raises(ValidationError):
        RegexRouterConfig(regex=regex, replacement="x")


@pytest.mark.parametrize("replacement", ["$2", "$x", "${nobody}", "end\\", "$"])
def test_a_wrong_replacement_is_a_wrong_config(replacement):
    with pytest.raises(ConfigError) as caught:
        RegexRouter(RegexRouterConfig(regex="(.*)", replacement=replacement))
    assert caught.value.key == "replacement"


def test_records_come_back_in_order_with_the_same_identity():
    records = [SourceRecord(topic, 1) for topic in ("a", "b", "a")]
    result = RegexRouter(RegexRouterConfig(regex="a", replacement="c")).transform_batch(records)
    assert [record.topic for record in result] == ["c", "b", "c"]
    assert all(one is other for one, other in zip(result, records, strict=True))
