"""Report scores: a printed table, a line of JSON, a picture of nearest neighbours."""

import json
import logging
from datetime import date

import numpy as np

from common.runs.layout import METRICS, NEAREST, epoch_of
from common.runs.record import commit, read_options, versions
from common.runs.tables import markdown_table
from common.sampling import image_range
from common.scores import memorization
from common.scores.references import reference_of
from common.scores.scorer import classifier_scorer, summarize
from common.scores.table import SCORES

NAME = 24  # characters


class Report:
    """Score generators; print a row for each, and append it as a line of JSON.

    Args:
        scorer: scorer.Scorer.
        folder: Path of the folder of `metrics.jsonl` and pictures.
        seed: int, of the latent vectors.
        repeats: number of independent samplings of n images.
    """

    def __init__(self, scorer, folder, seed=0, repeats=3):
        self.scorer, self.folder, self.seed, self.repeats = scorer, folder, seed, repeats
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # hides retracing
        self.protocol = {**scorer.protocol(), "seed": seed, "repeats": repeats}
        self.floor, self.ceiling = scorer.floor, None
        self.print_protocol()

    def print_protocol(self):
        """Print the protocol, the header of the table, and the floor."""
        p = self.protocol
        accuracy = f", accuracy {p['accuracy']:.2%}" if p["accuracy"] else ""
        print(f"{p['n']} images against as many of {p['data']}, {p['split']} split")
        of = f"; mean +- standard deviation of {self.repeats}" if self.repeats > 1 else ""
        print(
            f"features: {p['features']} {p['features_hash']}{accuracy}; resize: "
            f"{p['resize']}; quantised to {p['quantisation']}; seed {p['seed']}{of}"
        )
        heads = (score.title for score in SCORES.values() if score.in_row)
        print(f"{'':{NAME}}" + "".join(f"{head:>17}" for head in heads))
        self.print_row("real images", summarize([self.floor["scores"]]))

    def score_generator(self, g_model, name):
        """Score a generator.

        Args:
            g_model: the generator.
            name: of its file, which may contain the epoch.

        Returns:
            the record, a dict, see `add_record`.
        """
        if self.ceiling is None:
            scores = self.scorer.ceiling(g_model)
            self.ceiling = {"what": "untrained generator", "scores": scores}
        rows = []
        for repeat in range(self.repeats):
            pixels, labels = self.scorer.sample(g_model, [self.seed, repeat])
            rows.append(self.scorer.score(pixels, labels))
        low = image_range(g_model)[0]
        return self.add_record(rows, pixels, name, epoch_of(name), low)

    def score_images(self, pixels, name):
        """Score images, uint8 (n, h, w, c); return as `score_generator`."""
        noise = np.random.default_rng(0).integers(0, 256, pixels.shape, np.uint8)
        self.ceiling = {"what": "uniform noise", "scores": self.scorer.score(noise)}
        return self.add_record([self.scorer.score(pixels)], pixels, name)

    def add_record(self, rows, pixels, name, epoch=None, low=0):
        """Search for copies, print a row, and append the record to `metrics.jsonl`.

        Args:
            rows: list of dicts of scores, one per sampling.
            pixels: uint8 (n, h, w, c), the images of the last sampling.
            name: of the model or of the images.
            epoch: number of finished epochs, or None.
            low: minimum of the generator's range, see `plotting.save_grid`.

        Returns:
            the record, a dict.
        """
        found, neighbours = memorization.memorisation(self.scorer, pixels)
        picture = self.folder / nearest_picture(name, epoch)
        memorization.save_picture(picture, self.scorer, pixels, neighbours, low)
        summary = summarize(rows)
        if found:
            in_pixels = found["pixels"]
            summary["copies"] = {"mean": in_pixels["copies"], "std": in_pixels["error"]}
        self.print_row(name, summary)
        for warning in memorization.warnings(found):
            print(warning)
        record = {
            "epoch": epoch, "model": name, "scores": summary, "memorisation": found,
            "floor": self.floor, "ceiling": self.ceiling,
            "protocol": self.protocol, "date": date.today().isoformat(),
            "versions": versions(), "commit": commit(),
        }  # fmt: skip
        with (self.folder / METRICS).open("a") as file:
            file.write(json.dumps(record) + "\n")
        return record

    def print_row(self, name, summary):
        """Print a row of the table: the scores with `in_row`."""
        cells = (shown(key, summary) for key in SCORES if SCORES[key].in_row)
        print(f"{name:{NAME}}" + "".join(f"{c:>17}" for c in cells), flush=True)

    def print_table(self, record):
        """Print all scores of a record with those of the floor and the ceiling."""
        ends = [summarize([end["scores"]]) for end in (self.floor, self.ceiling)]
        parts = [ends[0], record["scores"], ends[1]]
        rows = [
            [score.title, *(shown(key, part) for part in parts)]
            for key, score in SCORES.items()
            if key in record["scores"]
        ]
        heads = ["", "real images", record["model"], self.ceiling["what"]]
        print(markdown_table(rows, heads))
        print(f"real images: {self.floor['what']}")


def report_of_run(run):
    """Return the Report of `--evaluate-every`: classifier features, a single sampling.

    Args:
        run: Path of the run folder.

    Raises:
        UserError: see `references.reference_of`.
    """
    train, test = reference_of(read_options(run), run)
    return Report(classifier_scorer(train, test), run, repeats=1)


def nearest_picture(model, epoch):
    """Return "nearest_e008.png", or "nearest_MODEL.png" if the epoch is None."""
    name = model.removesuffix(".h5") if epoch is None else f"e{epoch:03d}"
    return NEAREST.format(name)


def means(record):
    """Return the means of a record's scores: dict, name -> float."""
    return {name: x["mean"] for name, x in record["scores"].items() if x is not None}


def shown(name, summary):
    """Return a cell of a table, such as "7.31 +- 0.08"."""
    if name not in summary:
        return "-"
    if summary[name] is None:
        return "n/a"
    pattern, (mean, std) = SCORES[name].pattern, summary[name].values()
    return pattern.format(mean) + (f" +- {pattern.format(std)}" if std else "")
