"""Save videos, from the pictures of a run's epochs or from any frames."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common.basics.files import atomic_write
from common.runs.layout import epoch_of


def video_frames(pictures):
    """Yield RGB frames of equal size: each picture with its epoch as a caption above.

    Args:
        pictures: Paths of PNG files, named after their epoch; sizes may differ.
    """
    sizes = []
    for path in pictures:
        with Image.open(path) as picture:
            sizes.append(picture.size)
    size = [max(lengths) for lengths in zip(*sizes, strict=True)]
    for path in pictures:
        with Image.open(path) as picture:
            yield captioned(picture, f"epoch {epoch_of(path)}", size)


def captioned(picture, text, size=None):
    """Return a picture on a white background with a line of text above it.

    Args:
        picture: PIL image.
        text: the line.
        size: (width, height) of the area for the picture; if None, the picture's size.

    Returns:
        PIL image, RGB, of even width and height, which H.264 needs.
    """
    width, height = size or picture.size
    strip = max(16, width // 16)  # pixels above the picture
    even = width + width % 2, strip + height + (strip + height) % 2
    frame = Image.new("RGB", even, "white")
    frame.paste(picture.convert("RGB"), (0, strip))
    font = ImageFont.load_default(0.75 * strip)
    ImageDraw.Draw(frame).text((strip / 4, 0), text, fill="black", font=font)
    return frame


def save_video(frames, path, seconds, last_seconds=None):
    """Save frames as an .mp4 (H.264) and as a .gif that loops.

    Args:
        frames: PIL images, RGB, of one even width and height.
        path: Path of one of the files; its suffix is replaced for the other.
        seconds: duration of a frame.
        last_seconds: duration of the last frame; if None, `seconds`.
    """
    import imageio.v2 as imageio

    last_seconds = last_seconds or seconds
    indexed = []
    with atomic_write(path.with_suffix(".mp4")) as part, imageio.get_writer(
        part, fps=1 / seconds, codec="libx264",
        pixelformat="yuv420p", macro_block_size=2, ffmpeg_log_level="error",
        output_params=["-preset", "veryfast"],
    ) as video:  # fmt: skip
        for frame in frames:
            video.append_data(np.asarray(frame))
            indexed.append(frame.convert("P"))
        for _ in range(round(last_seconds / seconds) - 1):
            video.append_data(np.asarray(frame))
    durations = [1000 * seconds] * (len(indexed) - 1) + [1000 * last_seconds]
    with atomic_write(path.with_suffix(".gif")) as part:
        indexed[0].save(
            part, save_all=True, append_images=indexed[1:], duration=durations, loop=0
        )


def is_picture(path):
    """Return whether a file is a readable picture; print a message if not."""
    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        print(f"{path} is left out of the video: {error}")
        return False
    return True
