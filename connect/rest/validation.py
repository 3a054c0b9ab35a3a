"""What stands between a body and the herder: the configuration is tried in a probe before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connect.rest.bodies import invalid_config
from connect.rest.cluster import Cluster
from connect.runtime.plan import probes
from connect.runtime.plan.config_def import HIDDEN
from connect.runtime.plan.probe_child import Validation
from connect.runtime.requests import BadRequest

# Without a class there is no model to say which values are secret.
_SECRET = re.compile("password|secret|token|credential|jaas", re.IGNORECASE)


def named(config: Mapping[str, str], name: str) -> dict[str, str]:
    """The configuration with the connector's name in it. Raises BadRequest where it names another."""
    included = config.get("name")
    if included is not None and included != name:
        raise BadRequest(f"Connector name configuration ({included}) doesn't match connector name in the URL ({name})")
    return {**config, "name": name}


def connector_class(config: Mapping[str, str]) -> str:
    """Raises BadRequest where the configuration names none."""
    found = config.get("connector.class")
    if not found:
        shown = ", ".join(f"{key}={HIDDEN if _SECRET.search(key) else value}" for key, value in config.items())
        raise BadRequest(f"Connector config {{{shown}}} contains no connector type")
    return found


def validated(cluster: Cluster, config: Mapping[str, str]) -> Validation:
    """Raises BadRequest with every problem where the configuration would not run."""
    connector_class(config)
    found = probes.validate(config, cluster.settings)
    if found.problems:
        raise invalid_config([str(problem) for problem in found.problems])
    return found
