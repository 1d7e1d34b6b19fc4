"""Training: the loss, the steps, the loop, interruptions, and what happens when it diverges."""

from __future__ import annotations

import gc
import math
import time
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from softalign import training
from softalign.training import checkpoint as checkpoints
from softalign.training import cross_entropy, fit, seeded, stepwise

drawn = settings(derandomize=True, deadline=None, max_examples=40)


def same(one, other) -> bool:
    """Whether two modules have the same weights, bit for bit."""
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


# --- seeds, steps, schedules ----------------------------------------------------------------------


def test_a_seeded_block_repeats_itself_and_leaves_no_trace():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    drawn_inside = []
    for _ in range(2):
        with seeded(1):
            drawn_inside.append(torch.rand(3))
    assert torch.equal(*drawn_inside)
    assert not torch.equal(drawn_inside[0], expected)
    assert torch.equal(torch.rand(3), expected)


def test_a_seeded_block_that_fails_leaves_no_trace_either():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with pytest.raises(KeyError), seeded(1):
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


@drawn
@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    asked=st.lists(st.integers(0, 40), min_size=1, max_size=12),
)
def test_the_batch_of_a_step_does_not_depend_on_what_was_asked_before(lengths, asked):
    def epoch_batches(epoch):
        return [(epoch, number) for number in range(lengths[epoch % len(lengths)])]

    in_order = [batch for epoch in range(50) for batch in epoch_batches(epoch)]
    batch_of = stepwise(epoch_batches)
    assert [batch_of(step) for step in asked] == [in_order[step] for step in asked]


def test_going_forward_makes_each_epoch_once():
    made = []
    batch_of = stepwise(lambda epoch: made.append(epoch) or iter("abc"))
    assert "".join(batch_of(step) for step in range(7)) == "abcabca"
    assert made == [0, 1, 2]


def test_one_epoch_at_a_time_is_kept_in_memory():
    class Batch:
        pass

    alive = weakref.WeakSet()

    def epoch_batches(epoch):
        batches = [Batch() for _ in range(3)]
        alive.update(batches)
        return batches

    batch_of = stepwise(epoch_batches)
    for step in (0, 3, 6, 1):
        batch_of(step)
        gc.collect()
        assert len(alive) == 3


def test_steps_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="the step is -1, expected 0 or more"):
        stepwise(lambda epoch: "ab")(-1)
    with pytest.raises(ValueError, match="epoch 1 has no batches"):
        stepwise(lambda epoch: "ab" if epoch == 0 else "")(2)


@drawn
@given(steps=st.integers(1, 50), data=st.data())
def test_the_rate_rises_to_one_and_falls_evenly(steps, data):
    warm_up = data.draw(st.integers(0, steps - 1))
    factors = [training.warm_up_then_decay(warm_up, steps)(step) for step in range(steps)]
    assert max(factors) == 1
    assert min(factors) > 0
    assert factors[warm_up] == 1
    rise, fall = factors[:warm_up], factors[warm_up:]
    assert np.allclose(rise, [(step + 1) / warm_up for step in range(warm_up)])
    assert np.allclose(np.diff(fall), -1 / (steps - warm_up))
    assert training.constant()(steps) == 1


@pytest.mark.parametrize("warm_up", [-1, 6, 7])
def test_a_warm_up_without_an_end_is_refused(warm_up):
    with pytest.raises(ValueError, match=f"warm_up is {warm_up}, expected 0 to 5 for 6 steps"):
        training.warm_up_then_decay(warm_up, 6)


# --- the loss -------------------------------------------------------------------------------------


def test_the_loss_by_hand():
    logits = torch.tensor([[math.log(1.0), math.log(3.0)]])  # probabilities 1/4 and 3/4
    total, count = cross_entropy(logits, torch.tensor([0]))
    assert count == 1
    assert float(total) == pytest.approx(math.log(4))
    smoothed, _ = cross_entropy(logits, torch.tensor([0]), smoothing=0.2)
    assert float(smoothed) == pytest.approx(0.9 * math.log(4) + 0.1 * math.log(4 / 3))
    spread, _ = cross_entropy(logits, torch.tensor([0]), smoothing=0.2, excluded=[0])
    assert float(spread) == pytest.approx(0.8 * math.log(4) + 0.2 * math.log(4 / 3))


@drawn
@given(
    batch=st.integers(1, 4),
    time=st.integers(1, 5),
    vocab=st.integers(1, 6),
    smoothing=st.sampled_from([0.0, 0.1, 0.9]),
    seed=st.integers(0, 99),
)
def test_the_loss_is_torchs(batch, time, vocab, smoothing, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 5 * torch.randn(batch, time, vocab, generator=generator, dtype=torch.float64)
    labels = torch.randint(vocab, (batch, time), generator=generator)
    mask = torch.rand(batch, time, generator=generator) < 0.6
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    total, count = cross_entropy(ours, labels, mask, smoothing=smoothing)
    expected = F.cross_entropy(
        theirs.reshape(-1, vocab),
        labels.masked_fill(~mask, -100).reshape(-1),
        reduction="sum",
        label_smoothing=smoothing,
    )
    assert count == int(mask.sum())
    assert torch.allclose(total, expected, atol=1e-12)
    total.backward()
    expected.backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-12)
    whole, count = cross_entropy(logits, labels, smoothing=smoothing)
    everywhere, _ = cross_entropy(logits, labels, torch.ones_like(mask), smoothing=smoothing)
    assert count == batch * time
    assert torch.equal(whole, everywhere)


def test_what_the_mask_hides_has_no_say_and_no_gradient():
    logits = torch.zeros(1, 3, 2)
    logits[0, 1] = torch.tensor([math.nan, math.inf])
    logits.requires_grad_()
    labels, mask = torch.tensor([[0, -100, 1]]), torch.tensor([[True, False, True]])
    total, count = cross_entropy(logits, labels, mask, smoothing=0.1)
    assert count == 2
    assert float(total.detach()) == pytest.approx(2 * math.log(2))
    total.backward()
    assert torch.equal(logits.grad[0, 1], torch.zeros(2))
    nothing, none = cross_entropy(logits, labels, torch.zeros(1, 3, dtype=torch.bool))
    assert (float(nothing.detach()), none) == (0.0, 0)


def test_smoothing_gives_nothing_to_an_excluded_word():
    logits = torch.zeros(3, requires_grad=True)
    with torch.no_grad():
        logits[0] = -50.0
    total, _ = cross_entropy(logits[None], torch.tensor([1]), smoothing=0.1, excluded=[0])
    total.backward()
    # the gradient is probability minus target: the excluded word's probability, and no target
    assert abs(float(logits.grad[0])) < 1e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_long_sum_in_half_precision_does_not_overflow(dtype):
    logits = torch.zeros(20_000, 100, dtype=dtype)
    logits[:, 0] = 30.0
    total, _ = cross_entropy(logits, torch.ones(20_000, dtype=torch.int64))
    assert total.dtype == torch.float32
    assert float(total) == pytest.approx(600_000, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": torch.tensor([0])}, r"labels have the shape \(1,\), expected \(2,\)"),
        ({"labels": torch.tensor([0, 3])}, "a label is 3, expected 0 to 2"),
        ({"labels": torch.tensor([-1, 0])}, "a label is -1, expected 0 to 2"),
        ({"mask": torch.tensor([True])}, r"the mask is \(1,\), expected \(2,\)"),
        ({"smoothing": 1.0}, "smoothing is 1.0, expected 0 or more and less than 1"),
        ({"smoothing": -0.1}, "smoothing is -0.1"),
        ({"smoothing": 0.1, "excluded": [0, 1, 2]}, "every word is excluded"),
    ],
)
def test_losses_of_what_does_not_fit_are_refused(changes, message):
    given_ = {"logits": torch.zeros(2, 3), "labels": torch.tensor([0, 1])} | changes
    plain = getattr(cross_entropy, "__wrapped__", cross_entropy)  # a student runs it unchecked
    with pytest.raises(ValueError, match=message):
        plain(**given_)


def test_a_mask_of_numbers_is_refused():
    plain = getattr(cross_entropy, "__wrapped__", cross_entropy)
    with pytest.raises(TypeError, match=r"the mask is torch.float32, expected boolean"):
        plain(torch.zeros(2, 3), torch.tensor([0, 1]), torch.ones(2))


# --- the loop -------------------------------------------------------------------------------------


def regression(dropout=0.0):
    """A small network that learns a sine, its batches, its loss and its validation."""
    with seeded(3):
        model = torch.nn.Sequential(
            torch.nn.Linear(1, 16),
            torch.nn.Tanh(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(16, 1),
        )

    def epoch_batches(epoch):
        x = torch.from_numpy(np.random.default_rng(epoch).uniform(-2, 2, size=(3, 8, 1))).float()
        return list(zip(x, torch.sin(x), strict=True))

    def loss_of(model, batch):
        x, y = batch
        return ((model(x) - y) ** 2).sum(), len(x)

    grid = torch.linspace(-2, 2, 21)[:, None]

    def validate(model):
        assert not model.training
        assert not torch.is_grad_enabled()
        return float(((model(grid) - torch.sin(grid)) ** 2).mean())

    return model, stepwise(epoch_batches), loss_of, validate


def train(steps=30, dropout=0.3, **changes):
    """Train the small network; return it with its history."""
    model, batch_of, loss_of, validate = regression(dropout)
    settings_ = {
        "steps": steps,
        "learning_rate": 0.01,
        "seed": 0,
        "validate": validate,
        "every": 5,
        "progress": False,
    }
    return model, fit(model, batch_of, loss_of, **(settings_ | changes))


def timeless(history):
    """Everything of a history but its seconds."""
    return {name: value for name, value in vars(history).items() if name != "seconds"}


def one_weight(value=1.0):
    """A model with one weight, whose loss ``w * batch`` has the gradient ``batch``."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, value)
    return model, lambda model, batch: (model.weight.sum() * batch, 1)


def test_three_steps_by_hand():
    model, loss_of = one_weight()
    history = fit(
        model,
        lambda step: [1.0, 2.0, 10.0][step],
        loss_of,
        steps=3,
        learning_rate=0.1,
        seed=0,
        optimiser="sgd",
        schedule=lambda step: [1.0, 0.5, 1.0][step],
        clip=4.0,
        progress=False,
    )
    # 1 - 0.1*1 = 0.9; 0.9 - 0.05*2 = 0.8; the gradient 10 is clipped to 4: 0.8 - 0.1*4 = 0.4
    assert model.weight.item() == pytest.approx(0.4)
    assert history.losses == pytest.approx((1.0, 1.8, 8.0))
    assert history.norms == pytest.approx((1.0, 2.0, 10.0))
    assert (history.validations, history.best_step, history.steps) == ((), 3, 3)
    assert 0 < history.seconds < 60


def test_seconds_are_of_the_processor_not_of_the_clock():
    model, loss_of = one_weight()
    options = {"learning_rate": 0.1, "seed": 0, "progress": False}
    fit(model, lambda step: 1.0, loss_of, steps=2, **options)  # whatever is done only once
    history = fit(model, lambda step: time.sleep(0.5) or 1.0, loss_of, steps=2, **options)
    assert history.seconds < 1


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("clip", [None, 0.05])
def test_the_loop_is_the_one_that_everybody_writes(optimiser, clip):
    model, history = train(dropout=0.0, optimiser=optimiser, clip=clip, validate=None)
    plain, batch_of, loss_of, _ = regression()
    chosen = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimiser](
        plain.parameters(), lr=0.01
    )
    losses = []
    for step in range(30):
        chosen.zero_grad()
        total, count = loss_of(plain, batch_of(step))
        (total / count).backward()
        if clip is not None:
            norm = torch.sqrt(sum((p.grad**2).sum() for p in plain.parameters()))
            for parameter in plain.parameters():
                parameter.grad *= min(1.0, clip / float(norm))
        chosen.step()
        losses.append(total.item() / count)
    assert np.allclose(history.losses, losses, rtol=1e-5)
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_it_learns():
    _, history = train(steps=400, dropout=0.0, learning_rate=0.02)
    assert history.validations[-1][1] < 0.01 < history.validations[0][1]


def test_the_model_ends_with_its_best_weights_and_ready_to_use():
    worse = iter([3.0, 1.0, math.nan, 2.0, 1.0, 5.0])
    seen = []

    def validate(model):
        seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return next(worse)

    model, history = train(validate=validate)
    assert [step for step, _ in history.validations] == [5, 10, 15, 20, 25, 30]
    assert history.best_step == 10  # the first of the two
    assert all(torch.equal(model.state_dict()[name], seen[1][name]) for name in seen[1])
    assert not torch.equal(seen[1]["0.weight"], seen[-1]["0.weight"])
    assert not model.training


def test_without_a_finite_validation_the_last_weights_stay():
    model, history = train(validate=lambda model: math.inf)
    last, _ = train(validate=None)
    assert history.best_step == 30
    assert same(model, last)


def test_the_last_step_is_validated_whatever_the_rhythm():
    _, history = train(steps=7, every=3)
    assert [step for step, _ in history.validations] == [3, 6, 7]
    _, history = train(steps=25, every=None)
    assert [step for step, _ in history.validations][:3] == [2, 4, 6]
    assert history.validations[-1][0] == 25


def test_the_same_arguments_give_the_same_numbers_and_another_seed_others():
    (one, first), (two, second), (_, other) = train(), train(), train(seed=1)
    assert same(one, two)
    assert timeless(first) == timeless(second)
    assert first.losses != other.losses


def test_validating_more_often_changes_nothing_of_the_training():
    def noisy(model):
        return float(torch.rand(()))

    _, often = train(every=1, validate=noisy)
    _, seldom = train(every=30, validate=noisy)
    _, never = train(validate=None)
    assert often.losses == seldom.losses == never.losses


def test_a_model_in_evaluation_mode_is_trained_with_dropout_all_the_same():
    model, batch_of, loss_of, _ = regression(0.3)
    model.eval()
    history = fit(
        model, batch_of, loss_of, steps=30, learning_rate=0.01, seed=0, progress=False
    )  # fmt: skip
    assert history.losses == train(validate=None)[1].losses


def test_no_random_generator_of_the_caller_is_touched():
    torch.manual_seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    train(steps=3)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"every": 0}, "every is 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"clip": -1.0}, "clip -1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        train(**changes)


def test_an_unknown_optimiser_and_an_empty_batch_are_refused():
    model, batch_of, loss_of, _ = regression()
    plain = getattr(fit, "__wrapped__", fit)
    with pytest.raises(ValueError, match="the optimiser is 'lion', expected adam or sgd"):
        plain(model, batch_of, loss_of, steps=1, learning_rate=1.0, seed=0, optimiser="lion")
    with pytest.raises(ValueError, match="the batch of step 0 counts 0 items"):
        fit(
            model,
            lambda step: (torch.zeros(0, 1), torch.zeros(0, 1)),
            loss_of,
            steps=1,
            learning_rate=1.0,
            seed=0,
            progress=False,
        )


@pytest.mark.parametrize(
    ("variable", "progress", "shown"),
    [(None, True, True), ("1", True, False), ("0", True, True), (None, False, False)],
)
def test_the_bar_can_be_turned_off(monkeypatch, capfd, variable, progress, shown):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    if variable is not None:
        monkeypatch.setenv("TQDM_DISABLE", variable)
    train(steps=3, progress=progress)
    assert ("step/s" in capfd.readouterr().err) == shown


# --- interruptions --------------------------------------------------------------------------------


class Interrupted(Exception):
    """In place of a power cut."""


def interrupted_at(step, path, **changes):
    """Train with a checkpoint until a step, which fails."""
    _, batch_of, _, _ = regression()

    def failing(number):
        if number == step:
            raise Interrupted
        return batch_of(number)

    model, _, loss_of, validate = regression(0.3)
    settings_ = {
        "steps": 30,
        "learning_rate": 0.01,
        "seed": 0,
        "validate": validate,
        "every": 5,
        "progress": False,
        "checkpoint": path,
    }
    with pytest.raises(Interrupted):
        fit(model, failing, loss_of, **(settings_ | changes))


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("step", [3, 5, 13, 29])
def test_a_resumed_training_ends_with_the_same_numbers_bit_for_bit(tmp_path, step, optimiser):
    schedule = training.warm_up_then_decay(4, 30)
    whole, expected = train(optimiser=optimiser, schedule=schedule)
    path = tmp_path / "folder" / "run.pt"
    interrupted_at(step, path, optimiser=optimiser, schedule=schedule)
    assert path.exists() == (step >= 5)
    torch.manual_seed(99)  # another process has another state
    model, history = train(optimiser=optimiser, schedule=schedule, checkpoint=path)
    assert same(model, whole)
    assert timeless(history) == timeless(expected)
    again, finished = train(optimiser=optimiser, schedule=schedule, checkpoint=path)
    assert same(again, whole)
    assert timeless(finished) == timeless(expected)


def test_the_best_weights_survive_an_interruption(tmp_path):
    values = {5: 1.0, 10: 2.0, 15: 3.0, 20: 4.0, 25: 5.0, 30: 6.0}

    def validating():
        steps = iter(values)
        return lambda model: values[next(steps)]

    whole, expected = train(validate=validating())
    path = tmp_path / "run.pt"
    interrupted_at(12, path, validate=validating())
    rest = iter([15, 20, 25, 30])
    model, history = train(validate=lambda model: values[next(rest)], checkpoint=path)
    assert history.best_step == expected.best_step == 5
    assert same(model, whole)


def test_seconds_before_an_interruption_are_counted(tmp_path):
    path = tmp_path / "run.pt"
    interrupted_at(12, path)
    content = torch.load(path, weights_only=True)
    content["state"]["seconds"] = 1000.0
    torch.save(content, path)
    _, history = train(checkpoint=path)
    assert 1000 < history.seconds < 1060


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"learning_rate": 0.02}, r"learning_rate differs \(0.01, here 0.02\)"),
        ({"seed": 1}, "seed differs"),
        ({"steps": 31}, "steps differs"),
        ({"clip": None}, "clip differs"),
        ({"every": 6}, "every differs"),
        ({"optimiser": "sgd"}, "optimiser differs"),
        ({"validate": None}, "validate differs"),
        ({"schedule": lambda step: 0.5}, "schedule differs"),
    ],
)
def test_the_checkpoint_of_another_configuration_is_refused(tmp_path, changes, name):
    path = tmp_path / "run.pt"
    train(checkpoint=path)
    with pytest.raises(training.CheckpointError, match=name) as problem:
        train(checkpoint=path, **changes)
    assert "\n" not in str(problem.value)


def test_the_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    train(checkpoint=path)
    model, batch_of, loss_of, validate = regression(0.3)
    with torch.no_grad():
        model[0].weight[0] += 1e-6
    options = {"learning_rate": 0.01, "seed": 0, "validate": validate, "every": 5}
    with pytest.raises(training.CheckpointError, match="whose weights differs"):
        fit(model, batch_of, loss_of, steps=30, checkpoint=path, progress=False, **options)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a file"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(training.CheckpointError, match="is not a checkpoint that can be read"):
        train(checkpoint=path)
    assert path.read_bytes() == content


def test_a_checkpoint_runs_no_code_when_it_is_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit",))

    path = tmp_path / "run.pt"
    torch.save({"configuration": {}, "state": Trap()}, path)
    with pytest.raises(training.CheckpointError, match="is not a checkpoint"):
        train(checkpoint=path)


def test_a_failed_write_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    train(checkpoint=path)
    before = path.read_bytes()

    def full(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.write(path, {}, {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


# --- divergence -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_with_its_step_and_the_last_good_weights(bad):
    model, loss_of = one_weight()
    factors = [1.0, 1.0, bad, 1.0]
    with pytest.raises(training.Diverged, match=f"the loss is {bad} at step 2") as stop:
        fit(
            model,
            factors.__getitem__,
            loss_of,
            steps=4,
            learning_rate=0.1,
            seed=0,
            optimiser="sgd",
            progress=False,
        )
    assert stop.value.step == 2
    assert stop.value.history.losses == pytest.approx((1.0, 0.9))
    # two updates were done; the weights after the second gave the bad loss
    assert stop.value.history.best_step == 1
    assert model.weight.item() == pytest.approx(0.9)
    assert not model.training
    assert "\n" not in str(stop.value)


def test_a_gradient_that_is_not_finite_stops_too():
    model, _ = one_weight(4.0)

    def loss_of(model, batch):  # the square root has an infinite slope at 0
        return (model.weight * batch).sum().sqrt(), 1

    with pytest.raises(training.Diverged, match="the gradient's norm is nan at step 1") as stop:
        fit(
            model, [1.0, 0.0].__getitem__, loss_of, steps=2, learning_rate=0.1, seed=0,
            progress=False, clip=None,
        )  # fmt: skip
    assert stop.value.step == 1
    assert model.weight.item() == 4.0


def test_divergence_at_the_first_step_keeps_the_initial_weights():
    model, loss_of = one_weight(0.5)
    with pytest.raises(training.Diverged, match="at step 0") as stop:
        fit(model, lambda s: math.nan, loss_of, steps=2, learning_rate=1.0, seed=0, progress=False)
    assert model.weight.item() == 0.5
    assert stop.value.history.steps == 0


def test_a_rate_that_is_too_high_is_caught_before_the_weights_are_lost():
    model, batch_of, loss_of, _ = regression()
    with pytest.raises(training.Diverged) as stop:
        fit(
            model, batch_of, loss_of, steps=500, learning_rate=1e6, seed=0, optimiser="sgd",
            clip=None, progress=False,
        )  # fmt: skip
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())
    assert math.isfinite(stop.value.history.losses[-1])


def test_a_resumed_training_diverges_as_the_whole_one(tmp_path):
    def run(checkpoint, fail_at=None):
        model, loss_of = one_weight()

        def batch_of(step):
            if step == fail_at:
                raise Interrupted
            return [1.0, 1.0, math.nan][step]

        with pytest.raises((training.Diverged, Interrupted)) as stop:
            fit(
                model, batch_of, loss_of, steps=3, learning_rate=0.1, seed=0, optimiser="sgd",
                every=1, checkpoint=checkpoint, progress=False,
            )  # fmt: skip
        return model.weight.item(), stop.value

    weight, stop = run(None)
    run(tmp_path / "run.pt", fail_at=2)
    again, resumed = run(tmp_path / "run.pt")
    assert weight == again
    assert timeless(stop.history) == timeless(resumed.history)
