"""Ways between codes that turn around the origin instead of crossing it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def along_arcs(a: Tensor, b: Tensor, fractions: Tensor) -> Tensor:
    r"""Returns codes on arcs around the origin, with shape (N, T, D).

    $$z_t = \big((1 - t)\, \|a\| + t\, \|b\|\big) \, \big(\cos(t \theta)\, u + \sin(t \theta)\, v\big),
    \qquad u = a / \|a\|, \quad \theta = \angle(a, b)$$

    Here v is the direction at a right angle to u that leads to b: the way is a great circle where both ends are
    equally far from the origin. Between opposite codes any v would do, and one is taken; on the line there is none.

    Args:
        a: Where the ways begin, with shape (N, D).
        b: Where they end, with shape (N, D).
        fractions: The shares of the way that are done, with shape (T,).
    """
    u, w = F.normalize(a, dim=1), F.normalize(b, dim=1)
    angle = 2 * torch.atan2((u - w).norm(dim=1), (u + w).norm(dim=1))  # exact for small angles, unlike an arc cosine
    steps = (angle[:, None] * fractions)[:, :, None]  # (N, T, 1)
    radii = torch.lerp(a.norm(dim=1)[:, None], b.norm(dim=1)[:, None], fractions)[:, :, None]
    return radii * (steps.cos() * u[:, None] + steps.sin() * _right_angle(u, w)[:, None])


def _right_angle(u: Tensor, w: Tensor) -> Tensor:
    toward = w - (w * u).sum(1, keepdim=True) * u
    axis = F.one_hot(u.abs().argmin(1), u.shape[1]).to(u)  # the axis that is farthest from u
    spare = axis - (axis * u).sum(1, keepdim=True) * u
    lost = toward.norm(dim=1, keepdim=True) < torch.finfo(u.dtype).eps ** 0.5
    opposite = lost & ((u * w).sum(1, keepdim=True) < 0)
    return F.normalize(torch.where(opposite, spare, toward), dim=1)
