"""Generators and critics of small pictures as each year had them, of about as many parameters: what changed is the idea. All take codes and
labels, and none but the coupled ones heed the labels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm_models.networks.adversarial import leaky

SIDE, START = 16, 4  # of the pictures, and of what the convolutions begin with
GROWN = (0.25, 0.55)  # shares of training at which a network that grows begins to look at 8 x 8 and at 16 x 16 pixels
FADE = 0.1  # of training, in which a new size fades in
WILD = 10.0  # turns of a sine, whose values then look like chance


class Opponents(nn.Module):
    """A generator and its critic, of pictures (channels, SIDE, SIDE)."""

    def __init__(self, channels: int, generator: nn.Module, critic: nn.Module) -> None:
        super().__init__()
        self.shape, self.generator, self.critic = (channels, SIDE, SIDE), generator, critic

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """The part whose calls a receipt counts."""
        return (self.generator,)

    def grow(self, share: float) -> None:
        """Told how much of training is over, in [0, 1]; most do not mind."""
        return


class Perceptrons(Opponents):
    """2014: layers in which everything hears everything (Goodfellow et al., 2014)."""

    def __init__(self, latent: int, channels: int = 3, width: int = 384) -> None:
        size = channels * SIDE**2
        layers = [nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, size), nn.Tanh()]
        generator = Alone(nn.Sequential(*layers, nn.Unflatten(1, (channels, SIDE, SIDE))))
        judge = [nn.Flatten(), nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(width, width), nn.LeakyReLU(0.2)]
        super().__init__(channels, generator, Alone(nn.Sequential(*judge, nn.Dropout(0.3), nn.Linear(width, 1), nn.Flatten(0))))


class Alone(nn.Module):
    """Layers that heed no label."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.layers(x)


class Deep(Opponents):
    """2015: convolutions with strides, batch normalization, no pooling (Radford et al., 2016: DCGAN)."""

    def __init__(self, latent: int, channels: int = 3, width: int = 88) -> None:
        generator = nn.Sequential(*_begun(latent, 2 * width), *_larger(2 * width, width), *_painted(width, channels))
        super().__init__(channels, Alone(generator), Alone(nn.Sequential(*_smaller(channels, width), *_judged(width))))
        self.apply(_as_published)


def _begun(latent: int, width: int) -> list[nn.Module]:
    return [nn.Linear(latent, width * START**2, bias=False), nn.Unflatten(1, (width, START, START)), nn.BatchNorm2d(width), nn.ReLU()]


def _larger(before: int, after: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


def _painted(width: int, channels: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh()]


def _smaller(channels: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]


def _judged(width: int) -> list[nn.Module]:
    inner = [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
    return [*inner, nn.Flatten(), nn.Linear(2 * width * START**2, 1), nn.Flatten(0)]


def _as_published(part: nn.Module) -> None:
    """Weights of a standard deviation of 0.02 (Radford et al., 2016)."""
    if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(part.weight, std=0.02)


class Coupled(Opponents):
    """2016: two generators of two kinds of pictures that share their first layers, two critics that share their last ones (Liu and Tuzel,
    2016): one code makes a pair, though no pair was ever seen. Labels below `first` are of one kind, the others of the other."""

    def __init__(self, latent: int, first: int, channels: int = 3, width: int = 68) -> None:
        heads = [nn.Sequential(*_larger(2 * width, width), *_painted(width, channels)) for _ in range(2)]
        eyes = [nn.Sequential(*_smaller(channels, width)) for _ in range(2)]
        super().__init__(
            channels,
            TwoHeads(nn.Sequential(*_begun(latent, 2 * width)), nn.ModuleList(heads), first),
            TwoEyes(nn.ModuleList(eyes), nn.Sequential(*_judged(width)), first),
        )
        self.apply(_as_published)


class TwoHeads(nn.Module):
    """What is shared, and then one of two heads, as the label says."""

    def __init__(self, shared: nn.Module, heads: nn.ModuleList, first: int) -> None:
        super().__init__()
        self.shared, self.heads, self.first = shared, heads, first

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = self.shared(z)
        one, other = (head(h) for head in self.heads)
        return torch.where((y < self.first).view(-1, 1, 1, 1), one, other)


class TwoEyes(nn.Module):
    """One of two eyes, and then what is shared."""

    def __init__(self, eyes: nn.ModuleList, shared: nn.Module, first: int) -> None:
        super().__init__()
        self.eyes, self.shared, self.first = eyes, shared, first

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        one, other = (eye(x) for eye in self.eyes)
        return self.shared(torch.where((y < self.first).view(-1, 1, 1, 1), one, other))


class Growing(Opponents):
    """2017: pictures of 4 x 4, then of 8 x 8, then of 16 x 16, each new size faded in (Karras et al., 2018). `styled`, 2018: a mapping of
    the code steers every layer, which begins with a constant and hears noise (Karras et al., 2019). Not `grows`, and `even`, 2019: kernels
    are scaled instead of normalized activations, colours of all sizes are added up (Karras et al., 2020)."""

    def __init__(
        self, latent: int, channels: int = 3, width: int = 84, styled: bool = False, even: bool = False, grows: bool = True
    ) -> None:
        generator = Styled(latent, channels, width, even) if styled else Plain(latent, channels, width)
        super().__init__(channels, generator, Shrinking(channels, width, residual=even))
        self.grows = grows
        self.grow(1.0)

    def grow(self, share: float) -> None:
        """Told how much of training is over: how many sizes are there, and how far the last of them has faded in."""
        level, fade = 2, 1.0
        if self.grows:
            begun = [at for at in GROWN if share >= at]
            level = len(begun)
            fade = min(1.0, (share - begun[-1]) / FADE) if begun else 1.0
        for part in (self.generator, self.critic):
            part.level, part.fade = level, fade


def _level(x: Tensor) -> Tensor:
    """Each place of one length over its channels."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


class Plain(nn.Module):
    """The generator of 2017: convolutions at each size, normed place by place; what a size shows is enlarged to the whole."""

    level, fade = 2, 1.0

    def __init__(self, latent: int, channels: int, width: int) -> None:
        super().__init__()
        self.start, self.width = nn.Linear(latent, width * START**2), width
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.blocks = nn.ModuleList(nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2)) for _ in range(2))
        self.colours = nn.ModuleList(nn.Conv2d(width, channels, 1) for _ in range(3))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = leaky(self.start(_level(z))).view(len(z), self.width, START, START)
        h = _level(leaky(self.first(_level(h))))
        shown = before = self.colours[0](h)
        for at in range(self.level):
            h = _doubled(h)
            for layer in self.blocks[at]:
                h = _level(leaky(layer(h)))
            before, shown = _doubled(shown), self.colours[at + 1](h)
            if at == self.level - 1 and self.fade < 1:
                shown = torch.lerp(before, shown, self.fade)
        return F.interpolate(shown, (SIDE, SIDE), mode="nearest")


class Styled(nn.Module):
    """The generators of 2018, and `even`, of 2019."""

    level, fade = 2, 1.0

    def __init__(self, latent: int, channels: int, width: int, even: bool) -> None:
        super().__init__()
        self.even = even
        self.map = nn.ModuleList(nn.Linear(latent, latent) for _ in range(3))
        self.constant = nn.Parameter(torch.randn(1, width, START, START))
        sides = [START, *(START * 2 ** (at + 1) for at in range(2) for _ in range(2))]
        self.layers = nn.ModuleList(Steered(width, latent, side, even, seed) for seed, side in enumerate(sides))
        self.colours = nn.ModuleList(nn.Conv2d(width, channels, 1) for _ in range(3))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        w = _level(z)
        for layer in self.map:
            w = leaky(layer(w))
        h = self.layers[0](self.constant.expand(len(z), -1, -1, -1), w, z)
        shown = self.colours[0](h)
        for at in range(self.level):
            h = _doubled(h)
            for k in (1, 2):
                h = self.layers[2 * at + k](h, w, z)
            before, shown = _doubled(shown), self.colours[at + 1](h)
            if self.even:
                shown = (before + shown) / 2**0.5
            elif at == self.level - 1 and self.fade < 1:
                shown = torch.lerp(before, shown, self.fade)
        return F.interpolate(shown, (SIDE, SIDE), mode="nearest")


class Steered(nn.Module):
    """A convolution that a style steers: each channel of its normed answer is scaled and shifted (2018), or its kernel is scaled and its
    length kept (`even`, 2019). It also hears noise, which is a function of the code, so that a code has one picture."""

    def __init__(self, width: int, latent: int, side: int, even: bool, seed: int) -> None:
        super().__init__()
        self.even = even
        grain = WILD * torch.randn(latent, side, side, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("grain", grain, persistent=False)
        self.weight = nn.Parameter(torch.randn(width, width, 3, 3) / (9 * width) ** 0.5)
        self.bias, self.loud = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.style = nn.Linear(latent, width if even else 2 * width)

    def forward(self, h: Tensor, w: Tensor, z: Tensor) -> Tensor:
        n, width, high, wide = h.shape
        noise = 2**0.5 * torch.einsum("nl,lhw->nhw", z, self.grain).float().sin()[:, None]
        if self.even:
            weight = self.weight * (1 + self.style(w))[:, None, :, None, None]
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
            made = F.conv2d(h.reshape(1, n * width, high, wide), weight.flatten(0, 1).to(h.dtype), padding=1, groups=n).view(h.shape)
            return leaky(made + self.loud.view(-1, 1, 1) * noise + self.bias.view(-1, 1, 1))
        made = F.conv2d(h, self.weight, self.bias, padding=1) + self.loud.view(-1, 1, 1) * noise
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)
        return F.instance_norm(leaky(made)) * (1 + scale) + shift


class Shrinking(nn.Module):
    """The critic of 2017 and later: from the largest size that is there down to 4 x 4, where it also hears how much a batch varies.
    `residual`, 2019: past each size leads a way around."""

    level, fade = 2, 1.0

    def __init__(self, channels: int, width: int, residual: bool) -> None:
        super().__init__()
        self.residual = residual
        self.enter = nn.ModuleList(nn.Conv2d(channels, width, 1) for _ in range(3))
        self.blocks = nn.ModuleList(nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2)) for _ in range(2))
        self.last = nn.Conv2d(width + 1, width, 3, padding=1)
        self.out = nn.Sequential(nn.Flatten(), nn.Linear(width * START**2, width), nn.LeakyReLU(0.2), nn.Linear(width, 1), nn.Flatten(0))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = F.avg_pool2d(x, 2 ** (2 - self.level)) if self.level < 2 else x
        h = leaky(self.enter[self.level](x))
        for at in reversed(range(self.level)):
            inner = h
            for layer in self.blocks[at]:
                inner = leaky(layer(inner))
            h = F.avg_pool2d((h + inner) / 2**0.5 if self.residual else inner, 2)
            if at == self.level - 1 and self.fade < 1:
                h = torch.lerp(leaky(self.enter[at](F.avg_pool2d(x, 2))), h, self.fade)
        varied = h.std(0, correction=0).mean().expand(len(h), 1, START, START)
        return self.out(leaky(self.last(torch.cat([h, varied], 1))))
