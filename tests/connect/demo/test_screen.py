import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from connect.demo.object_store import StoredObject
from connect.demo.observer import Change, Observation
from connect.demo.screen import picture


@pytest.fixture
def seen():
    seen = Observation()
    row = {"id": 12345, "customer": "customer 87", "item": "bicycle bell", "amount": "12345.67", "status": "shipped"}
    seen.latest.extend(Change("d" if number == 3 else "u", row, 12, 100_000 + number) for number in range(8))
    seen.objects = [StoredObject(f"topics/shop.public.orders/partition=0/{number:040}.json.gz", 19_000) for number in range(9)]
    return seen


@pytest.mark.parametrize("height", [24, 50])
def test_the_picture_fits_a_small_terminal(seen, height):
    store = SimpleNamespace(description="the folder penstock-data/demo-20261121-144408/objects")
    stage = SimpleNamespace(postgres=SimpleNamespace(port=50_000), store=store)
    console = Console(width=78, height=height, record=True, file=io.StringIO())
    console.print(picture(seen, stage, height))
    lines = console.export_text().splitlines()
    assert len(lines) < height
    assert sum("customer 87" in line for line in lines) == (5 if height == 24 else 7)  # of a deleted row only its key is shown
