"""The rehearsal: one dry call of every part on a tiny batch before the training, by the rules of the conformance suites."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..build import Parts
from ..clouds import Clouds
from ..contracts import require_law, require_scalar, require_shape
from ..errors import ConfigError, OtaeError
from ..faults import blaming, make_fault
from ..interfaces import Dataset, Encoder, Prior
from ..term import Term
from .randomness import seeded

_TINY, _DRAWS = 4, 64


def rehearse(make: Callable[[], Parts], dataset: Dataset, indices: Sequence[int]) -> None:
    """Checks that all parts do on a batch what training asks of them, with fresh parts that are thrown away.

    Where a tiny batch is too small for a part, which a batch of training is not, the whole batch decides.

    Args:
        make: What builds the parts.
        dataset: The data.
        indices: The samples of the first batch.

    Raises:
        PartError: If a part fails, or returns what is no law, cut from the graph, not finite, or of a wrong shape or type.
        OtaeError: If a part refuses the whole batch.
    """
    for size in sorted({min(_TINY, len(indices)), len(indices)}):
        samples = read_samples(dataset, indices[:size])
        try:
            with seeded(0), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # training warns of what it meets
                _rehearse(make(), samples)
        except OtaeError:
            if size == len(indices):
                raise
        else:
            return


def read_samples(dataset: Dataset, indices: Sequence[int]) -> Tensor:
    """Returns some samples, checked.

    Args:
        dataset: The data.
        indices: Which of them.

    Raises:
        PartError: If the dataset fails, or gives what is no batch of samples.
    """
    with blaming("data", dataset):
        batch = dataset.__getitems__([int(each) for each in indices])
    cure = "Return one floating-point tensor of shape data_shape a sample; labels go into self.labels."
    samples = require_shape(batch, (len(indices), *dataset.data_shape), dataset, "samples", cure)
    if not samples.is_floating_point():
        raise make_fault(dataset, f"returned samples of type {samples.dtype}", "Call .float() on them.")
    if not bool(samples.isfinite().all()):
        raise make_fault(
            dataset, "returned samples with NaN or infinity", "Clean the data, or refuse them with a DataError."
        )
    return samples


def _rehearse(parts: Parts, samples: Tensor) -> None:
    model, objective = parts.model, parts.objective
    x = samples.to(next((each.dtype for each in model.parameters()), torch.get_default_dtype()))
    _check_prior(model.prior)
    with blaming("model.encoder", model.encoder):
        codes = _check_law(model.encoder, x)
    with blaming("model.decoder", model.decoder):
        clouds = Clouds(model, x)
        cure = "Bound any exp, and do not divide by N - 1."
        _require_finite(clouds["reconstruction"].points, model.decoder, "samples", cure)
        _require_type(clouds["reconstruction"].points, codes, model.decoder, "codes", "samples")
    learned = [each for each in (*model.parameters(), *objective.minimised()) if each.requires_grad]
    trains = []
    for name, term in objective:
        with blaming(f"objective.{name}", term.cost):
            trains.append(_check_term(term, clouds, learned))
    if not any(trains):
        raise ConfigError(
            "objective: no term depends on what is trained. Compare a cloud that the model makes, such as code."
        )
    for losses in objective.adversary_losses(model, x):
        for name, loss in losses.items():
            cost = dict(objective)[name].cost
            _require_finite(require_scalar(loss, cost), cost, "an adversary's loss", "Bound any log or square root.")


def _check_prior(prior: Prior) -> None:
    with blaming("model.prior", prior):
        cure = "Draw shape (count, latent_dim)."
        draws = require_shape(prior.sample(_DRAWS), (_DRAWS, prior.latent_dim), prior, "draws", cure)
        _require_finite(draws, prior, "draws", "Do not divide by a batch's spread or by N - 1.")
        cure = "Draw noise with self.normal or self.uniform, and keep constants as buffers."
        if draws.dtype != torch.get_default_dtype():
            raise make_fault(
                prior, f"draws {draws.dtype}, where {torch.get_default_dtype()} is needed", cure, "model.prior"
            )
        prior.eval()
        first, second = (_draw(prior, seed) for seed in range(2))
        prior.train()
    if not torch.equal(first, second):
        cure = "Hand the generator on to every self.normal and self.uniform, and draw nothing from torch's or NumPy's global one."
        raise make_fault(prior, "draws differently from the same generator in `sample`", cure, "model.prior")


def _draw(prior: Prior, seed: int) -> Tensor:
    """Returns draws by one generator, under another global random state each time."""
    with seeded(seed), torch.no_grad():
        return prior.sample(_DRAWS, torch.Generator().manual_seed(0))


def _check_law(encoder: Encoder, x: Tensor) -> Tensor:
    law = require_law(encoder(x), encoder)
    shapes, wanted = (tuple(law.batch_shape), tuple(law.event_shape)), ((len(x),), (encoder.latent_dim,))
    if shapes != wanted:
        cure = "Wrap laws of single entries in torch.distributions.Independent(law, 1)."
        raise make_fault(encoder, f"returned a law of batch and event shapes {shapes}, where {wanted} are needed", cure)
    if not law.has_rsample:
        cure = "Costs train the encoder through its draws: return a law with rsample."
        raise make_fault(encoder, f"returned a law, {type(law).__name__}, without rsample", cure)
    codes = law.rsample()
    _require_finite(codes, encoder, "codes", "Bound the deviation, clamp before any log, and do not divide by N - 1.")
    _require_type(codes, x, encoder, "samples", "codes")
    return codes


def _check_term(term: Term, clouds: Clouds, learned: list[torch.nn.Parameter]) -> bool:
    """Returns whether a term trains anything, once it is checked."""
    value = term(clouds)
    _require_finite(value, term.cost, "a value", "Bound any log, root or division.")
    sides = [clouds[names] for names in (term.source, term.target) if names is not None]
    if not value.requires_grad:
        if term.weight != 0 and any(side.points.requires_grad for side in sides):
            cure = "Look for .item(), .detach(), .numpy() or no_grad in its forward; a term that is only watched has weight 0."
            raise make_fault(term.cost, "returned a value that is cut from the graph, and would train nothing", cure)
        return False
    gradients = torch.autograd.grad(value, learned, retain_graph=True, allow_unused=True)
    for gradient in gradients:
        if gradient is not None:
            cure = "A root or norm has no gradient at 0: add a small number before it, or use a subgradient."
            _require_finite(gradient, term.cost, "a gradient", cure)
    return True


def _require_finite(values: Tensor, part: object, what: str, cure: str) -> None:
    if not bool(values.isfinite().all()):
        raise make_fault(part, f"gives {what} with NaN or infinity before any training", cure)


def _require_type(values: Tensor, like: Tensor, part: object, given: str, what: str) -> None:
    if values.dtype != like.dtype:
        cure = "Create tensors like the input (x.new_zeros), and keep constants as buffers."
        raise make_fault(part, f"makes {what} of type {values.dtype} from {given} of type {like.dtype}", cure)
