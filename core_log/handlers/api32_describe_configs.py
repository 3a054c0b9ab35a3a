"""DescribeConfigs (32), versions 1 to 4, for topics and for the broker. The synonyms of a value are not listed."""

from collections.abc import Iterable

from core_log.broker import Broker
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.api19_create_topics import CONFIG_SOURCES
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api32_describe_configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
)
from core_log.settings import KEYS, NODE_ID
from core_log.storage import topic_config

TOPIC, BROKER = 2, 4
#: Kafka's ConfigEntry.ConfigType.
CONFIG_TYPES = {"boolean": 1, "string": 2, "int": 3, "long": 5, "double": 6, "list": 7}


@api(DescribeConfigsRequest)
def handle(request: DescribeConfigsRequest, call: Call) -> Answered:
    return DescribeConfigsResponse(results=[_described(one, call.broker) for one in request.resources])


def _described(wanted: DescribeConfigsResource, broker: Broker) -> DescribeConfigsResult:
    result = DescribeConfigsResult(
        error_code=0, resource_type=wanted.resource_type, resource_name=wanted.resource_name, configs=()
    )
    try:
        asked = wanted.configuration_keys
        result.configs = [one for one in _configs(wanted, broker) if asked is None or one.name in asked]
    except BrokerError as error:
        result.error_code = error.code
        result.error_message = error.message
    return result


def _configs(wanted: DescribeConfigsResource, broker: Broker) -> Iterable[DescribeConfigsResourceResult]:
    if wanted.resource_type == TOPIC:
        return _of_topic(wanted.resource_name, broker)
    if wanted.resource_type == BROKER:
        if wanted.resource_name not in ("", str(NODE_ID)):
            raise BrokerError(ErrorCode.INVALID_REQUEST, f"no broker {wanted.resource_name!r}; this one is {NODE_ID}")
        return _of_broker(broker)
    raise BrokerError(ErrorCode.INVALID_REQUEST, f"resources of type {wanted.resource_type} have no configs here")


def _of_topic(name: str, broker: Broker) -> Iterable[DescribeConfigsResourceResult]:
    topic = broker.topic(name)
    for key, (value, source) in topic_config.described(topic.configs, broker.settings.given).items():
        known = topic_config.TOPIC_CONFIGS[key]
        yield DescribeConfigsResourceResult(
            name=key,
            value=value,
            read_only=False,
            config_source=CONFIG_SOURCES[source],
            is_sensitive=False,
            synonyms=(),
            config_type=CONFIG_TYPES[known.kind],
            documentation=known.doc,
        )


def _of_broker(broker: Broker) -> Iterable[DescribeConfigsResourceResult]:
    values = {key: getattr(broker.settings, attribute) for key, attribute in KEYS.items()}
    values |= {"broker.id": NODE_ID, "node.id": NODE_ID, "log.dirs": broker.settings.data}
    for key, value in values.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        kind = "boolean" if isinstance(value, bool) else "long" if isinstance(value, int) else "string"
        yield DescribeConfigsResourceResult(
            name=key,
            value=text,
            read_only=True,
            config_source=CONFIG_SOURCES["broker" if key in broker.settings.given else "default"],
            is_sensitive=False,
            synonyms=(),
            config_type=CONFIG_TYPES[kind],
        )
