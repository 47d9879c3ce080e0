"""A person's picture as a digit: whatever a camera, a scanner or an editor writes, on any paper, with any pen."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from dgm_models.applications.restore import read
from dgm_models.data import mnist
from dgm_models.modalities import photo


def test_a_digit_photographed_on_shaded_paper_is_read_as_the_digit(tmp_path):
    """Uneven light, a grey sheet, the sensor's noise: what remains is the pen stroke."""
    x, y = mnist.test()
    for index in range(6):
        stroke = np.kron(x[index, 0].numpy() / 255, np.ones((20, 20)))
        page = np.zeros((900, 1400))
        page[200:760, 500:1060] = stroke
        light = np.linspace(0.9, 0.55, 1400)[None] * np.linspace(1, 0.85, 900)[:, None]
        noise = 0.04 * np.random.default_rng(index).standard_normal(page.shape)
        shot = (light * (1 - 0.75 * page) + noise).clip(0, 1)
        Image.fromarray((255 * shot).astype(np.uint8)).save(tmp_path / "photo.png")
        digit = photo.read_digit(tmp_path / "photo.png")
        assert int(read(digit).argmax()) == int(y[index])
        assert (digit[..., :2, :].max(), digit[..., :, :2].max()) == (0, 0)  # no trace of the sheet
    Image.fromarray((255 * (light + noise).clip(0, 1)).astype(np.uint8)).save(tmp_path / "empty.png")
    with pytest.raises(ValueError, match="blank"):
        photo.read_digit(tmp_path / "empty.png")


def test_a_photographed_digit_is_centred(tmp_path):
    """Dark ink on light paper, off centre: becomes light ink on black, centred by mass."""
    page = Image.new("RGB", (300, 200), (240, 238, 230))
    ImageDraw.Draw(page).line([(40, 30), (40, 120)], fill=(20, 20, 60), width=14)
    page.save(tmp_path / "one.jpg")
    x = photo.read_digit(tmp_path / "one.jpg")
    assert x.shape == (1, 1, 28, 28)
    assert x.max() > 0.9
    assert x[0, 0, :, 0].max() < 0.1
    mass = x[0, 0].sum()
    assert abs(float((x[0, 0].sum(0) * torch.arange(28)).sum() / mass) - 14) < 1


def test_transparent_and_turned_pictures_are_read_as_they_look(tmp_path):
    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    ImageDraw.Draw(clear).line([(50, 10), (50, 90)], fill=(0, 0, 0, 255), width=9)
    clear.save(tmp_path / "clear.png")
    upright = photo.read_digit(tmp_path / "clear.png")[0, 0]
    assert (upright.sum(1) > 1).sum() > 15  # a tall line, black on nothing
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    page = Image.new("RGB", (100, 100), "white")
    ImageDraw.Draw(page).line([(50, 10), (50, 90)], fill="black", width=9)
    page.save(tmp_path / "turned.jpg", exif=exif)
    turned = photo.read_digit(tmp_path / "turned.jpg")[0, 0]
    assert (turned.sum(0) > 1).sum() > 15


def test_a_large_photograph_of_a_phone_is_read(tmp_path):
    """Of 12 million pixels, in a JPEG, on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    page = Image.new("RGB", (4032, 3024), "lightgrey")
    ImageDraw.Draw(page).line([(2000, 500), (2000, 2500)], fill="black", width=200)
    page.save(tmp_path / "photo.jpg", exif=exif)
    digit = photo.read_digit(tmp_path / "photo.jpg")[0, 0]
    assert (digit.sum(0) > 1).sum() > 15  # upright it lay, turned it lies down


@pytest.mark.parametrize(
    ("make", "says"),
    [
        ("huge", "at most 4 million"),
        ("huge photo", "at most 50 million"),
        ("text", "could not be read"),
        ("blank", "blank"),
        ("svg", "could not"),
    ],
)
def test_other_files_are_refused(tmp_path, make, says):
    path = tmp_path / "file.png"
    if make == "huge":
        Image.new("1", (13_000, 13_000)).save(path)
        assert path.stat().st_size < 100_000
    elif make == "huge photo":  # whose coefficients take much memory at any scale
        Image.new("L", (8_000, 7_000)).save(path, "JPEG", progressive=True)
    elif make == "blank":
        Image.new("L", (50, 50), 255).save(path)
    else:
        path.write_text("<svg/>" if make == "svg" else "not a picture", encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        photo.read_digit(path)


# on any paper ---------------------------------------------------------------------------------------------------------

DIGITS = (3, 2, 18, 8)  # test digits: 0, 1, 3, 5
LIGHT = np.linspace(0, 1, 1200)[None] * np.ones((900, 1))


def enlarged(index: int, side: int) -> np.ndarray:
    """A test digit of that many pixels a side, 1 where the ink is."""
    picture = Image.fromarray(mnist.test()[0][index, 0].numpy()).resize((side, side), Image.BICUBIC)
    return np.asarray(picture, np.float32) / 255


def page(index: int) -> np.ndarray:
    ink = np.zeros((900, 1200), np.float32)
    ink[150:750, 300:900] = enlarged(index, 600)
    return ink


def vignette(ink):
    rows, columns = np.mgrid[-1:1:900j, -1:1:1200j]
    return 0.9 / (1 + 1.2 * (rows**2 + columns**2)) * (1 - 0.75 * ink)


def shadow(ink):
    edge = Image.fromarray((255 * np.where(LIGHT > 0.55, 0.5, 0.9)).astype(np.uint8)).filter(ImageFilter.GaussianBlur(6))
    return np.asarray(edge, np.float32) / 255 * (1 - 0.8 * ink)


def desk(ink, top=150, left=300):
    """A white sheet of 600 on a dark desk."""
    small = np.asarray(Image.fromarray(ink[150:750, 300:900]).resize((480, 480)))
    sheet = np.full((600, 600), 0.92, np.float32)
    sheet[60:540, 60:540] *= 1 - 0.8 * small
    whole = np.full((900, 1200), 0.15, np.float32)
    whole[top : top + 600, left : left + 600] = sheet[: 900 - top, : 1200 - left]
    return whole


def plot(ink, inside=lambda ink: ink):
    """As a plotting library saves a figure: a panel with a frame, numbers along it, a title."""
    figure = Image.new("L", (640, 480), "white")
    draw, panel = ImageDraw.Draw(figure), Image.fromarray(ink[150:750, 300:900]).resize((28, 28)).resize((370, 370), Image.NEAREST)
    figure.paste(Image.fromarray((255 * inside(np.asarray(panel))).clip(0, 255).astype(np.uint8)), (135, 58))
    draw.rectangle([134, 57, 506, 429], outline="black", width=2)
    for tick in range(6):
        at = 141 + 66 * tick
        draw.line([at, 429, at, 435], fill="black")
        draw.text((at - 4, 437), str(5 * tick), fill="black")
        draw.line([127, at - 77, 134, at - 77], fill="black")
        draw.text((108, at - 82), str(5 * tick), fill="black")
    draw.text((290, 30), "digit", fill="black")
    return np.asarray(figure, np.float32) / 255


PAPERS = {
    "white": lambda ink: 0.95 * (1 - 0.85 * ink),
    "dim": lambda ink: (110 - 85 * ink) / 255,
    "vignette": vignette,
    "shadow": shadow,
    "a sheet on a desk": desk,
    "a sheet cut by the picture": lambda ink: desk(ink, 300, 660),
    "light chalk on light grey": lambda ink: (150 + 75 * ink) / 255,
    "chalk on black": lambda ink: (40 + 180 * ink) / 255,
    "squared": lambda ink: PAPERS["white"](ink) * np.where((np.arange(1200) % 40 == 0) | (np.arange(900)[:, None] % 40 == 0), 0.82, 1),
    "a plot, light on dark": plot,
    "a plot, dark on light": lambda ink: plot(ink, lambda ink: 1 - ink),
    "a narrow picture": lambda ink: 1 - ink[np.ix_(ink.max(1) > 0.2, ink.max(0) > 0.2)],
}


@pytest.mark.parametrize("paper", PAPERS)
def test_a_digit_is_read_on_any_paper(tmp_path, paper):
    for index in DIGITS:
        seen = PAPERS[paper](page(index)) + 0.02 * np.random.default_rng(index).standard_normal()
        Image.fromarray((255 * seen.clip(0, 1)).astype(np.uint8)).save(tmp_path / "photo.png")
        digit = photo.read_digit(tmp_path / "photo.png")
        assert int(read(digit).argmax()) == int(mnist.test()[1][index]), index
        ink = mnist.pixels(mnist.test()[0][index])
        assert (digit[0] * ink).sum() > 0.6 * ink.square().sum()  # the digit itself, not what surrounds it


@pytest.mark.parametrize("width", [0.006, 0.01, 0.017, 0.1])
def test_a_pen_of_any_width_becomes_a_stroke_of_mnist(tmp_path, width):
    """Of which the models that know no other stroke say the same as the reader."""
    from dgm_models import load

    ways = {
        7: [(0.22, 0.1), (0.78, 0.1), (0.45, 0.92)],
        4: [(0.62, 0.92), (0.68, 0.1), (0.22, 0.6), (0.8, 0.6)],
        1: [(0.5, 0.08), (0.45, 0.92)],
    }
    for label, way in ways.items():
        sheet = Image.new("L", (1200, 900), 240)
        line = [(300 + 600 * x, 150 + 600 * y) for x, y in way]
        ImageDraw.Draw(sheet).line(line, fill=20, width=max(1, round(500 * width)), joint="curve")
        sheet.save(tmp_path / "pen.png")
        digit = photo.read_digit(tmp_path / "pen.png")
        assert digit.max() == 1
        assert 0.03 < digit.mean() < 0.2  # of test digits 0.02 to 0.35, of ones 0.02 to 0.16
        assert int(read(digit).argmax()) == label
        bayes = load("rbm-mnist").log_prob(digit.expand(10, -1, -1, -1), torch.arange(10))
        assert int(bayes.argmax()) == label


# of any kind ----------------------------------------------------------------------------------------------------------


def written(kind: str, ink: np.ndarray) -> bytes:
    """A three as such a file; dark on light, unless it is the ink that is white on nothing."""
    dark = Image.fromarray((255 * (0.95 - 0.85 * ink)).astype(np.uint8))
    levels, nothing = Image.fromarray((255 * ink).astype(np.uint8)), Image.new("L", dark.size)
    clear = lambda shade: Image.merge("RGBA", [Image.new("L", dark.size, shade)] * 3 + [levels])  # noqa: E731
    file, kwargs = io.BytesIO(), {}
    picture, format = {
        "PNG of 1 bit": (dark.convert("1"), "PNG"),
        "PNG of 16 bits": (Image.fromarray((65535 * (0.95 - 0.85 * ink)).astype(np.uint16)), "PNG"),
        "PNG with alpha": (Image.merge("LA", [dark, Image.new("L", dark.size, 255)]), "PNG"),
        "PNG with a palette": (dark.convert("P"), "PNG"),
        "PNG with a transparent colour": (dark.point(lambda level: 255 if level > 128 else level), "PNG"),
        "white strokes on nothing": (clear(255), "PNG"),
        "black strokes on nothing": (clear(0), "PNG"),
        "white strokes on black nothing": (Image.merge("RGBA", [levels.point(lambda level: 255 * (level > 4))] * 3 + [levels]), "PNG"),
        "grey strokes on nothing, shaded": (Image.merge("RGBA", [levels.point(lambda level: 150 + level // 3)] * 3 + [levels]), "WEBP"),
        "red ink": (Image.merge("RGB", [Image.new("L", dark.size, 230), dark, dark]), "JPEG"),
        "JPEG for print": (dark.convert("CMYK"), "JPEG"),
        "JPEG with a second picture": (dark.convert("RGB"), "MPO"),
        "GIF that moves": (dark, "GIF"),
        "BMP": (dark, "BMP"),
        "WEBP": (dark.convert("RGB"), "WEBP"),
        "TIFF of a scanner": (dark.convert("1"), "TIFF"),
        "TIFF of 32 bits": (Image.fromarray((7.5 * (0.95 - 0.85 * ink)).astype(np.float32)), "TIFF"),
        "TIFF for print": (dark.convert("CMYK"), "TIFF"),
        "TIFF of lightness": (Image.merge("LAB", [dark, nothing.point(lambda _: 128), nothing.point(lambda _: 128)]), "TIFF"),
        "TIFF of several pages": (dark, "TIFF"),
    }[kind]
    if kind in ("JPEG with a second picture", "GIF that moves", "TIFF of several pages"):
        kwargs = {"save_all": True, "append_images": [Image.new(picture.mode, (30, 20))]}
    if kind == "PNG with a transparent colour":
        kwargs = {"transparency": 255}
    if kind == "TIFF of a scanner":
        kwargs = {"compression": "group4"}
    picture.save(file, format, **kwargs)
    return file.getvalue()


KINDS = (
    "PNG of 1 bit",
    "PNG of 16 bits",
    "PNG with alpha",
    "PNG with a palette",
    "PNG with a transparent colour",
    "white strokes on nothing",
    "black strokes on nothing",
    "white strokes on black nothing",
    "grey strokes on nothing, shaded",
    "red ink",
    "JPEG for print",
    "JPEG with a second picture",
    "GIF that moves",
    "BMP",
    "WEBP",
    "TIFF of a scanner",
    "TIFF of 32 bits",
    "TIFF for print",
    "TIFF of lightness",
    "TIFF of several pages",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_digit_is_read_from_any_kind_of_file(tmp_path, kind):
    path = tmp_path / "picture"
    path.write_bytes(written(kind, page(18)[::2, ::2]))
    assert int(read(photo.read_digit(path)).argmax()) == 3


def test_a_large_jpeg_with_a_second_picture_is_read_as_one_without(tmp_path):
    """As phones write them: 12 million pixels, and a smaller one behind."""
    whole = Image.fromarray((255 * (0.95 - 0.85 * page(18))).astype(np.uint8)).resize((4032, 3024)).convert("RGB")
    whole.save(tmp_path / "one.jpg")
    whole.save(tmp_path / "two.jpg", "MPO", save_all=True, append_images=[whole.resize((400, 300))])
    one, two = (photo.read_digit(tmp_path / name) for name in ("one.jpg", "two.jpg"))
    assert torch.allclose(one, two, atol=2 / 255)
    assert int(read(two).argmax()) == 3


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_is_read_as_the_camera_was_held(tmp_path, turn):
    undo = {2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}  # what makes a picture that this turn sets upright
    picture = Image.fromarray((255 * (0.95 - 0.85 * page(18)[::2, ::2])).astype(np.uint8))
    for step in undo.get(turn, []):
        picture = picture.transpose(Image.Transpose(step))
    exif = Image.Exif()
    exif[0x0112] = turn
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert int(read(photo.read_digit(tmp_path / "turned.jpg")).argmax()) == 3
