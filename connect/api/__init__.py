"""All that a connector author imports: ``from connect.api import SourceConnector, SourceRecord, ...``."""

from connect.api.config import CommaList, ConfigProblem, ConnectorConfig, Key, PluginConfig, Unserved
from connect.api.connector import Connector, SinkConnector, SourceConnector
from connect.api.context import TaskContext
from connect.api.converter import Converter
from connect.api.errors import ConfigError, ConnectError, DataError, FencedError, RetriableError
from connect.api.record import Checkpoint, Header, Offset, Partition, SinkRecord, SourceRecord, TopicPartition
from connect.api.schema import Field, Schema, Type, array, decimal, map_of, primitive, struct
from connect.api.transform import Failure, Record, Transformation

__all__ = [
    "Checkpoint",
    "CommaList",
    "ConfigError",
    "ConfigProblem",
    "ConnectError",
    "Connector",
    "ConnectorConfig",
    "Converter",
    "DataError",
    "Failure",
    "FencedError",
    "Field",
    "Header",
    "Key",
    "Offset",
    "Partition",
    "PluginConfig",
    "Record",
    "RetriableError",
    "Schema",
    "SinkConnector",
    "SinkRecord",
    "SourceConnector",
    "SourceRecord",
    "TaskContext",
    "TopicPartition",
    "Transformation",
    "Type",
    "Unserved",
    "array",
    "decimal",
    "map_of",
    "primitive",
    "struct",
]
