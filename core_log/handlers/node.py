"""What several answers say about this one node."""

from core_log.handlers.registry import Call

WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 recognised, not bound

#: The operations that a client without limits may do, as bits of Kafka's AclOperation (KIP-430).
TOPIC_OPERATIONS = sum(1 << operation for operation in (3, 4, 5, 6, 7, 8, 10, 11))
GROUP_OPERATIONS = sum(1 << operation for operation in (3, 6, 8, 10, 11))
CLUSTER_OPERATIONS = sum(1 << operation for operation in (5, 7, 8, 9, 10, 11, 12))
#: Not asked for.
NO_OPERATIONS = -(2**31)


def endpoint(call: Call) -> tuple[str, int]:
    """Where clients find us: as advertised, as bound, or behind a wildcard where this client has just reached us."""
    settings = call.broker.settings
    if settings.advertised_host:
        return settings.advertised_host, settings.advertised_port or settings.port
    host, port = call.local_address
    return (host if settings.host in WILDCARDS else settings.host), port
