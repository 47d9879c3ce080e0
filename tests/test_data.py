"""The digits: shipped, verified, and refused by name where they are missing or changed."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

from dgm_models.data import mnist, points
from dgm_models.modalities import image


def test_the_test_digits_ship():
    x, y = mnist.test()
    assert x.shape == (10_000, 1, 28, 28)
    assert x.dtype == torch.uint8
    assert torch.bincount(y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_missing_training_digits_say_both_ways(monkeypatch, tmp_path):
    monkeypatch.setenv("DGM_DATA", str(tmp_path))
    with pytest.raises(mnist.DataError, match=r"DGM_DATA is .*train-images-idx3-ubyte.gz is missing"):
        mnist.train()
    monkeypatch.delenv("DGM_DATA")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    with pytest.raises(mnist.DataError, match=r"set DGM_DATA(.|\n)*ylecun/mnist"):
        mnist.train()


def test_a_subset_is_refused(monkeypatch, tmp_path):
    (tmp_path / "mnist").mkdir()
    header = lambda *sizes: bytes([0, 0, 8, len(sizes)]) + b"".join(n.to_bytes(4, "big") for n in sizes)  # noqa: E731
    (tmp_path / "mnist/train-images-idx3-ubyte.gz").write_bytes(gzip.compress(header(5, 28, 28) + bytes(5 * 784)))
    (tmp_path / "mnist/train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(header(5) + bytes(5)))
    monkeypatch.setenv("DGM_DATA", str(tmp_path))
    with pytest.raises(mnist.DataError, match="not the original ones"):
        mnist.train()


def test_a_digit_photographed_on_shaded_paper_is_read_as_the_digit(tmp_path):
    """Uneven light, a grey sheet, the sensor's noise: what remains is the pen stroke."""
    import numpy as np
    from PIL import Image

    from dgm_models.applications.restore import read

    x, y = mnist.test()
    for index in range(6):
        stroke = np.kron(x[index, 0].numpy() / 255, np.ones((20, 20)))
        page = np.zeros((900, 1400))
        page[200:760, 500:1060] = stroke
        light = np.linspace(0.9, 0.55, 1400)[None] * np.linspace(1, 0.85, 900)[:, None]
        noise = 0.04 * np.random.default_rng(index).standard_normal(page.shape)
        photo = (light * (1 - 0.75 * page) + noise).clip(0, 1)
        Image.fromarray((255 * photo).astype(np.uint8)).save(tmp_path / "photo.png")
        digit = image.read_digit(tmp_path / "photo.png")
        assert int(read(digit).argmax()) == int(y[index])
        assert (digit[..., :2, :].max(), digit[..., :, :2].max()) == (0, 0)  # no trace of the sheet
    Image.fromarray((255 * (light + noise).clip(0, 1)).astype(np.uint8)).save(tmp_path / "empty.png")
    with pytest.raises(ValueError, match="blank"):
        image.read_digit(tmp_path / "empty.png")


@pytest.mark.parametrize("broken", ["truncated", "not gzip", "empty"])
def test_a_broken_file_is_named(monkeypatch, tmp_path, broken):
    (tmp_path / "mnist").mkdir()
    whole = gzip.compress(bytes(5000))
    content = {"truncated": whole[: len(whole) // 2], "not gzip": b"hello", "empty": gzip.compress(b"")}[broken]
    (tmp_path / "mnist/train-images-idx3-ubyte.gz").write_bytes(content)
    monkeypatch.setenv("DGM_DATA", str(tmp_path))
    with pytest.raises(mnist.DataError, match="train-labels-idx1-ubyte.gz is missing"):
        mnist.train()
    (tmp_path / "mnist/train-labels-idx1-ubyte.gz").write_bytes(whole)
    with pytest.raises(mnist.DataError, match="train-images-idx3-ubyte.gz: expected the original MNIST file"):
        mnist.train()


def test_points_are_a_function_of_the_seed():
    for make in (points.moons, points.ring):
        assert torch.equal(make(50, seed=1)[0], make(50, seed=1)[0])
        assert not torch.equal(make(50, seed=1)[0], make(50, seed=2)[0])


def test_a_photographed_digit_is_centred(tmp_path):
    """Dark ink on light paper, off centre: becomes light ink on black, centred by mass."""
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (300, 200), (240, 238, 230))
    ImageDraw.Draw(page).line([(40, 30), (40, 120)], fill=(20, 20, 60), width=14)
    page.save(tmp_path / "one.jpg")
    x = image.read_digit(tmp_path / "one.jpg")
    assert x.shape == (1, 1, 28, 28)
    assert x.max() > 0.9
    assert x[0, 0, :, 0].max() < 0.1
    mass = x[0, 0].sum()
    assert abs(float((x[0, 0].sum(0) * torch.arange(28)).sum() / mass) - 14) < 1


def test_transparent_and_turned_pictures_are_read_as_they_look(tmp_path):
    from PIL import Image, ImageDraw

    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    ImageDraw.Draw(clear).line([(50, 10), (50, 90)], fill=(0, 0, 0, 255), width=9)
    clear.save(tmp_path / "clear.png")
    upright = image.read_digit(tmp_path / "clear.png")[0, 0]
    assert (upright.sum(1) > 1).sum() > 15  # a tall line, black on nothing
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    page = Image.new("RGB", (100, 100), "white")
    ImageDraw.Draw(page).line([(50, 10), (50, 90)], fill="black", width=9)
    page.save(tmp_path / "turned.jpg", exif=exif)
    turned = image.read_digit(tmp_path / "turned.jpg")[0, 0]
    assert (turned.sum(0) > 1).sum() > 15


def test_a_large_photograph_of_a_phone_is_read(tmp_path):
    """Of 12 million pixels, in a JPEG, on its side."""
    from PIL import Image, ImageDraw

    exif = Image.Exif()
    exif[0x0112] = 6
    page = Image.new("RGB", (4032, 3024), "lightgrey")
    ImageDraw.Draw(page).line([(2000, 500), (2000, 2500)], fill="black", width=200)
    page.save(tmp_path / "photo.jpg", exif=exif)
    digit = image.read_digit(tmp_path / "photo.jpg")[0, 0]
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
    from PIL import Image

    path = tmp_path / "file.png"
    if make == "huge":
        Image.new("1", (13_000, 13_000)).save(path)
        assert path.stat().st_size < 100_000
    elif make == "huge photo":  # whose coefficients take much memory at any scale
        Image.new("L", (8_000, 7_000)).save(path, "JPEG", progressive=True)
    elif make == "blank":
        Image.new("L", (50, 50), 255).save(path)
    else:
        path.write_text("<svg/>" if make == "svg" else "not a picture")
    with pytest.raises(ValueError, match=says):
        image.read_digit(path)


def test_binarized_test_digits_are_the_test_digits_drawn_once(monkeypatch, tmp_path):
    mnist.binarized_test.cache_clear()
    x = mnist.binarized_test()
    assert x.shape == (10_000, 1, 28, 28)
    assert x.unique().tolist() == [0, 1]
    assert (x.mean(0) - mnist.pixels(mnist.test()[0]).mean(0)).abs().max() < 0.03  # in another order, with chance of its own
    mnist.binarized_test.cache_clear()
    np.savez_compressed(tmp_path / "binarized-mnist-test.npz", test=np.zeros((10_000, 98), np.uint8))
    monkeypatch.setattr(mnist, "ASSETS", tmp_path)
    with pytest.raises(mnist.DataError, match="not the ones that the others measured with"):
        mnist.binarized_test()
