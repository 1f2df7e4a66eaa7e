"""Films: of the pictures of a run's epochs, or of any frames."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common.basics.files import atomic_write
from common.runs.layout import epoch_of


def video_frames(pictures):
    """Yield the frames of a video, RGB and of one size: the epoch above each picture.

    Args:
        pictures: PNG files, named after their epoch, not all of one size perhaps.
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
    """A picture on white with a line of text above, of even width and height (for H.264).

    Args:
        picture: PIL image.
        text: the line.
        size: (width, height) of the place for the picture; if None, its own.
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
    """Save frames as one video, `path` as .mp4 (H.264) and as .gif, which repeats.

    Args:
        frames: PIL images, RGB, of one even width and height.
        path: of either file; its ending does not matter.
        seconds: how long a frame stays.
        last_seconds: how long the last one stays; if None, as long as all.
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
    """Whether a file is a picture; says so where it is not."""
    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        print(f"{path} is not in the video: {error}")
        return False
    return True
