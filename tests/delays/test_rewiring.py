"""Rewiring: exact counts, fixed signs, who goes and who comes by hand, and nothing lost on the way to a checkpoint."""

import copy
import io
from typing import Any

import pytest
import torch
from delays.delay_cases import drawn, small_network
from torch.nn.functional import cross_entropy

from tic_sweep.delays import DelayLinear, DelayNetwork, Rewirer, Rewiring, delay_logits, weight_penalty
from tic_sweep.delays.turnover import Turnover

ALL_RULES = [
    {"rule": "static"},
    {"rule": "deepr", "regrow": "neg_grad"},
    {"rule": "deepr", "regrow": "abs_grad", "signs": "synapse"},
    {"rule": "deepr", "regrow": "random", "temperature": 1e-4, "every": 3},
    {"rule": "deepr", "regrow": "neg_grad", "budget": "global"},
    {"rule": "deepr", "regrow": "random", "budget": "erdos_renyi"},
    {"rule": "rigl", "regrow": "abs_grad", "every": 2, "last_step": 8},
    {"rule": "rigl", "regrow": "random", "budget": "global", "last_step": 8},
    {"rule": "set", "regrow": "random", "every": 2},
]


class Trained:
    """A small network that learns random labels, with its rewirer and its optimiser."""

    def __init__(self, **rewiring: Any) -> None:
        self.model: DelayNetwork = small_network()
        options: dict[str, Any] = {"density": 0.4} | rewiring
        self.rewirer = Rewirer(self.model.layers(), Rewiring(**options), drawn(1))
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=0.02)
        self.x_NTI = torch.randn(16, 10, 4, generator=drawn(2))
        self.labels_N = torch.randint(3, (16,), generator=drawn(3))

    def step(self, seed: int) -> None:
        """Take one step of the optimiser, and of the rewirer."""
        self.optimiser.zero_grad()
        logits = delay_logits(self.model.train()(self.x_NTI), "softmax_sum")[-1]
        (cross_entropy(logits, self.labels_N) + weight_penalty(self.model, 0.02)).backward()
        self.optimiser.step()
        self.rewirer.step(self.optimiser, drawn(seed))
        self.model.clamp_()


def by_hand(weights: list[float], mask: list[bool], grads: list[float], **rewiring: Any) -> tuple[Rewirer, DelayLinear]:
    """Return a layer of one output with given θ, mask and gradients, all signs positive, and its rewirer."""
    layer = DelayLinear(len(weights), 1, 0)
    options: dict[str, Any] = {"density": sum(mask) / len(mask)} | rewiring
    rewirer = Rewirer({"layer": layer}, Rewiring(**options), drawn())
    layer.sign.fill_(1)
    layer.mask.copy_(torch.tensor([mask]))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weights]))
    layer.weight.grad = torch.tensor([grads])
    rewirer._turnover = Turnover({"layer": layer.mask})
    return rewirer, layer


def idle(layer: DelayLinear) -> torch.optim.Optimizer:
    """Return an optimiser that has not taken a step."""
    return torch.optim.SGD([layer.weight], lr=1.0)


@pytest.mark.parametrize("rewiring", ALL_RULES, ids=str)
def test_the_number_of_synapses_never_changes_and_others_weigh_nothing(rewiring: dict):
    """Per layer, or over both where they share a budget, at every step, whatever the rule."""
    trained = Trained(**rewiring)
    wanted = trained.rewirer.budget
    for seed in range(12):
        trained.step(seed)
        counts = {name: int(layer.mask.sum()) for name, layer in trained.model.layers().items()}

        assert wanted == counts or rewiring.get("budget") == "global"
        assert sum(wanted.values()) == sum(counts.values())
        assert all(0 == layer.weight[~layer.mask].abs().sum() for layer in trained.model.layers().values())


@pytest.mark.parametrize("rewiring", [rule for rule in ALL_RULES if rule["rule"] != "static"], ids=str)
def test_every_rule_but_static_rewires(rewiring: dict):
    """After twelve steps some synapses are others, and the counts say so."""
    trained = Trained(**rewiring)
    first = {name: layer.mask.clone() for name, layer in trained.model.layers().items()}
    for seed in range(12):
        trained.step(seed)
    told = trained.rewirer.turnover()

    assert any(not torch.equal(first[name], layer.mask) for name, layer in trained.model.layers().items())
    assert 0 < sum(t.grown for t in told.values()) == sum(t.pruned for t in told.values())
    assert any(t.overlap < 1 and t.survived < t.active for t in told.values())


def test_a_static_mask_stays():
    """Nothing comes or goes, and all have survived."""
    trained = Trained(rule="static")
    first = trained.model.hidden.mask.clone()
    for seed in range(5):
        trained.step(seed)
    told = trained.rewirer.turnover()["hidden"]

    assert torch.equal(first, trained.model.hidden.mask)
    assert (0, 0, told.active, 1.0) == (told.grown, told.pruned, told.survived, told.overlap)


@pytest.mark.parametrize("signs", ["presynaptic", "synapse"])
def test_signs_never_flip(signs: str):
    """Under deepr a weight is its first sign times a magnitude; by Dale's law a neuron has one sign for all targets."""
    trained = Trained(rule="deepr", signs=signs, regrow="random", temperature=1e-3)
    layer = trained.model.hidden
    first = layer.sign.clone()
    for seed in range(12):
        trained.step(seed)

    assert torch.equal(first, layer.sign)
    assert {-1.0, 1.0} == {float(s) for layer in trained.model.layers().values() for s in layer.sign.unique()}
    assert (layer.weight >= 0).all()
    assert (layer.weight[layer.mask] > 0).all()
    assert (layer.effective_weight() * first >= 0).all()
    assert ("presynaptic" == signs) == bool((first == first[:1]).all())


def test_deepr_regrows_what_wants_to_grow_most():
    """θ_1 has fallen below zero: neg_grad takes place 3 (gradient -2), abs_grad place 2 (gradient +5)."""
    masks = {}
    for regrow in ("neg_grad", "abs_grad"):
        rewirer, layer = by_hand(
            [0.5, -0.1, 0.0, 0.0, 0.0], [True, True, False, False, False], [9.0, 1.0, 5.0, -2.0, -1.0],
            rule="deepr", regrow=regrow,
        )  # fmt: skip
        rewirer.step(idle(layer), drawn())
        masks[regrow] = layer.mask[0].int().tolist()
        newborn = layer.weight.detach()[0, masks[regrow].index(1, 1)].item()

        assert 1e-12 == pytest.approx(newborn, rel=1e-6, abs=0)

    assert {"neg_grad": [1, 0, 0, 1, 0], "abs_grad": [1, 0, 1, 0, 0]} == masks


def test_what_has_just_gone_may_come_again():
    """The synapse that fell below zero has the most negative gradient, and so comes back, as new."""
    rewirer, layer = by_hand([0.5, -0.1, 0.0], [True, True, False], [0.0, -3.0, -1.0], rule="deepr")

    rewirer.step(idle(layer), drawn())
    told = rewirer.turnover()["layer"]

    assert [1, 1, 0] == layer.mask[0].int().tolist()
    assert (1, 1, 1) == (told.grown, told.pruned, told.survived)


def test_rigl_exchanges_the_smallest_for_the_largest_gradient():
    """A third of three: |-0.1| goes, the gradient of -7 comes, at weight zero."""
    rewirer, layer = by_hand(
        [0.5, -0.1, 2.0, 0.0, 0.0], [True, True, True, False, False], [0.0, 0.0, 0.0, 3.0, -7.0],
        rule="rigl", regrow="abs_grad", share=1 / 3, last_step=10**9,
    )  # fmt: skip

    rewirer.step(idle(layer), drawn())

    assert [1, 0, 1, 0, 1] == layer.mask[0].int().tolist()
    assert [0.5, 0, 2.0, 0, 0] == layer.weight[0].tolist()


def test_between_two_rewirings_nothing_goes_and_no_sign_flips():
    """With every = 2, θ below zero waits at a tiny positive value for its turn."""
    rewirer, layer = by_hand([0.5, -0.1, 0.0], [True, True, False], [0.0, 1.0, -1.0], rule="deepr", every=2)

    rewirer.step(idle(layer), drawn())

    assert [1, 1, 0] == layer.mask[0].int().tolist()
    assert [0.5, 1e-12, 0] == pytest.approx(layer.weight[0].tolist(), rel=1e-6, abs=1e-20)


def test_absent_synapses_stay_at_zero_under_stale_moments():
    """Adam's memory of a synapse that has gone moves it at every step; it is zero again after every rewiring."""
    layer = DelayLinear(3, 1, 0)
    rewirer = Rewirer({"layer": layer}, Rewiring(rule="static", density=2 / 3), drawn())
    optimiser = torch.optim.Adam([layer.weight], lr=0.1)
    layer.weight.grad = torch.ones(1, 3)
    optimiser.step()
    layer.weight.grad = torch.zeros(1, 3)
    for _ in range(3):
        optimiser.step()
        moved = layer.weight[~layer.mask].abs().sum().item()
        rewirer.step(optimiser, drawn())

        assert moved > 0.01
        assert 0 == layer.weight[~layer.mask].abs().sum()


def test_the_moments_of_what_comes_are_forgotten_and_no_others():
    """Adam has seen gradients of 1 everywhere; after regrowth only the newcomer's moments are zero."""
    rewirer, layer = by_hand([0.5, 0.05, 0.0, 0.0], [True, True, False, False], [1.0] * 4, rule="deepr")
    optimiser = torch.optim.Adam([layer.weight], lr=0.1)
    optimiser.step()
    layer.weight.grad = torch.tensor([[0.0, 0.0, -1.0, -2.0]])

    rewirer.step(optimiser, drawn())

    assert [1, 0, 0, 1] == layer.mask[0].int().tolist()
    for moment in ("exp_avg", "exp_avg_sq"):
        values = optimiser.state[layer.weight][moment][0]
        assert [True, True, True, False] == (values != 0).tolist()


def test_a_delay_rests_while_its_synapse_is_gone():
    """The moments of its position are forgotten when it goes, so that Adam does not carry it on."""
    layer = DelayLinear(2, 1, 6)
    rewirer = Rewirer({"layer": layer}, Rewiring(rule="deepr", density=0.5), drawn())
    optimiser = torch.optim.Adam([layer.position], lr=0.1)
    layer.position.grad = torch.ones(1, 2)
    optimiser.step()
    gone = int(layer.mask[0].int().argmax())
    with torch.no_grad():
        layer.weight[0, gone] = -1.0
    layer.weight.grad = torch.zeros(1, 2)
    layer.weight.grad[0, 1 - gone] = -1.0
    rewirer.step(optimiser, drawn())
    before = layer.position.detach().clone()

    layer.position.grad = torch.zeros(1, 2)
    optimiser.step()

    assert not layer.mask[0, gone]
    assert before[0, gone] == layer.position[0, gone]


@pytest.mark.parametrize("rewiring", ALL_RULES, ids=str)
def test_a_checkpoint_in_the_middle_changes_nothing(rewiring: dict):
    """Weights, masks, signs and turnover are bit for bit those of a training that never stopped."""
    straight, stopped = Trained(**rewiring), Trained(**rewiring)
    for seed in range(5):
        straight.step(seed)
        stopped.step(seed)
    file = io.BytesIO()
    torch.save({"model": stopped.model.state_dict(), "optimiser": stopped.optimiser.state_dict(),
                "rewirer": stopped.rewirer.state()}, file)  # fmt: skip
    state = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    resumed = Trained(**rewiring)
    resumed.model.load_state_dict(state["model"])
    resumed.optimiser.load_state_dict(state["optimiser"])
    resumed.rewirer.restore(state["rewirer"])
    for seed in range(5, 10):
        straight.step(seed)
        resumed.step(seed)

    assert straight.rewirer.turnover() == resumed.rewirer.turnover()
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_what_a_checkpoint_holds_is_not_changed_by_going_on():
    """A restored rewirer keeps copies: the state it came from can be restored again."""
    trained = Trained(rule="deepr")
    state = copy.deepcopy(trained.rewirer.state())
    kept = copy.deepcopy(state)
    trained.rewirer.restore(state)
    for seed in range(4):
        trained.step(seed)

    assert torch.equal(kept["turnover"]["survivors"]["hidden"], state["turnover"]["survivors"]["hidden"])


@pytest.mark.parametrize(
    ("rewiring", "message"),
    [
        ({"rule": "grow"}, "rule must be one of"),
        ({"rule": "set", "regrow": "neg_grad"}, "regrow of rule set"),
        ({"rule": "rigl", "regrow": "neg_grad"}, "regrow of rule rigl"),
        ({"rule": "rigl", "regrow": "abs_grad"}, "last_step must be at least 1"),
        ({"every": 0}, "every must be at least 1"),
        ({"temperature": float("nan")}, "temperature at least 0"),
    ],
)
def test_nonsense_is_refused(rewiring: dict, message: str):
    """Names, numbers and combinations without a meaning."""
    with pytest.raises(ValueError, match=message):
        Rewiring(**rewiring)


def test_regrowth_by_gradient_needs_one():
    """A step without a backward pass says so."""
    rewirer, layer = by_hand([0.5, -0.1, 0.0], [True, True, False], [0.0, 1.0, -1.0], rule="deepr")
    layer.weight.grad = None

    with pytest.raises(ValueError, match="needs the gradient"):
        rewirer.step(idle(layer), drawn())


def test_an_optimiser_of_the_delays_alone_forgets_too():
    """Where weights and delays have an update rule each, both forget the newcomer, and nothing else."""
    rewirer, layer = by_hand([0.5, -0.1, 0.0, 0.0], [True, True, False, False], [0.0, 1.0, -1.0, -2.0], rule="deepr")
    weights, positions = torch.optim.SGD([layer.weight], lr=0.0, momentum=0.9), torch.optim.Adam([layer.position])
    layer.position.grad = torch.ones(1, 4)
    weights.step()
    positions.step()

    rewirer.step(weights, drawn(), positions)

    assert [1, 0, 0, 1] == layer.mask[0].int().tolist()
    assert [True, False, True, False] == (positions.state[layer.position]["exp_avg"][0] != 0).tolist()
    assert 0 == float(weights.state[layer.weight]["momentum_buffer"][0, 3])
