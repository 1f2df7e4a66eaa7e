"""Runs that are killed at a random moment end as if they had not been."""

import pytest
from conftest import slow
from kill import kill_and_compare, told

FAST = (0, 8, 20)  # whose models are small


@pytest.mark.parametrize("seed", [s if s in FAST else slow(s) for s in range(25)])
def test_a_killed_run_ends_as_if_it_had_not_been(seed):
    record = kill_and_compare(seed)
    print(told(record))
    assert record["differences"] == []
