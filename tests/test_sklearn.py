"""The estimators: scikit-learn's own checks, its tools around them, weights, pieces of data, files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import otae
from otae.autoencoder import evaluating
from otae.cloud import Cloud
from otae.errors import ConfigError, RunError
from otae.sklearn import OTAutoencoder, OTCluster, OTOutlierDetector
from otae.sklearn.base import BaseAutoencoder

TINY: dict[str, Any] = {
    "model": {
        "encoder": {"name": "mlp", "noise": "none", "width": 16, "depth": 1},
        "decoder": {"name": "mlp", "width": 16, "depth": 1},
    },
    "training": {"precision": "64-true", "optimizer.lr": 2e-2},
}
WHOLE = {"batch_size": 512, "overrides": TINY}  # one batch, no noise: nothing hangs on the order of samples
FOLLOWING = {"name": "mixture", "warmup": 15, "every": 1, "tries": 2}


@pytest.fixture(scope="module")
def digits() -> np.ndarray[Any, Any]:
    """Returns some digits as rows, scaled to [0, 1]."""
    return load_digits().data[:300] / 16


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        OTAutoencoder("ae", latent_dim=1, epochs=2, **WHOLE),
        OTCluster(2, recipe="wae-mmd", latent_dim=2, epochs=20, prior=FOLLOWING, **WHOLE),
        OTOutlierDetector("ae", latent_dim=1, epochs=2, **WHOLE),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_it_passes_the_checks_of_scikit_learn_whole(estimator: BaseAutoencoder) -> None:
    check_estimator(estimator)


@pytest.mark.slow
def test_a_linear_autoencoder_that_is_trained_long_finds_the_subspace_of_pca() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2)) @ random.normal(size=(2, 5)) + 0.01 * random.normal(size=(60, 5))
    linear = {"model": {"encoder": {"name": "linear", "noise": "none"}, "decoder": "linear"}}
    estimator = OTAutoencoder("ae", latent_dim=2, epochs=400, batch_size=60, overrides=linear, random_state=0)
    estimator.set_params(overrides={**linear, "training.optimizer.lr": 0.03}).fit(x)
    best = -np.square(x - PCA(2).fit(x).inverse_transform(PCA(2).fit_transform(x))).mean()
    assert best * 3 < estimator.score(x) <= best


def test_it_trains_as_configured_and_leaves_no_file(digits: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    state = torch.get_rng_state()
    estimator = OTAutoencoder("wae-mmd", latent_dim=3, prior="uniform", epochs=2, random_state=0).fit(digits)
    assert torch.equal(state, torch.get_rng_state())
    assert estimator.transform(digits).shape == (300, 3)
    assert estimator.configuration_["model"]["prior"]["name"] == "uniform"
    assert len(estimator.history_) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_adversaries_are_trained_as_in_a_run(digits: Any, tmp_path: Path) -> None:
    dataset = ["data.validation=0", "data.test=0", "training.epochs=2", "model.latent_dim=2"]
    run = otae.train(otae.load_config("gwae", dataset), tmp_path, data=digits, evaluation=False, report=False)
    estimator = OTAutoencoder("gwae", latent_dim=2, epochs=2, random_state=0).fit(digits)
    assert estimator.history_[-1].keys() >= {"total", "merge.adversary", "entropy.weighted"}
    assert estimator.score(digits) == pytest.approx(-np.square(digits - run.model.reconstruct(digits)).mean(), rel=0.3)


@pytest.mark.slow
def test_pieces_of_data_go_on_where_the_last_ended(digits: Any) -> None:
    whole = OTAutoencoder("ae", latent_dim=2, epochs=5, random_state=0, **WHOLE).fit(digits)
    pieces = OTAutoencoder("ae", latent_dim=2, random_state=0, **WHOLE)
    for _ in range(5):
        pieces.partial_fit(digits)
    np.testing.assert_allclose(pieces.transform(digits), whole.transform(digits), rtol=1e-9)


@pytest.mark.slow
def test_a_weight_is_a_number_of_copies(digits: Any) -> None:
    weights = np.arange(300) % 3
    weighted = OTAutoencoder("ae", latent_dim=2, epochs=3, random_state=0, **WHOLE).fit(digits, sample_weight=weights)
    copies = clone(weighted).set_params(batch_size=1024).fit(digits.repeat(weights, axis=0))
    np.testing.assert_allclose(weighted.transform(digits), copies.transform(digits), rtol=1e-6, atol=1e-9)
    assert weighted.score(digits, sample_weight=weights) == pytest.approx(copies.score(digits.repeat(weights, axis=0)))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["gwae", "sinkhorn-ae", "vae"])
def test_costs_and_critics_take_weights(recipe: str, digits: Any) -> None:
    plain = OTAutoencoder(recipe, latent_dim=2, epochs=1, value_range=(0, 1), random_state=0).fit(digits)
    weighted = clone(plain).fit(digits, sample_weight=np.linspace(0.1, 1, 300))
    even = clone(plain).fit(digits, sample_weight=np.full(300, 7.0))
    assert not np.allclose(weighted.transform(digits), plain.transform(digits), atol=1e-3)
    np.testing.assert_allclose(even.transform(digits), plain.transform(digits), atol=1e-2)


@pytest.mark.slow
def test_it_stands_in_pipelines_and_grids_of_several_processes(digits: Any) -> None:
    pipeline = make_pipeline(StandardScaler(), OTAutoencoder("wae-mmd", epochs=1, random_state=0))
    grid = {"otautoencoder__latent_dim": [1, 4]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(digits)
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.inverse_transform(search.transform(digits)).shape == digits.shape


@pytest.mark.slow
def test_frames_keep_their_names(digits: Any) -> None:
    frame = pd.DataFrame(digits).add_prefix("pixel")
    estimator = OTAutoencoder("ae", latent_dim=2, epochs=1, random_state=0).set_output(transform="pandas").fit(frame)
    codes = estimator.transform(frame)
    assert list(codes.columns) == ["otautoencoder0", "otautoencoder1"]
    assert list(estimator.feature_names_in_[:2]) == ["pixel0", "pixel1"]
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.transform(frame.add_prefix("other_"))


@pytest.mark.slow
def test_pictures_keep_their_shape_and_rows_may_be_pictures(digits: Any) -> None:
    pictures = digits.reshape(-1, 1, 8, 8)
    estimator = OTAutoencoder("ae", latent_dim=2, epochs=1, random_state=0).fit(pictures)
    assert estimator.inverse_transform(estimator.transform(pictures)).shape == pictures.shape
    rows = OTAutoencoder("ae", latent_dim=2, epochs=1, data_shape=(1, 8, 8), value_range=(0, 1), random_state=0)
    assert rows.fit(digits).model_.data_shape == (1, 8, 8)
    assert rows.sample(3, random_state=1).shape == (3, 64)
    assert (rows.sample(3, random_state=1) == rows.sample(3, random_state=1)).all()
    assert 0 <= rows.sample(9).min() <= rows.sample(9).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [OTAutoencoder, OTOutlierDetector])
def test_it_is_copied_sent_and_written_as_it_is(kind: type[Any], digits: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame(digits).add_prefix("pixel")
    fitted = kind("gwae", latent_dim=2, epochs=1, prior={"name": "mixture", "components": 3}, random_state=0).fit(frame)
    fitted.save(tmp_path / "it.safetensors")
    loaded, sent = kind.load(tmp_path / "it.safetensors"), pickle.loads(pickle.dumps(fitted))
    for other in (loaded, sent):
        np.testing.assert_array_equal(other.transform(frame), fitted.transform(frame))
        np.testing.assert_array_equal(other.score_samples(frame), fitted.score_samples(frame))
        assert other.get_params() == fitted.get_params()
    if kind is OTOutlierDetector:
        assert loaded.offset_ == fitted.offset_
    assert sent.partial_fit(frame).score(frame) == fitted.partial_fit(frame).score(frame)
    assert loaded.partial_fit(frame).history_[0] == fitted.history_[0]
    with pytest.raises(RunError, match=f"holds an estimator {kind.__name__}, and was asked for a OTCluster"):
        OTCluster.load(tmp_path / "it.safetensors")


@pytest.mark.slow
def test_clusters_are_the_components_that_codes_stem_from() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(3, size=240)
    x = np.eye(8)[labels] * 4 + 0.3 * random.normal(size=(240, 8))
    following = {"name": "mixture", "warmup": 20, "every": 5}
    clusters = OTCluster(3, recipe="wae-mmd", latent_dim=2, epochs=30, prior=following, random_state=0).fit(x)
    assert adjusted_rand_score(clusters.labels_, labels) > 0.9
    np.testing.assert_array_equal(clusters.predict(x), clusters.labels_)
    np.testing.assert_allclose(clusters.predict_proba(x).sum(1), 1)


@pytest.mark.slow
def test_outliers_are_those_that_are_unlike_the_training_samples(digits: Any) -> None:
    detector = OTOutlierDetector("gwae", epochs=12, contamination=0.1, random_state=0).fit(digits)
    strange = np.random.default_rng(0).permuted(digits, axis=1)
    ratings = np.concatenate([detector.decision_function(digits), detector.decision_function(strange)])
    assert roc_auc_score([1] * 300 + [0] * 300, ratings) > 0.8
    assert (detector.predict(digits) == -1).sum() == 30


@pytest.mark.slow
def test_samples_are_rated_by_the_potential_or_the_density_of_what_they_become(digits: Any) -> None:
    prior = {"name": "mixture", "components": 3}
    detector = OTOutlierDetector("gwae", rating="potential", epochs=1, prior=prior, random_state=0).fit(digits)
    x = torch.from_numpy(digits)
    z, decoded = detector.model_.encode(x), detector.model_.reconstruct(x)
    with evaluating(detector.objective_):
        potential = dict(detector.objective_)["merge"].cost.potential(Cloud.joint(Cloud(decoded), Cloud(z)))
    np.testing.assert_allclose(detector.score_samples(digits), potential.numpy())
    density = detector.set_params(rating="density").score_samples(digits)
    np.testing.assert_allclose(density, detector.model_.prior.law.log_prob(z).detach().numpy())
    with pytest.raises(ConfigError, match="No cost of this recipe learns a potential"):
        OTOutlierDetector("ae", rating="potential", epochs=1).fit(digits)
    with pytest.raises(ConfigError, match="The prior 'neural' has no density"):
        OTOutlierDetector("gwae", rating="density", epochs=1).fit(digits)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (OTAutoencoder("wae-mdm"), "Did you mean 'wae-mmd'"),
        (OTAutoencoder("ae", overrides={"training.epoch": 3}), "Did you mean 'epochs'"),
        (OTAutoencoder("ae", overrides={"model.prior": torch.nn.Identity()}), "got Identity"),
        (OTAutoencoder("ae", data_shape=(1, 3, 3)), r"\(1, 3, 3\) has 9 entries, and samples have 4"),
        (OTOutlierDetector("ae", contamination=0.6), r"in \(0, 0.5\], got 0.6"),
        (OTOutlierDetector("ae", rating="error"), "reconstruction, potential, density, got 'error'"),
    ],
)
def test_a_wrong_parameter_is_told_by_fit(estimator: BaseAutoencoder, message: str) -> None:
    with pytest.raises((ConfigError, LookupError), match=message):
        estimator.fit(np.zeros((5, 4)))
