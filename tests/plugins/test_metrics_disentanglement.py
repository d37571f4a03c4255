"""Scores of disentanglement: codes whose scores are known, invariances, and agreement with scikit-learn."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from coded import KINDS, judge, noise, own, small, table, turned
from hypothesis import given, settings
from hypothesis import strategies as st

from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Metric, Missing, Table
from otae.testing import MetricSuite
from otae_metrics import DCI, IRS, MIG, SAP, BetaVAE, FactorVAE, InfoMEC, Modularity
from otae_metrics.mutual_information import discretize, mutual_information

SMALL: dict[type[Metric], dict[str, Any]] = {
    DCI: {"trees": 4},
    MIG: {"bins": 5},
    SAP: {},
    FactorVAE: {"batch": 2, "votes": 50, "factor_bins": 3},
    BetaVAE: {"batch": 8, "batches": 50},
    Modularity: {"bins": 5},
    IRS: {"least": 2},
    InfoMEC: {"neighbours": 3},
}
HEADLINES = {
    DCI: "disentanglement",
    MIG: "mig",
    SAP: "sap",
    FactorVAE: "score",
    BetaVAE: "score",
    Modularity: "modularity",
    IRS: "irs",
    InfoMEC: "infom",
}


class TestDCI(MetricSuite):
    plugin, options = DCI, SMALL[DCI]


class TestMIG(MetricSuite):
    plugin, options = MIG, SMALL[MIG]


@pytest.mark.slow
class TestSAP(MetricSuite):
    plugin, options = SAP, SMALL[SAP]


class TestFactorVAE(MetricSuite):
    plugin, options = FactorVAE, SMALL[FactorVAE]


class TestBetaVAE(MetricSuite):
    plugin, options = BetaVAE, SMALL[BetaVAE]


class TestModularity(MetricSuite):
    plugin, options = Modularity, SMALL[Modularity]


@pytest.mark.slow
class TestIRS(MetricSuite):
    plugin, options = IRS, SMALL[IRS]


@pytest.mark.slow
class TestInfoMEC(MetricSuite):
    plugin, options = InfoMEC, SMALL[InfoMEC]


@pytest.mark.parametrize(
    "metric", [MIG, FactorVAE, BetaVAE, Modularity, IRS, InfoMEC, DCI], ids=lambda each: each.__name__
)
def test_a_code_of_its_own_for_each_factor_has_a_high_score(metric: type[Metric]) -> None:
    score = judge(metric, lambda values: own(values)[:, :3])[HEADLINES[metric]]
    assert score == pytest.approx(1, abs=0.06)
    assert isinstance(score, Estimate)
    assert score.low <= score <= score.high


@pytest.mark.parametrize(
    ("metric", "most"), [(MIG, 0.1), (SAP, 0.2), (DCI, 0.5), (Modularity, 0.7), (IRS, 0.6), (InfoMEC, 0.5)]
)
def test_a_rotation_lowers_the_score(metric: type[Metric], most: float) -> None:
    assert judge(metric, turned)[HEADLINES[metric]] < most


@pytest.mark.parametrize(("metric", "most"), [(MIG, 0.05), (SAP, 0.1), (DCI, 0.1), (FactorVAE, 0.5), (BetaVAE, 0.5)])
def test_codes_that_tell_nothing_have_a_low_score(metric: type[Metric], most: float) -> None:
    assert judge(metric, lambda values: noise(*values.shape, seed=5))[HEADLINES[metric]] < most


@pytest.mark.parametrize("metric", [MIG, SAP, DCI, FactorVAE, BetaVAE, Modularity, IRS], ids=lambda each: each.__name__)
def test_order_sign_and_shift_of_the_dimensions_do_not_matter(metric: type[Metric]) -> None:
    name, shift = HEADLINES[metric], torch.tensor([1.0, -2.0, 4.0]).double()
    plain = judge(metric, turned)[name]
    changed = judge(metric, lambda values: shift - turned(values)[:, [2, 0, 1]])[name]
    assert changed == pytest.approx(plain, abs=0.03)  # bins at their edges, and the draws of forests and batches


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(3)), st.lists(st.floats(0.1, 10), min_size=3, max_size=3), st.integers(0, 2**20))
def test_scores_of_information_have_no_units(order: list[int], scales: list[float], seed: int) -> None:
    codes, factors = noise(80, 3, seed=seed), table(80, seed).long()
    other = codes[:, order] * torch.tensor(scales).double()
    plain, changed = (mutual_information(discretize(each, 8), factors) for each in (codes, other))
    assert torch.allclose(changed, plain[:, order])


@pytest.mark.parametrize("metric", [*HEADLINES], ids=lambda each: each.__name__)
def test_draws_are_looked_at_where_asked_for_and_missed_where_there_are_none(metric: type[Metric]) -> None:
    values = table(120)
    given = small(own(values), values, KINDS, draws=noise(120, 4, seed=7))
    name, options = "infoe" if metric is InfoMEC else HEADLINES[metric], SMALL[metric]  # InfoM of noise is chance
    means, samples = (metric(codes=codes, **options)(given)[name] for codes in ("means", "samples"))  # type: ignore[call-arg]
    assert means > samples + 0.1
    with pytest.raises(NotApplicableError, match="codes=means"):
        metric(codes="samples", **options)(small(own(values), values, KINDS))  # type: ignore[call-arg]


@pytest.mark.parametrize("metric", [*HEADLINES], ids=lambda each: each.__name__)
def test_factors_that_do_not_vary_are_left_out_and_none_is_refused(metric: type[Metric]) -> None:
    values = table(120)
    values[:, 1] = 3
    options = SMALL[metric]
    found = metric(**options)(small(own(values), values, KINDS))
    assert not isinstance(found[HEADLINES[metric]], Missing)
    assert all(each.rows == ("shape", "height") for each in found.values() if isinstance(each, Table))
    with pytest.raises(NotApplicableError, match="No factor varies"):
        metric(**options)(small(own(values), torch.ones(120, 3), KINDS))


def test_what_needs_two_factors_says_so_of_one() -> None:
    values = table(120)[:, :1]
    given = small(own(values), values, KINDS[:1])
    assert isinstance(DCI(trees=4)(given)["disentanglement"], Missing)
    assert isinstance(Modularity()(given)["modularity"], Missing)
    assert isinstance(InfoMEC()(given)["infom"], Missing)
    with pytest.raises(NotApplicableError, match="Only the factor 'shape'"):
        BetaVAE(batch=4, batches=20)(given)
