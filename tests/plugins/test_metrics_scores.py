"""Scores of disentanglement: each against a case by hand or another implementation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
from coded import judge, noise, own, small, specimen, table, turned
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Factor, Missing, Table
from otae_metrics import DCI, IRS, MIG, SAP, FactorVAE, InfoMEC, Modularity
from otae_metrics.dci import completeness, disentanglement
from otae_metrics.infomec import _excess
from otae_metrics.interventions import Interventions
from otae_metrics.mutual_information import discretize, entropies, mutual_information
from otae_metrics.nearest_information import nearest_information
from otae_metrics.representation import represent, standardise


def test_mutual_information_and_entropy_agree_with_scikit_learn() -> None:
    codes, factors = noise(500, 4), table(500).long()
    classes = discretize(codes, 20)
    for d in range(4):
        column = codes[:, d].numpy()
        edges = np.histogram(column, 20)[1][:-1]
        assert classes[:, d].tolist() == (np.digitize(column, edges) - 1).tolist()
        for f in range(3):
            known = sklearn.metrics.mutual_info_score(factors[:, f], classes[:, d])
            assert float(mutual_information(classes, factors)[f, d]) == pytest.approx(known)
    known_entropy = sklearn.metrics.mutual_info_score(factors[:, 0], factors[:, 0])
    assert float(entropies(factors)[0]) == pytest.approx(known_entropy)


def test_the_gap_of_information_is_known_where_one_code_tells_half() -> None:
    def encode(values: Tensor) -> Tensor:  # a factor of four values: one code tells it, another whether it is above 1
        return torch.stack([values[:, 0], (values[:, 0] > 1).double()], dim=1)

    values = (torch.arange(400) % 4).double()[:, None]
    found = MIG()(small(encode(values), values, (Factor("place"),)))
    assert found["mig"] == pytest.approx(0.5)  # ln 4 - ln 2 of ln 4
    assert isinstance(found["information"], Table)
    assert found["information"].values.tolist() == [pytest.approx([1, 0.5])]


def test_information_by_neighbours_agrees_with_scikit_learn() -> None:
    factors = table(400).long()
    codes = standardise(factors.double() @ noise(3, 4) + noise(400, 4, seed=1))
    for f in range(3):
        known = mutual_info_classif(codes.numpy(), factors[:, f].numpy(), n_neighbors=10, random_state=0)
        assert nearest_information(codes, factors[:, f], 10, 0).tolist() == pytest.approx(known.tolist(), abs=1e-6)


def test_information_by_neighbours_is_that_of_theory() -> None:
    labels = torch.arange(2_000) % 2
    codes = (noise(2_000, 1) + 2 * labels[:, None]) / 1.0
    grid = np.linspace(-8, 10, 20_001)
    densities = [np.exp(-((grid - shift) ** 2) / 2) / math.sqrt(2 * math.pi) for shift in (0, 2)]
    mixed = sum(densities) / 2
    known = sum(np.trapezoid(each * np.log(each / mixed), grid) for each in densities) / 2
    assert float(nearest_information(codes, labels, 10, 0)) == pytest.approx(known, abs=0.03)


def test_classes_of_one_sample_tell_nothing() -> None:
    assert nearest_information(noise(5, 2), torch.arange(5), 3, 0).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        ([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], (1, 1)),
        ([[1.0, 1, 0], [0, 0, 1]], (1, 1 - (2 / 3) * math.log(2) / math.log(3))),
        ([[1.0, 1], [1, 1]], (0, 0)),
        ([[0.0, 0], [0, 0]], (0, 0)),
        ([[3.0, 0, 1], [0, 4, 0]], (1, 1 - 0.5 * (math.log(4) - 0.75 * math.log(3)) / math.log(3))),
    ],
)
def test_disentanglement_and_completeness_of_matrices_are_known(
    rows: list[list[float]], known: tuple[float, float]
) -> None:
    matrix = torch.tensor(rows).double()
    assert (disentanglement(matrix), completeness(matrix)) == pytest.approx(known, abs=1e-9)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=5), st.floats(0.1, 10))
def test_disentanglement_lies_between_0_and_1_and_has_no_units(rows: list[list[float]], scale: float) -> None:
    matrix = torch.tensor(rows).double()
    assert -1e-9 <= disentanglement(matrix) <= 1 + 1e-9
    assert disentanglement(scale * matrix.flip(0)) == pytest.approx(disentanglement(matrix), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("forest", RandomForestClassifier(10, max_features=None, random_state=0)),
        ("boosting", GradientBoostingClassifier(n_estimators=10, random_state=0)),
    ],
)
@pytest.mark.slow
def test_importances_and_accuracy_are_those_of_scikit_learn(name: str, model: Any) -> None:
    given = specimen(turned, 200)
    found = DCI(model=name, trees=10)(given)  # type: ignore[arg-type]
    train, judged = (represent(each, "means", 10) for each in (given.train, given))
    order = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    x, y = standardise(train.codes)[order], standardise(judged.codes, train.codes)
    hits = []
    for f in range(3):
        model.fit(x.numpy(), train.classes[order, f].numpy())
        assert found["importance"].values[f].tolist() == pytest.approx(model.feature_importances_.tolist())
        hits.append(np.mean(model.predict(y.numpy()) == judged.classes[:, f].numpy()))
    assert found["informativeness"] == pytest.approx(np.mean(hits))


@pytest.mark.slow
def test_a_lasso_finds_linear_codes_also_of_a_circular_factor() -> None:
    turns = torch.rand(400, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sizes = torch.rand(400, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    angle = 2 * math.pi * turns
    codes = torch.cat([angle.cos(), angle.sin(), sizes, noise(400, 1)], dim=1)
    kinds = (Factor("turn", "circular", period=1.0), Factor("size"))
    found = DCI(model="lasso")(small(codes, torch.cat([turns, sizes], dim=1), kinds))
    assert found["informativeness"] > 0.98
    assert found["disentanglement"] > 0.9
    assert found["importance"].values[1].argmax() == 2
    assert found["importance"].values[0, :2].min() > 10 * found["importance"].values[0, 2:].max()


def test_squared_correlations_are_the_scores_of_ordered_factors() -> None:
    given = specimen(turned)
    found = SAP()(given)
    judged = represent(given, "means", 10)
    for f in (1, 2):
        known = [np.corrcoef(judged.codes[:, d], judged.values[:, f])[0, 1] ** 2 for d in range(3)]
        assert found["scores"].values[f].tolist() == pytest.approx(known)


def test_accuracies_of_support_vector_machines_are_the_scores_of_categorical_factors() -> None:
    given = specimen(turned, 300)
    train, judged = (represent(each, "means", 10) for each in (given.train, given))
    x, y = standardise(train.codes), standardise(judged.codes, train.codes)
    for classify, columns in ((False, [0]), (True, [0, 1, 2])):
        found = SAP(classify=classify)(given)["scores"].values
        for f in columns:
            model = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
            known = [
                np.mean(model.fit(x[:, [d]], train.classes[:, f]).predict(y[:, [d]]) == judged.classes[:, f].numpy())
                for d in range(3)
            ]
            assert found[f].tolist() == pytest.approx(known)


def test_the_score_of_a_circular_factor_is_1_for_its_cosine_and_sine_together() -> None:
    turns = (torch.arange(360) / 360).double()[:, None]
    codes = torch.cat([(2 * math.pi * turns).cos(), (2 * math.pi * turns).sin()], dim=1)
    found = SAP()(small(codes, turns, (Factor("turn", "circular", period=1.0),)))["scores"].values
    assert found[0].tolist() == pytest.approx([0.5, 0.5], abs=0.1)  # one of two targets each


def test_modularity_of_a_matrix_is_known() -> None:
    from otae_metrics.modularity import modularity

    information = torch.tensor([[1.0, 2.0, 0.0], [0.5, 0.0, 0.0], [0.5, 0.0, 0.0]])
    assert modularity(information) == pytest.approx((1 - 0.5 / 2 + 1 + 0) / 3)


def test_explicitness_is_the_area_under_the_curve_of_scikit_learn() -> None:
    given = specimen(lambda values: turned(values) + noise(*values.shape), 300)
    train, judged = (represent(each, "means", 10) for each in (given.train, given))
    x, y = standardise(train.codes), standardise(judged.codes, train.codes)
    known = []
    for f in range(3):
        model = LogisticRegression().fit(x.numpy(), train.classes[:, f].numpy())
        chances = model.predict_proba(y.numpy())
        known.append(sklearn.metrics.roc_auc_score(judged.classes[:, f], chances, multi_class="ovr", average="macro"))
    assert Modularity()(given)["explicitness"] == pytest.approx(np.mean(known))


def test_robustness_of_a_few_codes_is_known() -> None:
    values = torch.tensor([[0.0], [0.0], [1.0], [1.0]]).double()
    codes = torch.tensor([[0.0, 0.0], [0.0, 4.0], [2.0, 0.0], [2.0, 4.0]]).double()
    found = IRS(quantile=1.0, least=2)(small(codes, values, (Factor("place"),)))
    assert found["robustness"].values.tolist() == [[1.0, 0.0]]  # the second moves by 2 either way, as it does overall
    assert found["irs"] == pytest.approx((1 * 1 + 2 * 0) / 3)  # weighted by the largest deviations, 1 and 2


def test_a_batch_holds_one_factor_fixed_and_a_pair_shares_it() -> None:
    samples = represent(specimen(lambda values: values, 300), "means", 10)
    drawn = Interventions(samples, 20)
    factors, codes = drawn.batches(200, 16, torch.Generator().manual_seed(0))
    spread = codes.std(1)
    assert (spread.gather(1, factors[:, None]) == 0).all()
    assert (spread > 0).sum() == 2 * 200
    assert factors.unique().tolist() == [0, 1, 2]
    others, gaps = drawn.pairs(200, 16, torch.Generator().manual_seed(0))
    assert (gaps.abs().amax(1).gather(1, others[:, None]) == 0).all()
    assert gaps.abs().amax((0, 1)).min() > 0


def test_a_pair_is_of_two_different_samples() -> None:
    values = torch.tensor([[0.0], [0.0], [1.0], [1.0], [2.0]]).double()
    samples = represent(small(torch.arange(5)[:, None].double(), values, (Factor("place"),)), "means", 10)
    _, gaps = Interventions(samples, 2).pairs(50, 4, torch.Generator().manual_seed(0))
    assert gaps.abs().unique().tolist() == [1]


def test_dimensions_that_hardly_vary_do_not_vote() -> None:
    found = judge(FactorVAE, lambda values: own(values) * torch.tensor([1.0, 1, 1, 0.02]))
    assert found["active"] == 3
    assert judge(FactorVAE, lambda values: 0.01 * own(values)) == {"score": 0.0, "active": 0.0}


def test_too_few_samples_of_one_value_are_refused_with_the_cure() -> None:
    given = specimen(own, 100)
    with pytest.raises(NotApplicableError, match="'shape' fixed needs 64 samples of one value, and of 100 samples"):
        FactorVAE()(given)
    with pytest.raises(NotApplicableError, match="smaller `least`"):
        IRS(least=90)(given)


@pytest.mark.parametrize(
    ("matrix", "dimension", "known"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], 0, 1),
        ([[1.0, 1.0], [1.0, 1.0]], 0, 0),
        ([[3.0, 1.0, 0.0], [1.0, 1.0, 0.0]], 0, 1 / 6),
    ],
)
def test_the_excess_of_the_largest_share_is_known(matrix: list[list[float]], dimension: int, known: float) -> None:
    assert _excess(torch.tensor(matrix).double(), dimension) == pytest.approx(known)


def test_infoe_is_the_entropy_that_a_logistic_regression_takes_away() -> None:
    given = specimen(lambda values: turned(values) + noise(*values.shape), 300)
    judged = represent(given, "means", 10)
    known = []
    for f in range(3):
        x, labels = standardise(judged.codes).numpy(), judged.classes[:, f].numpy()
        model = LogisticRegression(C=1e6, class_weight="balanced").fit(x, labels)
        known.append(1 - sklearn.metrics.log_loss(labels, model.predict_proba(x)) / math.log(5))
    assert InfoMEC()(given)["infoe"] == pytest.approx(np.mean(known), abs=1e-4)


def test_inactive_dimensions_do_not_count() -> None:
    found = judge(InfoMEC, lambda values: own(values) * torch.tensor([1.0, 1, 1, 0.001]))
    assert found["active"] == 3
    assert found["infoc"] == pytest.approx(1, abs=0.05)
    nothing = judge(InfoMEC, lambda values: 0 * values)
    assert nothing["active"] == 0
    assert isinstance(nothing["infom"], Missing)
