"""Benchmarks: arithmetic of the results; all contenders train the same models."""

import json
import subprocess
from math import prod

import numpy as np
import pytest
from helpers import ROOT, run_script

from benchmarks import operations, ours, quality, summary
from benchmarks.bench import OTHER_PYTHON, TARGETS, plan
from benchmarks.measures import share_outside


def cells_of(text):
    """Return the rows of the tables in a text, each a list of its cells."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if "|" in line]
    return [[cell.strip() for cell in cells] for cells in lines]


def test_spread_is_median_and_quartiles():
    found = summary.spread([5, 1, 4, 2, 3])
    assert found == {"median": 3, "quartiles": [2, 4], "n": 5}
    assert summary.spread([7])["quartiles"] == [7, 7]


def test_ratios_are_taken_round_by_round():
    found = summary.ratios([1, 2, 30], [2, 4, 60])  # the last round was disturbed
    assert found["median"] == 0.5 and found["quartiles"] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (0.65, "<= 0.65", "met"),
        (0.36, "<= 0.35 (aim)", "missed"),
        (3, "< 3", "missed"),
        (20001, ">= 20000", "met"),
    ],
)
def test_met_or_missed(value, target, expected):
    assert summary.met_or_missed(value, target) == expected


def test_every_target_can_be_compared():
    assert {summary.met_or_missed(9, target) for target in TARGETS.values()} == {"missed"}


@pytest.mark.parametrize(("quick", "minutes"), [(True, 5), (False, 20)])
def test_plan_keeps_to_its_minutes(quick, minutes):
    assert sum(seconds for _, seconds, _ in plan(quick)) <= 60 * minutes


def test_results_are_written_beside_their_targets(tmp_path):
    head = summary.header({"keras": "3.15"}, quick=True)
    rows = [
        summary.row("a / b", "x", [0.5, 0.7, 0.6], "<= 0.65"),
        summary.row("a", "s", [1234.5]),
    ]
    text = summary.write(tmp_path, "results", "make x", head, rows, more=1)
    rows = cells_of(text)
    assert ["a / b", "0.6 x", "0.55 to 0.65", "3", "<= 0.65", "met"] in rows
    assert ["a", "1234 s", "1234 to 1234", "1"] in rows
    assert text.startswith("# Results: `make x`\n")
    assert "A quick run" in text and (tmp_path / "results.md").read_text() == text
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["rows"][0]["verdict"] == "met" and found["more"] == 1
    assert {"date", "commit", "machine", "versions"} <= set(found)


def test_share_outside_counts_data_gaps_and_epochs():
    ends = [1, 2.1, 4.2, 5.3, 10.4, 11.5]  # gaps of 0.1 in, of 1.1 and 4.1 between epochs
    marks = [(end - 1, end) for end in ends]
    marks[4] = (9.4, 10.4)
    found = share_outside(marks, 2, data=0.05, steps_an_epoch=10, save_every=3)
    assert found["snapshot"] == pytest.approx(3)
    spent = 10 * (0.1 + 0.05) + 1.1 + 1
    assert found["share"] == pytest.approx(spent / (10 + spent))


def test_operations_are_summed_by_their_kind():
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    for thread in range(2):
        line = space.planes.add().lines.add()
        for i, name in enumerate(["g/a:_MklNativeConv2D", "g/b:Conv2D", "Session::Run"]):
            space.planes[thread].event_metadata[i].name = name
            line.events.add(metadata_id=i, duration_ps=10**9)
    assert operations.operations(space, k=2) == {"Conv2D": 0.002}
    found = {"plain": {"operations": {"Conv2D": 0.03, "Mul": 0.01}},
             "fast": {"operations": {"Conv2D": 0.01, "Pad": 0.03}}}  # fmt: skip
    assert cells_of(operations.top_ten(found))[2:] == [
        ["Conv2D", "30.0 ms", "75%", "10.0 ms", "25%"],
        ["Pad", "0.0 ms", "0%", "30.0 ms", "75%"],
        ["Mul", "10.0 ms", "25%", "0.0 ms", "0%"],
    ]


def test_time_to_quality():
    textbook = [[5, 90], [10, 80], [20, 40]]
    fast, slow = [[0.5, 60], [1, 30], [2, 5]], [[0.5, 70], [1, 60], [2, 50]]
    name = "FD (digit classifier), n = 100"
    found = quality.result_rows(textbook, [fast, fast], 0.1, name)
    rows = {r["what"]: r["median"] for r in found}
    assert rows["ours: minutes until the textbook's last distance is reached"] == 1
    assert rows[f"{name}: the textbook's loop, at its end"] == 40
    assert rows[f"{name}: ours, at its end"] == 5 and rows[f"{name}: real images"] == 0.1
    rows = quality.result_rows(textbook, [slow], 0.1, name)
    assert rows[-1]["median"] == 2 and "1 of 1 never did" in rows[-1]["what"]
    assert quality.distance_at(textbook, 12) == 80
    assert quality.distance_at(textbook, 1) is None


@pytest.mark.parametrize("script", ["bench", "quality", "gpu"])
def test_help_answers(script):
    answer = run_script(f"benchmarks/{script}.py", "--help")
    assert answer.returncode == 0 and "usage" in answer.stdout


def n_parameters(model):
    return sum(prod(weight.shape) for weight in model.weights)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_the_textbook_has_our_models(dataset):
    if not OTHER_PYTHON.exists():
        pytest.skip("tf-keras is not installed: `make bench` makes benchmarks/.venv")
    code = (
        "from benchmarks import textbook; "
        f"g, d, _ = textbook.define_models('{dataset}'); "
        "print(g.count_params(), d.count_params())"
    )
    words = [OTHER_PYTHON, "-c", code]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    g_model, d_model, _ = ours.define_models(dataset)
    assert [int(n) for n in answer.stdout.split()] == [
        g_model.count_params(),
        d_model.count_params(),
    ]


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("dataset", ours.FOLDERS)
def test_pytorch_has_our_models_and_numbers(torch, dataset):
    from benchmarks.torch_pair import MODELS

    rng = np.random.default_rng(0)
    z = rng.standard_normal((3, 100)).astype("float32")
    g_model, d_model, _ = ours.define_models(dataset)
    g, d = MODELS[dataset]()
    for theirs, model in ((g, g_model), (d, d_model)):
        assert n_parameters(model) == copy_weights(torch, model, theirs, rng)
        theirs.eval()
    with torch.no_grad():
        images = g(torch.from_numpy(z))
        outputs = torch.sigmoid(d(images)).numpy()
    expected = g_model.predict(z, verbose=0)
    np.testing.assert_allclose(images.permute(0, 2, 3, 1), expected, atol=2e-5)
    found = d_model.predict(expected, verbose=0)
    np.testing.assert_allclose(outputs, found, atol=2e-5)


def copy_weights(torch, model, theirs, rng):
    """Give both models the same random weights; return how many there are."""
    slots = [t for name, t in theirs.state_dict().items() if "num_batches" not in name]
    weights = [weight for layer in model.layers for weight in layer.weights]
    for weight, slot in zip(weights, slots, strict=True):
        value = rng.uniform(0.5, 1.5, weight.shape) if len(weight.shape) == 1 else None
        if value is None:
            value = rng.normal(0, 0.05, weight.shape)
        weight.assign(value)
        axes = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[value.ndim]
        slot.copy_(torch.from_numpy(value.transpose(axes)))
    return sum(slot.numel() for slot in slots)


@pytest.mark.parametrize("dataset", ours.FOLDERS)
def test_pytorch_updates_both_models(torch, dataset):
    from benchmarks.torch_pair import TorchGAN, real_batch

    gan = TorchGAN(dataset, "bfloat16")
    side = {"mnist": 28, "cifar10": 32, "faces": 64}[dataset]
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, side, side, 1 if side == 28 else 3), np.uint8)

    def state(module):
        return [p.detach().clone() for p in module.parameters()]

    before = state(gan.g), state(gan.d)
    gan.step(real_batch(pixels, dataset, 4, rng))
    for old, module in zip(before, (gan.g, gan.d), strict=True):
        moved = [bool((a != b).any()) for a, b in zip(old, state(module), strict=True)]
        assert all(moved)
