import pytest

from connectors.postgres.filters import Filters, matcher


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("public.orders", "public.orders", True),
        ("public.orders", "public.orders_old", False),  # anchored, as Debezium has it
        ("PUBLIC.Orders", "public.orders", True),
        (r"public\.\p{Alpha}+", "public.orders", True),  # Java's dialect
        (r"public\.\p{Alpha}+", "public.orders2", False),
        (r"\Qpublic.a+b\E", "public.a+b", True),
        ("public.(?<name>a|b)", "public.b", True),
    ],
)
def test_a_pattern_is_javas_and_matches_whole_names(pattern, name, matches):
    assert matcher([pattern])(name) is matches


def test_what_is_no_pattern_is_said_with_its_text():
    with pytest.raises(ValueError, match=r"'public\.\(' is no regular expression"):
        matcher(["public.("])


def test_builtin_schemas_are_never_captured():
    filters = Filters()
    assert filters.table("public", "orders")
    assert not filters.table("pg_catalog", "pg_class")
