"""The causal prior: a learned graph without cycles decides which dimension acts on which."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from otae.interfaces import Prior

from .choice import gumbel
from .separate import Separate
from .standardize import Standardize


class Causal(Prior):
    r"""Creates a prior whose dimensions act on one another along a learned directed graph without cycles.

    $$h^{(l + 1)}_j = h^{(l)}_j + \mathrm{MLP}^{(l)}_j\big(h^{(l)} \odot (I + A)_{\cdot j}\big), \qquad
    A_{ij} = [\, s_i < s_j \,] \, [\, e_{ij} > 0 \,], \qquad h^{(0)} = \varepsilon, \quad z = \mathrm{BN}(h^{(L)})$$

    The score s of each dimension puts them in order, and an edge leads only to a later dimension: no values of the
    parameters can make a cycle. Each layer carries effects along one edge, so that a draw's dimension is a function of the
    noise of itself and of its causes up to L edges away, and of nothing else; `adjacency` tells A.

    In training, a graph is drawn anew for each batch, its scores under Gumbel noise and its edges under logistic noise. It
    is exact on the way forward; backwards, the brackets are sigmoids of the temperature. In evaluation, the graph is the
    one without noise, and the running moments are its own. The law has no tractable density.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        layers: The number of layers L; effects travel along L edges at the most.
        width: The width of the hidden layer of each dimension's network.
        temperature: The temperature of the sigmoids in the gradient.

    Attributes:
        scores: The scores s of the order, with shape (latent_dim,).
        edges: The scores e of the edges, with shape (latent_dim, latent_dim).

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

        Differentiable DAG Sampling (Charpentier et al., 2022)
        https://arxiv.org/abs/2203.08509

    Examples:
        >>> prior = Causal(latent_dim=3).eval()
        >>> prior.scores.data, prior.edges.data = torch.tensor([2.0, 1.0, 3.0]), torch.ones(3, 3)
        >>> prior.adjacency().tolist()  # 1 acts on 0, and both on 2
        [[0, 0, 1], [1, 0, 1], [0, 0, 0]]
    """

    def __init__(
        self,
        latent_dim: int,
        layers: Annotated[int, Field(gt=0, le=256)] = 3,
        width: Annotated[int, Field(gt=0)] = 8,
        temperature: Annotated[float, Field(gt=0)] = 1.0,
    ) -> None:
        super().__init__(latent_dim)
        self.temperature = temperature
        self.scores = nn.Parameter(torch.randn(latent_dim))
        self.edges = nn.Parameter(torch.ones(latent_dim, latent_dim))
        self.layers = nn.ModuleList(Separate(latent_dim, [latent_dim, width, 1]) for _ in range(layers))
        self.standardize = Standardize(latent_dim)

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        noise, graph = self.normal(count, self.latent_dim, generator=generator), self.adjacency().to(self.edges)
        if not self.training:
            return self.forward(noise, graph)
        with torch.no_grad():
            settled = self.effects(noise, graph)
        result: Tensor = self.standardize(self.effects(noise, self.drawn_graph(generator)), followed=settled)
        return result

    def forward(self, noise: Tensor, graph: Tensor) -> Tensor:
        """Returns the draws that stem from the noise under a graph, with shape (N, latent_dim).

        Args:
            noise: Standard normal noise, with shape (N, latent_dim).
            graph: The adjacency matrix A, with shape (latent_dim, latent_dim).
        """
        result: Tensor = self.standardize(self.effects(noise, graph))
        return result

    def effects(self, noise: Tensor, graph: Tensor) -> Tensor:
        """Returns what the layers make of the noise, before standardisation, with shape (N, latent_dim).

        Args:
            noise: Standard normal noise, with shape (N, latent_dim).
            graph: The adjacency matrix A, with shape (latent_dim, latent_dim).
        """
        seen, h = graph + torch.eye(self.latent_dim).to(graph), noise
        for layer in self.layers:
            h = h + layer(h.T * seen.T[:, :, None])  # each layer sees (effects, causes, N)
        return h

    @property
    def graph(self) -> Tensor:
        """Returns the graph in evaluation, as `adjacency` does."""
        return self.adjacency()

    def adjacency(self) -> Tensor:
        """Returns the graph in evaluation, whole numbers with shape (latent_dim, latent_dim): 1 where i acts on j."""
        with torch.no_grad():
            return ((self.scores[:, None] < self.scores) & (self.edges > 0)).long()

    def drawn_graph(self, generator: Generator | None = None) -> Tensor:
        """Returns a graph drawn under noise, zeros and ones with gradients, with shape (latent_dim, latent_dim).

        Args:
            generator: The source of randomness; torch's global one where `None`.
        """
        size = self.latent_dim
        scores = self.scores + gumbel(self.uniform(size, generator=generator))
        leads = scores - scores[:, None]  # how far j is behind i in the order
        edges = self.edges + torch.logit(self.uniform(size, size, generator=generator), eps=1e-6)
        soft = (leads / self.temperature).sigmoid() * (edges / self.temperature).sigmoid()
        soft = soft * (1 - torch.eye(size).to(soft))
        hard = ((leads > 0) & (edges > 0)).to(soft)
        return hard + (soft - soft.detach())  # exactly hard, with the gradient of soft

    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}"
