"""Data sets in the format of MNIST: four files of bytes, or the Hub, verified either way by the sha256 of pixels and labels."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dgm_models.data.dataset import DataError


@dataclass(frozen=True)
class Idx:
    """Pictures and labels of one data set. `folder`: its name below DGM_DATA; `sha256`: of "train images", "test labels" and so on."""

    title: str
    folder: str
    hub: str
    sha256: dict[str, str]

    def load(self, part: str) -> tuple[Tensor, Tensor]:
        """ "train" or "test", from the folder that DGM_DATA names, else from the Hub: uint8 (n, 1, h, w) and labels int64 (n,).
        DataError where it is not there or is not the original."""
        root = os.environ.get("DGM_DATA")
        return self.verified(*(self.read(Path(root) / self.folder, part, root) if root else self._from_hub(part)), part)

    def read(self, folder: Path, part: str, root: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The two files of a part as they lie in a folder."""
        prefix = {"train": "train", "test": "t10k"}[part]
        paths = [folder / f"{prefix}-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]
        for path in paths:
            if not path.is_file():
                raise DataError(
                    f"no {self.title}: DGM_DATA is {root}, but {path} is missing. Put it there, or "
                    f"unset DGM_DATA to take the Hub data set {self.hub}"
                )
        return _array(paths[0], self.title), _array(paths[1], self.title)

    def verified(self, images: np.ndarray, labels: np.ndarray, part: str) -> tuple[Tensor, Tensor]:
        for what, array in (("images", images), ("labels", labels)):
            found = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
            if found != self.sha256[f"{part} {what}"]:
                raise DataError(f"the {self.title} {part} {what} are not the original ones: sha256 {found[:16]}..., shape {array.shape}")
        return torch.from_numpy(images.copy())[:, None], torch.from_numpy(labels.astype(np.int64))

    def _from_hub(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        try:
            from datasets import load_dataset

            rows = load_dataset(self.hub, split=part).with_format("numpy")
            return np.stack(rows["image"]).astype(np.uint8), np.asarray(rows["label"], np.uint8)
        except Exception as error:
            raise DataError(
                f"no {self.title}. Either set DGM_DATA to a folder that holds {self.folder}/train-images-idx3-ubyte.gz and "
                f"{self.folder}/train-labels-idx1-ubyte.gz, or let the `datasets` library reach the Hub data set {self.hub} "
                f"(pip install -r requirements-dev.txt; a network is needed once). It said: {type(error).__name__}: {error}"
            ) from error


def _array(path: Path, title: str) -> np.ndarray:
    try:
        raw = gzip.decompress(path.read_bytes())
        dimensions = raw[3]
        shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DataError(f"{path}: expected the original {title} file, but {type(error).__name__}: {error}") from error
