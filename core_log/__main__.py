"""``python -m core_log``: one broker process.

Prints one line to stdout when it is ready. Exit codes: 0 after SIGTERM or SIGINT, 2 for wrong options, 3 where the machine does
not let it start (port, directory, configuration), with one line on stderr.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from core_log import metrics
from core_log import settings as broker_settings
from core_log.broker import Broker
from core_log.clock import Clock
from core_log.errors import BrokerError, EnvironmentProblem
from core_log.housekeeping import Housekeeping
from core_log.loop import Loop
from core_log.server import Server, listen
from core_log.settings import BrokerSettings
from core_log.storage.data_directory import DataDirectory
from core_log.storage.files import RealFiles

EXIT_OPTIONS = 2
EXIT_ENVIRONMENT = 3


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        settings = broker_settings.load(
            options.config,
            {"data": options.data, "host": options.host, "port": options.port, "flush_policy": options.flush_policy},
        )
        directory = DataDirectory.open(settings.data)
        try:
            _serve(settings, directory)
        finally:
            directory.close()
    except EnvironmentProblem as error:
        sys.stderr.write(f"core_log: {error}\n")
        return EXIT_ENVIRONMENT
    except (BrokerError, OSError) as error:
        sys.stderr.write(f"core_log: cannot open the log in {options.data}: {error}\n")
        return EXIT_ENVIRONMENT
    return 0


def _serve(settings: BrokerSettings, directory: DataDirectory) -> None:
    listener = listen(settings.host, settings.port)
    loop = Loop()
    broker = Broker(settings, RealFiles(), directory.path, cluster_id=directory.cluster_id, clock=Clock(), post=loop.post)
    if settings.metrics_port:
        metrics.serve(broker.metrics, settings.host, settings.metrics_port)
    server = Server(loop, broker, listener)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    housekeeping = Housekeeping(broker, loop.post)
    housekeeping.start()
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"core_log ready on {host}:{port} (data: {settings.data}, flush policy: {settings.flush_policy})\n")
    sys.stdout.flush()
    try:
        server.run()
    finally:
        housekeeping.stop()
        server.close()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for everything else that is wrong."""
        self.exit(EXIT_OPTIONS, f"core_log: {message} (--help lists the options)\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="python -m core_log", description="A single-node Kafka broker.")
    parser.add_argument("--data", metavar="DIR", help="where topics are kept; made if need be")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen on (9092); 0 takes any free one")
    parser.add_argument(
        "--flush-policy",
        help="ack: acks=all means on disk (the default); interval: synced every log.flush.interval.ms; os: left to the system",
    )
    parser.add_argument("--config", metavar="FILE", help="a file in the manner of Kafka's server.properties")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
