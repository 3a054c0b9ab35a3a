"""What the broker counts. Plain integers: the loop adds to them for every request."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Metrics:
    """``requests`` by API key; bytes of records, not of frames."""

    requests: Counter[int] = field(default_factory=Counter)
    bytes_in: int = 0
    bytes_out: int = 0
    bad_requests: int = 0
    connections: int = 0
