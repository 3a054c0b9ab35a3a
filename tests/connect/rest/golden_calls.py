"""Requests in order, and what Kafka Connect 4.3.1 answers: codes, bodies and sentences that clients rely on.

Where it answers 500 to a client's mistake, ours is 400. ``...`` in an expected value stands for anything.
"""

from __future__ import annotations

from tests.connect.runtime.plan.plugin_samples import named

LINES = named("LinesSource")
SINK = named("LinesSink")
WRONG = (
    "Connector configuration is invalid and contains the following {} error(s):\n{}\n"
    "You can also find the above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`"
)
RUNNING = {"state": "RUNNING", "worker_id": "127.0.0.1:38083", "version": "4.3.1"}
FS = {"connector.class": LINES, "tasks.max": "1", "file": "in.txt", "topic": "t1"}
MUST_STOP = (
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified "
    "connector by issuing a 'PUT' request to the '/connectors/fs/stop' endpoint"
)


def failed(status, message):
    return status, {"error_code": status, "message": message}


def wrong(*messages):
    return failed(400, WRONG.format(len(messages), "\n".join(messages)))


# (method, path, body or None, status, expected body; None: no body)
EMPTY = [
    ("GET", "/", None, 200, {"version": "4.3.1", "commit": ..., "kafka_cluster_id": "E65gxY2NRzm7-eauHNiq6Q", "penstock": ...}),
    (
        "GET",
        "/health",
        None,
        200,
        {"status": "healthy", "message": "Worker has completed startup and is ready to handle requests."},
    ),
    ("GET", "/connectors", None, 200, []),
    ("GET", "/connectors?expand=status&expand=info", None, 200, {}),
    ("GET", "/connectors/", None, 200, []),
    ("GET", "/connectors/nope", None, *failed(404, "Connector nope not found")),
    ("GET", "/connectors/nope/status", None, *failed(404, "No status found for connector nope")),
    ("GET", "/connectors/nope/config", None, *failed(404, "Connector nope not found")),
    ("GET", "/connectors/nope/tasks", None, *failed(404, "Connector nope not found")),
    ("GET", "/connectors/nope/topics", None, 200, {"nope": {"topics": []}}),
    ("GET", "/connectors/nope/offsets", None, *failed(404, "Connector nope not found")),
    ("GET", "/connectors/nope/tasks/0/status", None, *failed(404, "No status found for task nope-0")),
    ("PUT", "/connectors/nope/pause", None, *failed(404, "Unknown connector nope")),
    ("PUT", "/connectors/nope/resume", None, *failed(404, "Unknown connector nope")),
    ("PUT", "/connectors/nope/stop", None, *failed(404, "Unknown connector nope")),
    ("DELETE", "/connectors/nope", None, *failed(404, "Connector nope not found")),
    ("DELETE", "/connectors/nope/offsets", None, *failed(404, "Connector nope not found")),
    ("POST", "/connectors/nope/restart", None, *failed(404, "Unknown connector: nope")),
    ("PATCH", "/connectors/nope/config", {"topic": "t"}, *failed(404, "Connector nope not found")),
    ("GET", "/nope", None, *failed(404, "HTTP 404 Not Found")),
    ("GET", "/connectors/fs/tasks-config", None, *failed(404, "HTTP 404 Not Found")),
    ("GET", "/connectors/fs/tasks/x/status", None, *failed(404, "HTTP 404 Not Found")),
    ("GET", "/openapi.yaml", None, *failed(404, "HTTP 404 Not Found")),
    ("POST", "/", None, *failed(405, "HTTP 405 Method Not Allowed")),
    ("PUT", "/connectors/fs/restart", None, *failed(405, "HTTP 405 Method Not Allowed")),
    ("GET", "/connector-plugins/Nope/config", None, *failed(404, "Unknown plugin Nope.")),
]

REFUSED = [
    ("POST", "/connectors", {"name": "fs", "foo": 1}, 400, {"error_code": 400, "message": ...}),
    ("POST", "/connectors", [], 400, {"error_code": 400, "message": ...}),
    (
        "POST",
        "/connectors",
        {"name": "fs", "config": {}},
        *failed(400, "Connector config {name=fs} contains no connector type"),
    ),
    (
        "POST",
        "/connectors",
        {"config": {"connector.class": LINES, "topic": "t"}},
        *wrong("Invalid value  for configuration name: String may not be empty"),
    ),
    (
        "POST",
        "/connectors",
        {"name": "x", "config": {"name": "y", "connector.class": LINES, "topic": "t"}},
        *failed(400, "Connector name configuration (y) doesn't match connector name in the URL (x)"),
    ),
    (
        "PUT",
        "/connectors/x/config",
        {"name": "y", "connector.class": LINES, "topic": "t"},
        *failed(400, "Connector name configuration (y) doesn't match connector name in the URL (x)"),
    ),
    (
        "POST",
        "/connectors",
        {"name": "x", "config": {"connector.class": LINES, "tasks.max": "0"}},
        *wrong(
            "Invalid value 0 for configuration tasks.max: Value must be at least 1",
            'Missing required configuration "topic" which has no default value.',
        ),
    ),
    (
        "POST",
        "/connectors",
        {"name": "a b/c ü", "config": {"connector.class": LINES, "topic": "t", "n": True, "z": None, "f": 1.5}},
        *wrong("Null value can not be supplied as the configuration value."),
    ),
    (
        "POST",
        "/connectors",
        {"name": "i", "initial_state": "bogus", "config": {"connector.class": LINES, "topic": "t"}},
        *failed(400, '"initial_state" is bogus: it has to be one of RUNNING, PAUSED, STOPPED.'),
    ),
    (
        "PUT",
        "/connectors/smt/config",
        {"connector.class": LINES, "topic": "t", "transforms": "a", "transforms.a.type": named("Note")},
        *wrong('Missing required configuration "transforms.a.note" which has no default value.'),
    ),
    (
        "PUT",
        "/connectors/smt/config",
        {"connector.class": SINK, "tasks.max": "1"},
        *wrong("Must configure one of topics or topics.regex", "Must configure one of topics or topics.regex"),
    ),
    (
        "PUT",
        "/connectors/smt/config",
        {"connector.class": SINK, "topics": "a", "topics.regex": "b"},
        *wrong(*["topics and topics.regex are mutually exclusive options, but both are set."] * 2),
    ),
    (
        "PUT",
        "/connector-plugins/LinesSource/config/validate",
        {"connector.class": "Nope"},
        *failed(400, "Included connector type Nope does not match request type LinesSource"),
    ),
    (
        "PUT",
        "/connector-plugins/LinesSource/config/validate",
        {"topic": "t"},
        *failed(400, "Connector config {topic=t} contains no connector type"),
    ),
]

CREATED = {"name": "fs", "config": {**FS, "name": "fs"}, "tasks": [], "type": "source"}
LIFE = [
    ("POST", "/connectors", {"name": "fs", "config": {**FS, "tasks.max": 1}}, 201, CREATED),
    ("POST", "/connectors", {"name": "fs", "config": FS}, *failed(409, "Connector fs already exists")),
    ("RUN", "fs", None, 0, None),
    ("GET", "/connectors", None, 200, ["fs"]),
    ("GET", "/connectors/fs", None, 200, {**CREATED, "tasks": [{"connector": "fs", "task": 0}]}),
    ("GET", "/connectors/fs/config", None, 200, {**FS, "name": "fs"}),
    (
        "GET",
        "/connectors/fs/status",
        None,
        200,
        {"name": "fs", "connector": RUNNING, "tasks": [{"id": 0, **RUNNING}], "type": "source", "penstock": ...},
    ),
    ("GET", "/connectors/fs/tasks", None, 200, [{"id": {"connector": "fs", "task": 0}, "config": ...}]),
    ("GET", "/connectors/fs/tasks/0/status", None, 200, {"id": 0, **RUNNING}),
    ("GET", "/connectors/fs/tasks/7/status", None, *failed(404, "No status found for task fs-7")),
    ("GET", "/connectors/fs/topics", None, 200, {"fs": {"topics": ["t1"]}}),
    (
        "GET",
        "/connectors/fs/offsets",
        None,
        200,
        {"offsets": [{"partition": {"filename": "in.txt"}, "offset": {"position": 4}}]},
    ),
    ("GET", "/connectors?expand=", None, 200, {"fs": {}}),
    ("GET", "/connectors?expand=status&expand=bogus", None, 200, {"fs": {"status": ...}}),
    ("GET", "/connectors?expand=info&expand=status", None, 200, {"fs": {"status": ..., "info": ...}}),
    ("PATCH", "/connectors/fs/offsets", {"offsets": []}, 501, {"error_code": 501, "message": ...}),
    ("DELETE", "/connectors/fs/offsets", None, *failed(400, MUST_STOP)),
    ("POST", "/connectors/fs/restart", None, 204, None),
    (
        "POST",
        "/connectors/fs/restart?includeTasks=true",
        None,
        202,
        {
            "name": "fs",
            "connector": {**RUNNING, "state": "RESTARTING"},
            "tasks": [{"id": 0, **RUNNING, "state": "RESTARTING"}],
            "type": "source",
            "penstock": ...,
        },
    ),
    ("POST", "/connectors/fs/tasks/0/restart", None, 204, None),
    ("POST", "/connectors/fs/tasks/9/restart", None, *failed(404, "Unknown task: fs-9")),
    ("PUT", "/connectors/fs/pause", None, 202, None),
    ("PUT", "/connectors/fs/resume", None, 202, None),
    ("PUT", "/connectors/fs/config", FS, 200, {**CREATED, "tasks": [{"connector": "fs", "task": 0}]}),
    (
        "PATCH",
        "/connectors/fs/config",
        {"topic": "t2", "file": None},
        200,
        {
            "name": "fs",
            "config": {"connector.class": LINES, "name": "fs", "topic": "t2", "tasks.max": "1"},
            "tasks": ...,
            "type": "source",
        },
    ),
    (
        "PATCH",
        "/connectors/fs/config",
        {"connector.class": None},
        *failed(400, "Connector config {tasks.max=1, topic=t2, name=fs} contains no connector type"),
    ),
    ("PUT", "/connectors/fs/stop", None, 204, None),
    ("DELETE", "/connectors/fs/offsets", None, 200, {"message": "The offsets for this connector have been reset successfully"}),
    (
        "PUT",
        "/connectors/new1/config",
        {"connector.class": LINES, "topic": "t3"},
        201,
        {**CREATED, "name": "new1", "config": ...},
    ),
    ("DELETE", "/connectors/fs", None, 204, None),
    ("GET", "/connectors", None, 200, ["new1"]),
]
