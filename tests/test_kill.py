"""Runs that are killed at a random moment end as if they had not been."""

import pytest
from conftest import slow
from kill import kill_and_compare, told


@pytest.mark.parametrize("seed", [*range(3), *map(slow, range(3, 25))])
def test_a_killed_run_ends_as_if_it_had_not_been(seed):
    record = kill_and_compare(seed)
    print(told(record))
    assert record["differences"] == []
