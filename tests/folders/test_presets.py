"""The numbers in the READMEs were made with the options that the presets have now.

`made_with.json` has the options that a preset had at the commit of the numbers, by the
names of today: `d_batches` was `halves`, and at 27ba68d `ema` was in the models. A preset
that was changed since needs new numbers, or a page that states the change: `stated` has
the option, and the words of the page.
"""

import json

import pytest
from helpers import ROOT

from celeba_gan.train import PRESETS as CELEBA
from cifar10_gan.train import PRESETS as CIFAR10
from mnist_gan.train import PRESETS as MNIST

PRESETS = {"mnist_gan": MNIST, "cifar10_gan": CIFAR10, "celeba_gan": CELEBA}
ROWS = json.loads((ROOT / "tests" / "made_with.json").read_text())


def changes(row, now, page):
    """Return the options that have changed since the numbers, and that no page states.

    Args:
        row: dict, an entry of `made_with.json`.
        now: dict, the options of the preset.
        page: text of the page.
    """
    stated = {n for n, words in row.get("stated", {}).items() if words in page}
    return [
        f"{name} {row['options'].get(name)}, now {now.get(name)}"
        for name in sorted({*row["options"], *now} - stated)
        if row["options"].get(name) != now.get(name)
    ]


def page_of(row):
    return " ".join((ROOT / row["page"]).read_text().split())


@pytest.mark.parametrize("row", ROWS, ids=lambda x: f"{x['page']} {x['numbers']}")
def test_the_numbers_were_made_with_these_options(row):
    page = page_of(row)
    assert f"## {row['numbers']} " in page and row["commit"] in page
    found = changes(row, PRESETS[row["script"]][row["preset"]], page)
    assert not found, (
        f"the numbers of {row['numbers']!r} in {row['page']} were made with other "
        f"options ({'; '.join(found)}): remake them or say so"
    )


def test_every_preset_has_numbers():
    found = {(row["script"], row["preset"]) for row in ROWS}
    assert found == {(script, name) for script, x in PRESETS.items() for name in x}


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({}, []),
        ({"ema": 0.99}, ["ema 0.999, now 0.99"]),
        ({"augment": True}, ["augment None, now True"]),
    ],
)
def test_a_change_is_noticed_unless_the_page_states_it(changed, expected):
    (row,) = (x for x in ROWS if (x["script"], x["preset"]) == ("cifar10_gan", "best"))
    now = {**CIFAR10["best"], **changed}
    assert changes(row, now, page_of(row)) == expected
    assert "epochs 30, now 25" in changes(row, now, "a page without it")
