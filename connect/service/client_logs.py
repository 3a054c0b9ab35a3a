"""What librdkafka logs, in our log: a broker that is away is not worth a line from every connection, many times a second.

Lines about connections go down to DEBUG, and the reason is told to a listener, who finds out what it means and says so
once (:class:`connect.service.log_watch.LogWatch`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

logger = logging.getLogger("librdkafka")
"""Given to every client. confluent-kafka calls it with the arguments facility, client and text."""

Listener = Callable[[str], None]

_CONNECTION_FACILITIES = frozenset({"FAIL", "ERROR", "REQTMOUT", "SESSTMOUT"})
# "[thrd:b1:9092/1]: b1:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"
_AROUND = re.compile(r"^(\[thrd:.*?\]: )?(\S+: )*(?P<reason>.*?)( \(after \d+ms in state .*\))?$", re.DOTALL)


class ConnectionComplaints(logging.Filter):
    """Takes complaints about connections out of the log; ``listener`` hears their reason, on any thread."""

    def __init__(self) -> None:
        super().__init__()
        self.listener: Listener | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if not isinstance(record.args, tuple) or len(record.args) != 3 or record.args[0] not in _CONNECTION_FACILITIES:
            return True
        if record.levelno >= logging.WARNING:  # below that it tells of connections that were closed in order
            self.tell(reason_of(str(record.args[2])))
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logger.isEnabledFor(logging.DEBUG)

    def tell(self, reason: str) -> None:
        """A client got no answer, for this reason."""
        if self.listener:
            self.listener(reason)


def reason_of(text: str) -> str:
    """What is wrong, without the names of the thread and the broker, and without how long it took."""
    match = _AROUND.match(text)
    return match["reason"].strip() if match else text


complaints = ConnectionComplaints()
logger.addFilter(complaints)
