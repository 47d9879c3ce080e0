"""The palette of a picture: a few colours that it is made of, from dark to light."""

from __future__ import annotations

import torch
from torch import Tensor

COLOURS = 5
LIGHTNESS = 0.3  # of a difference in lightness counts against one in colour: grey holds the rest already
ROUNDS, PART = 8, 500


def palettes(x: Tensor) -> Tensor:
    """Pictures (n, 3, h, w) in [0, 1] -> their palettes, themselves pictures (n, 3, 1, COLOURS): the means of clusters of pixels (Lloyd,
    1982), which begin where lightness parts them evenly, so that they are a function of the picture alone."""
    return torch.cat([_of(part) for part in x.split(PART)])


def _of(x: Tensor) -> Tensor:
    colours = x.flatten(2).transpose(1, 2)  # (n, pixels, 3)
    grey = colours.mean(2, keepdim=True)
    apart = torch.cat([LIGHTNESS * 3**0.5 * grey, colours - grey], 2)
    first = (torch.arange(COLOURS) + 0.5) / COLOURS * colours.shape[1]
    middles = apart.gather(1, grey.sort(1).indices[:, first.long()].expand(-1, -1, 4))
    for _ in range(ROUNDS):
        nearest = torch.nn.functional.one_hot(torch.cdist(apart, middles).argmin(2), COLOURS).to(x.dtype)
        count = nearest.sum(1)[..., None]
        middles = torch.where(count > 0, nearest.transpose(1, 2) @ apart / count.clamp_min(1), middles)
    empty = middles[..., :1] / (LIGHTNESS * 3**0.5) + middles[..., 1:]  # the colour that the middle of a cluster without pixels stands for
    means = torch.where(count > 0, nearest.transpose(1, 2) @ colours / count.clamp_min(1), empty)
    order = means.mean(2, keepdim=True).sort(1).indices.expand(-1, -1, 3)
    return means.gather(1, order).clamp(0, 1).transpose(1, 2)[:, :, None]
