"""Single message transforms. Ours work on batches; one that handles a record at a time is as welcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from connect.api.config import PluginConfig, config_class_of
from connect.api.record import SinkRecord, SourceRecord

C = TypeVar("C", bound=PluginConfig)
Record = SourceRecord | SinkRecord
Target = Literal["key", "value"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Stands in a batch's result where a record could not be transformed."""

    error: Exception


class Transformation(Generic[C]):
    """Changes records on their way. Override :meth:`transform`, or for speed :meth:`transform_batch`.

    ``target`` says which half to work on, for a transform that Kafka Connect offers as ``Name$Key`` and ``Name$Value``
    (``has_target``); it is "value" for one that has no halves.
    """

    config_class: ClassVar[type[PluginConfig]] = PluginConfig
    java_classes: ClassVar[tuple[str, ...]] = ()
    has_target: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.config_class = config_class_of(cls, cls.config_class)

    def __init__(self, config: C, target: Target = "value") -> None:
        self.config = config
        self.target = target

    def transform(self, record: Record) -> Record | None:
        """One record, changed in place or replaced; None drops it."""
        raise NotImplementedError

    def transform_batch(self, records: Sequence[Record]) -> list[Record | Failure | None]:
        """A batch: for each record, in order, the record to go on with, None to drop it, or why it failed.

        All or nothing per record: one that failed is left as it was (it may go to a dead letter topic).
        """
        results: list[Record | Failure | None] = []
        for record in records:
            try:
                results.append(self.transform(record))
            except Exception as error:  # noqa: BLE001 - third-party code, one record: the error policy decides
                results.append(Failure(error))
        return results
