"""The result of a dissection as one HTML page, which needs no other file."""

import base64
from html import escape

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto;
       padding: 0 1em; color: #222; }
table { border-collapse: collapse; }
td, th { padding: 0.2em 0.8em; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child { text-align: left; }
img { max-width: 100%; }
.note { color: #555; }
"""


def save_page(subject, options, best, switched, effects, folder):
    """Write `page.html` from the numbers, and the pictures that lie in the folder.

    Args:
        subject: subject.Subject.
        options: Namespace of `dissect`.
        best: list of (unit, concept, IoU, chance).
        switched: texts on the units, and the concept they are best for.
        effects: of `units.measure`.
        folder: Path.
    """
    told, concept = switched
    names = list(effects["as drawn"])
    rows = [[n, *(f"{x[n]:.3f}" for x in effects.values())] for n in names]
    height, width, n_units = options.layer_shape
    parts = [
        f"<h1>What the units of {escape(subject.path.name)} are for</h1>",
        f"<p>Layer {escape(options.layer)}: {n_units} units, maps of {height}x{width}. "
        f"{options.n} images of seed {options.seed}; a unit is active in the "
        f"{options.top:.0%} of all pixels where it is highest. After Bau et al. (2019), "
        "“GAN Dissection”.</p>",
        "<h2>The best unit of each concept</h2>",
        "<p>IoU: pixels in both areas as a share of those in either one, over all "
        "images. Chance: of the same maps and the concept in other images; of a concept "
        "that is the same in all images, of a unit that is active anywhere. Listed is "
        "an IoU of at least 0.04, and of twice that of chance.</p>",
        table(
            ["concept", "unit", "IoU", "chance"],
            [[c, unit, f"{iou:.2f}", f"{x:.2f}"] for unit, c, iou, x in best],
        ),
        "<h2>Where units are active</h2>",
        "<p>The images with the highest activation; faded is where the unit is not.</p>",
        picture(folder / "units.png"),
        f"<h2>Switched, for “{escape(concept)}”</h2>",
        f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in told)}</ul>",
        "<p>Ablated: their activations are zero. Forced: everywhere as high as in their "
        "active pixels. As many random units, ablated, for comparison.</p>",
        picture(folder / "switched.png"),
        table(["", *effects], rows),
        '<p class="note">change: mean, of grey levels (0 to 1), where the concept was, '
        "and elsewhere; share: of all pixels; confidence: of the classifier in what it "
        "reads; read as: share of the images.</p>",
        picture(folder / "classes.png"),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    title = f"<title>Dissection of {escape(subject.path.name)}</title>"
    (folder / "page.html").write_text(
        f'<!doctype html><html lang="en"><head>{head}{title}<style>{STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n",
        encoding="utf-8",
    )


def table(heads, rows):
    """HTML of a table of texts and numbers."""
    lines = ["".join(f"<th>{escape(str(head))}</th>" for head in heads)]
    lines += ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def picture(path):
    """HTML of a PNG file with its bytes in it; nothing where there is no such file."""
    if not path.exists():
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>'
