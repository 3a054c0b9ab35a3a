"""A source: follows a text file, a record per line."""

from collections.abc import Iterator, Sequence
from os import SEEK_CUR
from pathlib import Path

from pydantic import Field

from connect.api import ConnectorConfig, Offset, Partition, SourceConnector, SourceRecord


class LinesConfig(ConnectorConfig):
    topic: str = Field(description="Where the lines go.")
    file: Path = Field(description="The text file to follow.")


class LinesSource(SourceConnector[LinesConfig]):
    def partitions(self) -> Sequence[Partition]:
        return [{"file": str(self.config.file)}]

    def read(self, partition: Partition, offset: Offset | None) -> Iterator[SourceRecord | None]:
        with Path(partition["file"]).open("rb") as file:
            file.seek(offset["byte"] if offset else 0)
            while True:
                line = file.readline()
                if line.endswith(b"\n"):
                    yield SourceRecord(self.config.topic, line[:-1].decode(), {"byte": file.tell()})
                else:
                    file.seek(-len(line), SEEK_CUR)  # still being written
                    yield None  # nothing now, ask again
