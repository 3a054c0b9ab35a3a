from importlib.metadata import EntryPoint

import pytest

from connect.runtime.plan import plugins as plugins_module
from connect.runtime.plan.plugins import Plugins, UnknownPlugin, simple_names
from tests.connect.runtime.plan.plugin_samples import HERE, LinesSink, LinesSource, Note, PlainConverter


@pytest.fixture
def plugins(monkeypatch):
    """Only the samples are installed, and one that cannot be imported."""
    entries = {
        "penstock.connectors": {"lines": "LinesSource", "lines-out": "LinesSink", "broken": "NotThere"},
        "penstock.converters": {"plain": "PlainConverter"},
        "penstock.transforms": {"Note": "Note", "Whole": "Whole"},
    }

    def installed(group):
        return [EntryPoint(name, f"{HERE}:{value}", group) for name, value in entries[group].items()]

    monkeypatch.setattr(plugins_module, "entry_points", installed)
    return Plugins()


@pytest.mark.parametrize(
    "name",
    [
        "lines",
        "org.example.file.LinesSourceConnector",
        "LinesSourceConnector",
        "LinesSource",
        f"{HERE}:LinesSource",
        f"{HERE}.LinesSource",
    ],
)
def test_a_connector_by_any_of_its_names(plugins, name):
    assert plugins.connector(name) is LinesSource


def test_another_connector(plugins):
    assert plugins.connector("LinesSink") is LinesSink


@pytest.mark.parametrize(
    ("name", "target"),
    [("Note", "value"), ("Note$Key", "key"), ("org.example.transforms.Note$Value", "value"), (f"{HERE}:Note$Key", "key")],
)
def test_a_transformation_and_its_target(plugins, name, target):
    assert plugins.transformation(name) == (Note, target)


def test_converters(plugins):
    assert plugins.converter("org.example.PlainConverter") is PlainConverter
    assert plugins.converter("Plain") is PlainConverter


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("LineSource", "Did you mean 'LinesSource'?"),
        ("Nope", "which name matches Nope, available connectors are: broken, lines, lines-out"),
        ("Nope", "broken cannot be imported: AttributeError"),
        ("broken", "is installed but cannot be imported: AttributeError"),
        ("no.such.module:Class", "cannot be imported: ModuleNotFoundError"),
        ("os:system", "is not a connector"),
        (f"{HERE}:Note", "does not extend connect.api.Connector"),
        ("io.debezium.connector.mysql.MySqlConnector", "io.debezium.connector.mysql.MySqlConnector is not supported yet."),
        ("org.example.file.LineSourceConnector", "Did you mean 'org.example.file.LinesSourceConnector'?"),
        ("", "which name matches , available"),
    ],
)
def test_names_that_nobody_has(plugins, name, says):
    with pytest.raises(UnknownPlugin) as raised:
        plugins.connector(name)
    assert says in str(raised.value)


def test_a_foreign_class_is_a_misspelt_one_or_not_supported_yet(monkeypatch, plugins):
    monkeypatch.setattr("connect.runtime.plan.plugins.FOREIGN", ("org.example.",))
    with pytest.raises(UnknownPlugin, match=r"Did you mean 'org\.example\.file\.LinesSourceConnector'\?$"):
        plugins.connector("org.example.fiel.LineSourceConnector")
    with pytest.raises(UnknownPlugin, match=r"org\.example\.file\.TablesSinkConnector is not supported yet\.$"):
        plugins.connector("org.example.file.TablesSinkConnector")


def test_half_names_of_transformations(plugins):
    with pytest.raises(UnknownPlugin, match=r"Note\$Header"):
        plugins.transformation("Note$Header")
    with pytest.raises(UnknownPlugin, match="whole records"):
        plugins.transformation("Whole$Key")


def test_listing_names_imports_nothing(plugins, monkeypatch):
    monkeypatch.setattr(EntryPoint, "load", lambda entry: pytest.fail(f"{entry.name} was imported"))
    assert plugins.names("connector") == ("broken", "lines", "lines-out")


def test_a_likely_plugin_is_tried_first(plugins, monkeypatch):
    loaded = []
    load = EntryPoint.load
    monkeypatch.setattr(EntryPoint, "load", lambda entry: (loaded.append(entry.name), load(entry))[1])
    plugins.connector("org.example.file.LinesSourceConnector")
    assert loaded == ["lines"]


def test_simple_names():
    assert simple_names("org.x.FooConnector", "Connector") == ("org.x.FooConnector", "FooConnector", "Foo")
    assert simple_names("Foo", "Connector") == ("Foo",)
