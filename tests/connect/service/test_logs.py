import io
import json
import logging

import pytest

from connect.service import logs


@pytest.fixture
def root():
    """The root logger as it was, whatever a test configures."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logging.captureWarnings(False)
    logger.handlers[:] = handlers
    logger.setLevel(level)


def logged(root, json_lines):
    stream = io.StringIO()
    logs.configure("info", json_lines, stream)
    root.debug("not this")
    root.info("plain %d", 1)
    try:
        raise ValueError("boom")
    except ValueError:
        logging.getLogger("connect.x").exception("bad", extra={"connector": "orders", "task": 3})
    return stream.getvalue().splitlines()


def test_people_get_lines_with_the_task_in_brackets(root):
    first, second, *trace = logged(root, json_lines=False)
    assert first.endswith(" INFO    plain 1 (root)")
    assert second.endswith(" ERROR   [orders/3] bad (connect.x)")
    assert trace[-1] == "ValueError: boom"


def test_machines_get_one_object_a_line(root):
    first, second = map(json.loads, logged(root, json_lines=True))
    assert (first["level"], first["message"]) == ("INFO", "plain 1")
    assert (second["connector"], second["task"], second["logger"]) == ("orders", 3, "connect.x")
    assert second["trace"].endswith("ValueError: boom")
