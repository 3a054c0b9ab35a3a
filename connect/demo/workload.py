"""An orders table and somebody who keeps changing it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

TABLE = "orders"
_ITEMS = ("teapot", "lamp", "chair", "notebook", "kettle", "bicycle bell")
_STATES = ("new", "paid", "packed", "shipped")

Connect = Callable[[], psycopg.Connection[Any]]


def create_orders(connect: Connect, rows: int) -> None:
    """The table, with some rows in it that are there before anybody looks."""
    with connect() as connection:
        connection.execute(
            "create table orders (id bigserial primary key, customer text not null, item text not null, quantity int not null, "
            "amount numeric(10,2) not null, status text not null, placed_at timestamptz not null default now())"
        )
        connection.execute(
            "insert into orders (customer, item, quantity, amount, status) select 'customer ' || g %% 97, "
            "(array['teapot','lamp','chair'])[1 + g %% 3], 1 + g %% 5, (g %% 1000)::numeric / 7, 'new' "
            "from generate_series(1, %s) g",
            (rows,),
        )


def add_column(connect: Connect) -> None:
    """``alter table ... add column`` in the middle of everything."""
    with connect() as connection:
        connection.execute("alter table orders add column note text")


@dataclass
class Changes:
    """Inserts, updates and deletes, one transaction each. Counts what was committed."""

    connect: Connect
    seed: int = 1
    noted: bool = False
    """Whether the column ``note`` is there to be written."""
    done: int = 0
    ids: list[int] = field(default_factory=list)

    def make(self, count: int, per_second: float | None = None, stopped: threading.Event | None = None) -> None:
        """So many changes, as fast as that, or until ``stopped``."""
        dice = random.Random(self.seed + self.done)  # noqa: S311 - orders, no secrets
        begun = time.monotonic()
        with self.connect() as connection:
            connection.autocommit = True
            self.ids = self.ids or [row[0] for row in connection.execute("select id from orders")]
            for number in range(count):
                self._change(connection, dice)
                self.done += 1
                due = begun + (number + 1) / per_second if per_second else 0.0
                if stopped and stopped.wait(max(0.0, due - time.monotonic())):
                    return

    def _change(self, connection: psycopg.Connection[Any], dice: random.Random) -> None:
        action = dice.random()
        if action < 0.4 or len(self.ids) < 20:
            row = (
                f"customer {dice.randrange(97)}",
                dice.choice(_ITEMS),
                dice.randrange(1, 9),
                dice.randrange(10**6) / 100,
                "new",
            )
            sql = "insert into orders (customer, item, quantity, amount, status) values (%s, %s, %s, %s, %s) returning id"
            found = connection.execute(sql, row).fetchone()
            assert found
            self.ids.append(found[0])
            return
        place = dice.randrange(len(self.ids))
        if action < 0.9:
            sql, values = "update orders set status = %s where id = %s", [dice.choice(_STATES), self.ids[place]]
            if self.noted:
                sql, values = "update orders set status = %s, note = %s where id = %s", [values[0], "by courier", values[1]]
            connection.execute(sql, values)
        else:
            connection.execute("delete from orders where id = %s", (self.ids[place],))
            self.ids[place] = self.ids[-1]
            self.ids.pop()
