"""The digits: shipped, verified, and refused by name where they are missing or changed."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

from dgm_models.data import SETS, emoji, mnist, points


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


def test_the_emoji_that_ship_are_the_same_ones_in_two_styles():
    x, style = SETS["emoji"].shown()
    one, other = (x[style == at].float() for at in (0, 1))
    assert len(one) == len(other) == len(emoji.names())
    off = torch.cdist(one.flatten(1), other.flatten(1))
    assert off.diagonal().median() < 0.7 * off.median()


def test_both_hands_write_as_large():
    x, hand = SETS["hands"].shown()
    assert x.shape[1:] == SETS["usps"].space.shape
    tall = [(x[hand == at] > 64).any(3)[:, 0].sum(1).float().mean() for at in (0, 1)]
    assert tall[1] - 2.5 < tall[0] <= tall[1]
    assert (hand == 0).sum() == (hand == 1).sum() == 500
