"""Priors in use: components, ways between codes, traversals, and priors that are fitted to codes after training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakes import Keeper, Late, LinearDecoder, LinearEncoder, Standard, Twin
from PIL import Image
from torch import Generator, Tensor
from typer.testing import CliRunner

import otae
from otae import Autoencoder, Run, load_config
from otae.cli.app import app
from otae.cli.arrays import write
from otae.errors import CloudError
from otae.training import fit, split
from otae.training.module import Engine

Z = torch.randn(7, 2, generator=Generator().manual_seed(0))


@pytest.fixture
def twin() -> Autoencoder:
    """Returns an untrained autoencoder with a prior of two components."""
    return Autoencoder(LinearEncoder((6,), 2), LinearDecoder(2, (6,)), Twin(2))


@pytest.fixture
def make(tmp_path: Path, values: dict[str, Any]) -> Callable[..., Run]:
    """Returns a function that trains a run of fakes with a prior."""

    def made(prior: str, name: str = "run", epochs: int = 1) -> Run:
        run = Run.create(tmp_path / name, load_config(values, [f"model.prior={prior}", f"training.epochs={epochs}"]))
        fit(run)
        return run

    return made


def told(status: int, *arguments: str | Path) -> str:
    """Returns what a command of `otae` printed, in one line, and checks its exit status."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


@pytest.mark.parametrize(("component", "sign"), [(0, 1), (1, -1)])
def test_a_component_is_drawn_alone(twin: Autoencoder, component: int, sign: int) -> None:
    codes = twin.sample_codes(100, component=component, generator=Generator().manual_seed(1))
    assert (sign * codes.mean(1) > 0).all()
    decoded = twin.sample(100, component=component, generator=Generator().manual_seed(1), batch_size=7)
    torch.testing.assert_close(decoded, twin.decode(codes))


def test_without_a_component_all_are_drawn(twin: Autoencoder) -> None:
    shares = (twin.sample_codes(4000, generator=Generator().manual_seed(0)).mean(1) > 0).float().mean()
    assert shares.item() == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("component", [-1, 2])
def test_a_component_that_is_not_there_is_refused(twin: Autoencoder, component: int) -> None:
    with pytest.raises(CloudError, match=f"no component {component}: the prior has 2, counted from 0"):
        twin.sample(3, component=component)


def test_a_prior_that_is_no_mixture_has_no_component(model: Autoencoder) -> None:
    with pytest.raises(CloudError, match="The prior Standard has no components: leave the component out"):
        model.sample(3, component=0)


@pytest.mark.parametrize("batch_size", [1, 8, 1000])
def test_a_way_is_a_straight_line_unless_the_prior_says_otherwise(model: Autoencoder, batch_size: int) -> None:
    a, b = Z[:3], Z[3:6]
    expected = torch.stack([model.decode(a + t * (b - a)) for t in (0.0, 0.25, 0.5, 0.75, 1.0)], 1)
    torch.testing.assert_close(model.interpolate(a, b, 5, batch_size=batch_size), expected)


def test_a_prior_decides_the_ways_and_arrays_stay_arrays(model: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Standard, "interpolate", lambda _, a, b, t: torch.zeros(len(a), len(t), 2))
    ways = model.interpolate(Z.numpy(), Z.numpy(), 4)
    assert isinstance(ways, np.ndarray)
    np.testing.assert_allclose(ways, np.broadcast_to(model.decode(np.zeros((1, 2), np.float32)), (7, 4, 6)), rtol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_a_traversal_changes_one_entry_only(model: Autoencoder, batch_size: int) -> None:
    values, z = [-1.0, 0.5, 3.0], Z.clone()
    rows = model.traverse(z, 1, values, batch_size=batch_size)
    for column, value in enumerate(values):
        torch.testing.assert_close(rows[:, column], model.decode(torch.stack([z[:, 0], z[:, 1] * 0 + value], 1)))
    assert torch.equal(z, Z), "the codes given must stay as they are"


@pytest.mark.parametrize(("call", "message"), [
    (lambda model: model.interpolate(Z, Z, 1), "Cannot interpolate in 1 steps: the two ends are 2"),
    (lambda model: model.interpolate(Z, Z[:3]), r"two ends: got codes of shapes \(7, 2\) and \(3, 2\)"),
    (lambda model: model.interpolate(Z[:, :1], Z[:, :1]), r"takes pairs of codes of shape \(N, 2, 2\)"),
    (lambda model: model.interpolate(Z, Z, batch_size=0), "batch_size must be at least 1, got 0"),
    (lambda model: model.traverse(Z, 2, [0.0]), "no dimension 2: codes have 2, counted from 0"),
    (lambda model: model.traverse(Z, -1, [0.0]), "no dimension -1"),
    (lambda model: model.traverse(Z, 0, []), "needs at least one value"),
    (lambda model: model.traverse(Z / 0, 0, [1.0]), "hold a value that is not finite"),
])  # fmt: skip
def test_what_cannot_be_done_is_refused(model: Autoencoder, call: Callable[[Autoencoder], Any], message: str) -> None:
    with pytest.raises(CloudError, match=message):
        call(model)


def test_a_prior_is_fitted_to_the_codes_of_the_training_data_and_loaded_again(make: Callable[..., Run]) -> None:
    run = make("keeper")
    loaded, train = otae.load(run.path), split(60, run.experiment.data, run.experiment.seed).train
    assert isinstance(loaded.prior, Keeper)
    means = loaded.encode(otae.datasets.get("blobs")().points[train])
    assert loaded.prior.codes.shape == means.shape
    deviations = (loaded.prior.codes - means) / loaded.encoder.get_parameter("log_scale").detach().exp()
    assert 0.7 < deviations.std() < 1.3, "codes are draws from their laws, not means"
    drawn = loaded.sample_codes(50)
    assert (drawn[:, None] == loaded.prior.codes).all(2).any(1).all(), "every draw is one of the codes"


def test_a_prior_starts_once_from_the_codes_of_the_training_data_after_its_warm_up(make: Callable[..., Run]) -> None:
    prior, size = make("late").model.prior, len(split(60, make("late", "other").experiment.data, 0).train)
    assert isinstance(prior, Late)
    assert (prior.starts.item(), prior.seen.item()) == (0, 0), "one epoch is not over before the only one"
    prior = make("late", "longer", epochs=3).model.prior
    assert isinstance(prior, Late)
    assert (prior.starts.item(), prior.seen.item()) == (1, size)
    assert (prior.centre > 5).all(), "training goes on from the start"
    prior = make("late", "longest", epochs=4).model.prior
    assert isinstance(prior, Late)
    assert prior.starts.item() == 101, "two epochs later it follows again"


@pytest.mark.parametrize("step", [2, 3, 4])
@pytest.mark.parametrize(("prior", "epochs"), [("keeper", 2), ("late", 4)])
@pytest.mark.slow
def test_an_interrupted_run_fits_or_starts_the_same_prior(
    make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, prior: str, epochs: int, step: int
) -> None:
    unbroken, original = make(prior, epochs=epochs), Engine.training_step

    def struck(self: Engine, batch: Tensor, index: int) -> None:
        if self.step == step:
            raise KeyboardInterrupt
        original(self, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "training_step", struck)
        with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever a trainer makes of it
            make(prior, "broken", epochs)
    broken = Run(unbroken.path.with_name("broken"))
    fit(broken)
    expected = unbroken.model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in broken.model.state_dict().items())


def test_other_priors_are_not_fitted(make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("this prior asks for no codes")

    monkeypatch.setattr(Autoencoder, "encode", forbidden)
    make("twin")


def test_sample_draws_one_component(make: Callable[..., Run], tmp_path: Path) -> None:
    folder, file = make("twin").path, tmp_path / "a.npy"
    told(0, "sample", folder, "--component", "1", "-n", "5", "--seed", "3", "-o", file)
    expected = otae.load(folder).sample(5, component=1, generator=Generator().manual_seed(3))
    np.testing.assert_allclose(np.load(file), expected.numpy(), rtol=1e-5)


def test_interpolate_and_traverse_start_from_draws_or_from_the_codes_of_a_file(finished: Run, tmp_path: Path) -> None:
    model, folder = finished.model, finished.path
    x = otae.datasets.get("blobs")().points[:4].numpy()
    np.save(tmp_path / "x.npy", x)
    drawn = model.sample_codes(4, generator=Generator().manual_seed(3)).numpy()
    for name, codes, start in (("a", drawn, ["--seed", "3"]), ("b", model.encode(x), [tmp_path / "x.npy"])):
        ways, entries = tmp_path / f"{name}-ways.npy", tmp_path / f"{name}-entries.npy"
        told(0, "interpolate", folder, *start, "-n", "3", "--steps", "5", "-o", ways)
        np.testing.assert_allclose(np.load(ways), model.interpolate(codes[:-1], codes[1:], 5), rtol=1e-4, atol=1e-5)
        span = ["--from", "-1", "--to", "1", "--steps", "3"]
        told(0, "traverse", folder, *start, "--dimension", "1", "-n", "4", *span, "-o", entries)
        np.testing.assert_allclose(np.load(entries), model.traverse(codes, 1, [-1, 0, 1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("arguments", "message"), [
    (["sample", "--component", "3"], "The prior Shifted has no components"),
    (["interpolate", "--component", "0"], "The prior Shifted has no components"),
    (["interpolate", "x.npy", "--component", "0"], "--component is of draws from the prior: leave it out, or the file"),
    (["interpolate", "gone.npy"], "Cannot read gone.npy: there is no such file"),
    (["interpolate", "--steps", "1"], "greater than or equal to 2"),
    (["traverse"], "Missing option '--dimension'"),
    (["traverse", "-d", "2"], "There is no dimension 2: codes have 2"),
    (["traverse", "-d", "0", "-o", "a.png"], "are no images: write them to a .npy file"),
])  # fmt: skip
def test_a_mistake_ends_with_status_2(
    finished: Run, monkeypatch: Any, tmp_path: Path, arguments: Any, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.zeros((2, 6), dtype=np.float32))
    assert message in told(2, arguments[0], finished.path, *arguments[1:]).replace("│ ", "")


def test_rows_of_images_stay_rows_in_a_picture(tmp_path: Path) -> None:
    values = torch.rand(2, 5, 1, 4, 3, generator=Generator().manual_seed(0))
    write(tmp_path / "a.png", values, rows=True)
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    assert pixels.shape == (2 * 4, 5 * 3)
    np.testing.assert_array_equal(pixels[4:, 6:9], (255 * values[1, 2, 0]).round().numpy())
