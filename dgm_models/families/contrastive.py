"""The contrastive encoder: pictures and captions become points of one sphere, where those that belong together are near each other (Radford
et al., 2021: CLIP). Not a generative model, but what the models of text to image are built on."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.contracts import Learner
from dgm_models.modalities import caption
from dgm_models.spaces import Pixels

SAID_IN_FULL = 0.15  # the share of captions that leave nothing out
FLIPPED, EXCHANGED = 5, 2  # captions beside a picture's own that say something wrong; in how many of them things have changed places
MEASURED, PART = 5_000, 250  # pictures that the sphere is measured with, and that are looked at at once
HOTTEST = 4.6  # log of 100, which cosines are multiplied with at most


class Contrastive(Learner):
    """network.look(signals) and network.hear(words) -> (n, size), of length 1.

    Beside the other captions of a batch, each picture is told from a few that say something wrong (Yuksekgonul et al., 2023), for in a
    batch of chance a few attributes are enough to know a picture by. exchanged: in some of them two things have changed places; without
    those, a caption is a bag of words, and its colours belong to nothing.
    """

    def __init__(self, network: nn.Module, space: Pixels, exchanged: bool = True) -> None:
        super().__init__()
        self.network, self.space, self.classes, self.exchanged = network, space, 0, EXCHANGED if exchanged else 0

    @torch.no_grad()
    def look(self, x: Tensor) -> Tensor:
        """Embeddings of pictures (n, *shape) in [0, 1], (n, size)."""
        return self.network.look(self.space.to_signal(self.space.check(x)))

    @torch.no_grad()
    def hear(self, texts: list[str]) -> Tensor:
        """Embeddings of captions, (n, size). ValueError for one of which no word is known."""
        return self.network.hear(caption.read(texts))

    def wrong(self, rows: Tensor) -> Tensor:
        """Of what is said of pictures (n, caption.NAMES) something else each, FLIPPED times, (FLIPPED n, caption.NAMES)."""
        return torch.cat([(swapped if i < self.exchanged else one_wrong)(rows) for i in range(FLIPPED)])

    def finish(self, x: Tensor, y: Tensor) -> None:
        self.network.sphere.measure(torch.cat([self.look(part) for part in x[:: max(1, len(x) // MEASURED)].split(PART)]))

    def loss(self, x: Tensor, y: Tensor, player: str = "model") -> Tensor:
        """Cross-entropy in nats, of each caption's picture among those of the batch, and of each picture's caption among them and those
        that say something wrong of it."""
        rows = left_out(y.cpu())
        wrong = self.wrong(rows)
        seen = self.network.look(self.space.to_signal(x))
        heard = self.network.hear(spelt(torch.cat([rows, wrong])).to(x.device))
        n, warmth = len(x), self.network.warmth.clamp_max(HOTTEST).exp()
        alike = warmth * seen @ heard[:n].T
        near = warmth * (seen[:, None] * heard[n:].view(FLIPPED, n, -1).transpose(0, 1)).sum(2)
        # nobody shall learn that what is held out is never right
        near = near.masked_fill(caption.is_held_out(wrong).view(FLIPPED, n).T.to(x.device), -torch.inf)
        own = torch.arange(n, device=x.device)
        # a caption that says little fits several pictures of a batch: to be near them is no mistake
        fits = ((rows[None] == caption.UNSAID) | (rows[None] == y.cpu()[:, None])).all(2).to(x.device)
        alike = alike.masked_fill(fits & ~torch.eye(n, dtype=torch.bool, device=x.device), -torch.inf)
        return (F.cross_entropy(torch.cat([alike, near], 1), own) + F.cross_entropy(alike.T, own)) / 2


class OnEmbeddings(Learner):
    """Learns of pictures and captions through a trained encoder, its teacher, which is no part of it: afterwards it takes embeddings."""

    _teacher: tuple[Contrastive, ...] = ()  # in a tuple, where torch does not find it

    @property
    def encoder(self) -> nn.Module:
        return self._teacher[0].network

    def lessons(self, teacher: Learner | None) -> Iterator[str]:
        self._teacher = (teacher,)
        yield ""

    def age(self, share: float) -> None:
        self.encoder.to(next(self.parameters()).device)


def left_out(rows: Tensor) -> Tensor:
    """Attributes (n, caption.NAMES) of which some are no longer said, any share of them, by torch's own stream; the kind always is."""
    gone = torch.rand(rows.shape) < torch.rand(len(rows), 1)
    gone &= torch.rand(len(rows), 1) > SAID_IN_FULL
    gone[:, 0] = False
    return rows.masked_fill(gone, caption.UNSAID)


def one_wrong(rows: Tensor) -> Tensor:
    """The same with one of what is said, beside the kind, said wrong; where nothing else is said, the kind."""
    counts = torch.tensor([len(each) for each in caption.ATTRIBUTES.values()])
    said = (rows != caption.UNSAID).float()
    said[:, 0] = (said[:, 1:].sum(1) == 0).float()
    at = torch.multinomial(said, 1)
    off = 1 + (torch.rand(len(rows), 1) * (counts[at] - 1)).long()
    return rows.scatter(1, at, (rows.gather(1, at) + off) % counts[at])


def swapped(rows: Tensor) -> Tensor:
    """The same with the words of one pair of caption.PAIRED in each other's place, by torch's own stream; where they cannot be, and now
    and then, with one thing said wrong."""
    found = one_wrong(rows)
    for pair in caption.PAIRED:
        traded, fits = caption.trade(rows, pair)
        fits &= torch.rand(len(rows)) < 0.7
        found = torch.where(fits[:, None], traded, found)
    return found


def spelt(rows: Tensor) -> Tensor:
    """The words of what is said, (n, caption.MOST_WORDS)."""
    return caption.read([caption.caption(row) for row in rows.tolist()])
