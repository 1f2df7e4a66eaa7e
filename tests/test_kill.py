"""Runs that are killed at a random moment and resumed equal runs without a stop."""

import pytest
from kill import kill_and_compare, table_row


def check(seed):
    record = kill_and_compare(seed)
    print(table_row(record))
    assert record["differences"] == []


@pytest.mark.parametrize("seed", [57, 77, 86])  # dense models: quick
def test_a_run_that_is_killed_ends_as_if_it_had_not_been(seed):
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
def test_a_run_at_random_that_is_killed_ends_as_if_it_had_not_been(seed):
    check(seed)
