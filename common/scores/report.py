"""Report scores: print tables, append JSON lines, save pictures of nearest neighbours."""

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
from common.scores.scorer import classifier_scorer
from common.scores.table import heading, scores_of

NAME_WIDTH, MIN_WIDTH = 24, 17  # of columns, characters


class Report:
    """Score generators; print a row for each, and append it as a line of JSON.

    Args:
        scorer: scorer.Scorer.
        folder: Path of the folder for `metrics.jsonl` and pictures.
        seed: int, of the latent vectors.
        repeats: number of independent samplings of n images.
    """

    def __init__(self, scorer, folder, seed=0, repeats=3):
        self.scorer, self.folder, self.seed, self.repeats = scorer, folder, seed, repeats
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # hides retracing
        self.protocol = {**scorer.protocol(), "seed": seed, "repeats": repeats}
        self.real_baseline, self.random_baseline = scorer.real_baseline, None
        self.rows = scores_of(scorer.features.name)
        self.print_protocol()

    def print_protocol(self):
        """Print the protocol, the header of the table, and the scores of real images."""
        p = self.protocol
        accuracy = f", accuracy {p['accuracy']:.2%}" if p["accuracy"] else ""
        print(
            f"real images: {p['data']}, {p['split']} split; features: {p['features']} "
            f"{p['features_hash']}{accuracy}; resize: {p['resize']}; quantized to "
            f"{p['quantisation']}; seed {p['seed']}"
        )
        print(self.head())
        titles = {key: row.title for key, row in self.rows.items() if row.in_row}
        self.widths = {key: max(MIN_WIDTH, len(x) + 2) for key, x in titles.items()}
        self.print_cells("", titles)
        self.print_row("real images", summarize([self.real_baseline["scores"]]))

    def head(self):
        """Return the head of the tables: n, the network, and what +- means."""
        std = f"; +-: {self.repeats} samplings of the same generator" * (self.repeats > 1)
        return heading(self.protocol) + std

    def score_generator(self, g_model, name):
        """Score a generator.

        Args:
            g_model: generator.
            name: name of its file, which may contain the epoch.

        Returns:
            dict, see `add_record`.
        """
        if self.random_baseline is None:
            scores = self.scorer.untrained_baseline(g_model)
            self.random_baseline = {"what": "untrained generator", "scores": scores}
        rows = []
        for repeat in range(self.repeats):
            pixels, labels = self.scorer.sample(g_model, [self.seed, repeat])
            rows.append(self.scorer.score(pixels, labels))
        low = image_range(g_model)[0]
        return self.add_record(rows, pixels, name, epoch_of(name), low)

    def score_images(self, pixels, name):
        """Score images.

        Args:
            pixels: uint8 (n, h, w, c).
            name: name of the images in the report.

        Returns:
            dict, see `add_record`.
        """
        noise = np.random.default_rng(0).integers(0, 256, pixels.shape, np.uint8)
        scores = self.scorer.score(noise)
        self.random_baseline = {"what": "uniform noise", "scores": scores}
        return self.add_record([self.scorer.score(pixels)], pixels, name)

    def add_record(self, rows, pixels, name, epoch=None, low=0):
        """Detect copies, print a row, and append a record to `metrics.jsonl`.

        Args:
            rows: list of dicts of scores, one per sampling.
            pixels: uint8 (n, h, w, c), the images of the last sampling.
            name: name of the model or of the images.
            epoch: number of finished epochs, or None.
            low: minimum of the generator's range, see `plotting.save_grid`.

        Returns:
            dict, the record: epoch, model, scores, baselines, protocol and versions.
        """
        copies, neighbours = memorization.detect_memorization(self.scorer, pixels)
        picture = self.folder / nearest_picture(name, epoch)
        memorization.save_picture(picture, self.scorer, pixels, neighbours, low)
        summary = summarize(rows)
        if copies:
            estimate = copies["pixels"]
            summary["copies"] = {"mean": estimate["copies"], "std": estimate["error"]}
        self.print_row(name, summary)
        for warning in memorization.warnings(copies):
            print(warning)
        record = {  # its keys are the file format, and older files have the same
            "epoch": epoch, "model": name, "scores": summary, "memorisation": copies,
            "floor": self.real_baseline, "ceiling": self.random_baseline,
            "protocol": self.protocol, "date": date.today().isoformat(),
            "versions": versions(), "commit": commit(),
        }  # fmt: skip
        with (self.folder / METRICS).open("a") as file:
            file.write(json.dumps(record) + "\n")
        return record

    def print_row(self, name, summary):
        """Print a row of the table: the scores with `in_row`."""
        self.print_cells(name, {key: self.cell(key, summary) for key in self.widths})

    def print_cells(self, name, cells):
        """Print a row of the table: a name and right-aligned cells, key -> text."""
        texts = (f"{cells[key]:>{width}}" for key, width in self.widths.items())
        print(f"{name:{NAME_WIDTH}}" + "".join(texts), flush=True)

    def cell(self, name, summary):
        """Return the text of a score in a table, such as "7.31 +- 0.08"."""
        if name not in summary:
            return "-"
        if summary[name] is None:
            return "n/a"
        pattern, (mean, std) = self.rows[name].pattern, summary[name].values()
        return pattern.format(mean) + (f" +- {pattern.format(std)}" if std else "")

    def print_table(self, record):
        """Print all scores of a record, with those of both baselines."""
        real, random = self.real_baseline, self.random_baseline
        columns = [summarize([x["scores"]]) for x in (real, random)]
        columns.insert(1, record["scores"])
        rows = [
            [score.title, *(self.cell(key, column) for column in columns)]
            for key, score in self.rows.items()
            if key in record["scores"]
        ]
        scale = f"{random['what']}, for scale"
        heads = [self.head(), "real images", record["model"], scale]
        print(markdown_table(rows, heads))
        print(f"real images: {real['what']}")


def report_of_run(run):
    """Return the Report of `--evaluate-every`: classifier features, a single sampling.

    Args:
        run: Path of the run folder.

    Raises:
        UserError: see `references.reference_of`.
    """
    train, test = reference_of(read_options(run), run)
    return Report(classifier_scorer(train, test), run, repeats=1)


def summarize(rows):
    """Return the mean and the standard deviation of each score over samplings.

    Args:
        rows: list of dicts of scores, one per sampling.

    Returns:
        dict, name -> {"mean": ..., "std": ...}, or None if a score is None; std is that
        of the samplings of one generator, None for a single sampling.
    """
    summary = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        summary[name] = None
        if None not in values:
            std = float(np.std(values, ddof=1)) if len(values) > 1 else None
            summary[name] = {"mean": float(np.mean(values)), "std": std}
    return summary


def nearest_picture(model, epoch):
    """Return the name "nearest_e008.png", or "nearest_MODEL.png" without an epoch."""
    name = model.removesuffix(".h5") if epoch is None else f"e{epoch:03d}"
    return NEAREST.format(name)


def means(record):
    """Return the means of a record's scores: dict, name -> float."""
    return {name: x["mean"] for name, x in record["scores"].items() if x is not None}
