"""Positions: by hand, the laws of offsets, and how far each kind reaches."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.positions import (
    KINDS,
    LearnedBias,
    LearnedPositions,
    LinearBias,
    Positions,
    RotaryPositions,
    SinusoidalPositions,
    linear_bias,
    make_positions,
    offset_rotation,
    rotate,
    sinusoidal,
)
from softalign.training import seeded

LAW = settings(derandomize=True, deadline=None, max_examples=25)
SEEDS = st.integers(0, 2**31 - 1)
PLACES = st.integers(-50, 3000)
HALVES = st.integers(1, 6)


def random(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def close(found, expected, tolerance=1e-9):
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


# --- sinusoidal encoding --------------------------------------------------------------------------


@given(st.lists(PLACES, min_size=1, max_size=5), HALVES, st.sampled_from([10_000.0, 100.0]))
@LAW
def test_sinusoidal_is_its_formula(places, half, base):
    size = 2 * half
    found = sinusoidal(torch.tensor(places), size, base=base)
    expected = torch.empty(len(places), size)
    for row, t in enumerate(places):
        for k in range(half):
            angle = t / base ** (2 * k / size)
            expected[row, 2 * k] = math.sin(angle)
            expected[row, 2 * k + 1] = math.cos(angle)
    assert found.dtype == torch.float32
    close(found, expected, 1e-6)


def test_the_paper_s_base():
    found = sinusoidal(torch.tensor([10_000]), 4)
    close(found[0, 2:], torch.tensor([math.sin(100), math.cos(100)]), 1e-6)


def test_angles_are_exact_far_out():
    """In single precision the angle of place 10 million would be wrong by half a radian."""
    far = 10_000_001
    expected = torch.tensor([[math.sin(far), math.cos(far)]])
    close(sinusoidal(torch.tensor([far]), 2), expected, 1e-6)
    turned = rotate(torch.tensor([[1.0, 0.0]]), torch.tensor([far]))
    close(turned, expected.flip(1), 1e-6)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_an_odd_number_of_components_is_refused(size):
    for call in (
        lambda: sinusoidal(torch.arange(2), size),
        lambda: offset_rotation(1, size),
        lambda: rotate(torch.ones(2, size), torch.arange(2)),
        lambda: make_positions("sinusoidal", d_model=size, n_heads=1),
        lambda: make_positions("rotary", d_model=size, n_heads=1),
    ):
        with pytest.raises(ValueError, match=f"{size} components, expected an even number"):
            call()


# --- offsets --------------------------------------------------------------------------------------


@given(PLACES, st.integers(-200, 200), HALVES)
@LAW
def test_one_matrix_carries_every_position_on(place, offset, half):
    here, there = sinusoidal(torch.tensor([place, place + offset]), 2 * half).double()
    close(here @ offset_rotation(offset, 2 * half), there, 1e-5)


@given(st.integers(-99, 99), st.integers(-99, 99), HALVES)
@LAW
def test_rotations_are_orthogonal_and_add_up(one, other, half):
    size = 2 * half
    R, R_other = offset_rotation(one, size), offset_rotation(other, size)
    assert R.dtype == torch.float64
    close(R @ R.T, torch.eye(size, dtype=torch.float64))
    close(R.T, offset_rotation(-one, size))
    close(R @ R_other, offset_rotation(one + other, size))
    assert torch.linalg.det(R) == pytest.approx(1)


def test_a_rotation_by_hand():
    expected = torch.tensor([[math.cos(2), -math.sin(2)], [math.sin(2), math.cos(2)]]).double()
    R = offset_rotation(2, 4, base=100.0)
    close(R[:2, :2], expected, 1e-6)
    slow = torch.tensor([[math.cos(0.2), -math.sin(0.2)], [math.sin(0.2), math.cos(0.2)]]).double()
    close(R[2:, 2:], slow, 1e-6)
    assert R[:2, 2:].eq(0).all()
    assert R[2:, :2].eq(0).all()


# --- rotary positions -----------------------------------------------------------------------------


def test_turning_by_hand():
    vectors = torch.tensor([[1.0, 0, 0, 2], [1, 0, 0, 2]])
    found = rotate(vectors, torch.tensor([0, 3]), base=100.0)
    turned = [math.cos(3), math.sin(3), -2 * math.sin(0.3), 2 * math.cos(0.3)]
    close(found, torch.tensor([[1.0, 0, 0, 2], turned]), 1e-6)


@given(SEEDS, PLACES, PLACES, st.integers(-500, 500), HALVES)
@LAW
def test_a_score_depends_on_the_offset_alone(seed, asks, asked, move, half):
    q, k = random(seed, 2, 1, 2 * half)

    def score(t, other):
        return (rotate(q, torch.tensor([t])) @ rotate(k, torch.tensor([other])).T).item()

    assert score(asks, asked) == pytest.approx(score(asks + move, asked + move), abs=1e-9)
    promised = (q @ offset_rotation(asked - asks, 2 * half) @ k.T).item()
    assert score(asks, asked) == pytest.approx(promised, abs=1e-9)


@given(SEEDS, HALVES)
@LAW
def test_a_turned_vector_keeps_its_length_and_every_pair_does(seed, half):
    vectors = random(seed, 2, 3, 4, 2 * half)
    kept = vectors.clone()
    turned = rotate(vectors, torch.tensor([7, 0, 1, 300]))
    pairs, before = turned.unflatten(-1, (-1, 2)), vectors.unflatten(-1, (-1, 2))
    close(pairs.norm(dim=-1), before.norm(dim=-1))
    assert torch.equal(vectors, kept)
    close(turned[..., 1, :], vectors[..., 1, :])  # position 0
    assert not torch.allclose(turned[..., 2, :], vectors[..., 2, :])
    close(turned[1, 2], rotate(vectors[1, 2], torch.tensor([7, 0, 1, 300])))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_turning_keeps_the_type(dtype):
    vectors = torch.ones(3, 4, dtype=dtype)
    assert rotate(vectors, torch.arange(3)).dtype == dtype
    assert RotaryPositions(4).turn(vectors).dtype == dtype


def test_another_number_of_positions_is_refused():
    unchecked = rotate  # the tests' check of shapes would refuse it first, in other words
    while hasattr(unchecked, "__wrapped__"):
        unchecked = unchecked.__wrapped__
    with pytest.raises(ValueError, match="2 positions for 3 vectors"):
        unchecked(torch.ones(3, 4), torch.arange(2))


# --- biases ---------------------------------------------------------------------------------------


def test_linear_bias_by_hand():
    found = linear_bias(torch.tensor([0, 2]), torch.arange(4), 2)  # slopes 1/16 and 1/256
    distance = torch.tensor([[0.0, 1, 2, 3], [2, 1, 0, 1]])
    close(found, torch.stack([-distance / 16, -distance / 256]), 0)


def test_slopes_of_eight_heads_are_those_of_the_paper():
    found = linear_bias(torch.tensor([1]), torch.tensor([0]), 8)[:, 0, 0]
    assert found.tolist() == [-(2.0**-h) for h in range(1, 9)]


def test_one_head_has_the_last_slope():
    found = linear_bias(torch.tensor([3]), torch.tensor([1]), 1)
    assert found.tolist() == [[[-2 / 256]]]


def test_linear_bias_without_heads_is_refused():
    with pytest.raises(ValueError, match="n_heads is 0"):
        linear_bias(torch.arange(2), torch.arange(2), 0)


@given(SEEDS, st.integers(1, 4), st.integers(1, 5), PLACES, PLACES)
@LAW
def test_learned_bias_is_a_look_up_by_offset_that_is_cut_off(seed, n_heads, reach, t, other):
    positions = LearnedBias(n_heads, reach)
    with torch.no_grad():
        positions.table.copy_(random(seed, 2 * reach + 1, n_heads))
    found = positions.bias(torch.tensor([t, t]), torch.tensor([other]))
    assert found.shape == (n_heads, 2, 1)
    row = min(max(other - t, -reach), reach) + reach
    for head in range(n_heads):
        assert found[head, 0, 0] == found[head, 1, 0] == positions.table[row, head]


def test_learned_bias_begins_at_zero_and_knows_left_from_right():
    positions = LearnedBias(2)
    assert positions.table.shape == (33, 2)
    assert positions.table.eq(0).all()
    with torch.no_grad():
        positions.table[16 + 3, 1] = 5
    found = positions.bias(torch.arange(8), torch.arange(8))
    assert found.nonzero().tolist() == [[1, t, t + 3] for t in range(5)]


def test_learned_bias_is_learnt():
    positions = LearnedBias(1, reach=2)
    positions.bias(torch.tensor([0]), torch.tensor([1, 1, 5])).sum().backward()
    assert positions.table.grad[:, 0].tolist() == [0, 0, 0, 2, 1]


# --- the kinds ------------------------------------------------------------------------------------


def made(kind, **options):
    with seeded(0):
        positions = make_positions(kind, **{"d_model": 8, "n_heads": 2, **options})
        for parameter in positions.parameters():
            torch.nn.init.normal_(parameter)
    return positions


def test_each_kind_works_at_one_place():
    embedded, vectors = torch.ones(2, 3, 8), torch.ones(2, 2, 3, 4)
    places = torch.arange(3)
    touched = {}
    for kind in KINDS:
        positions = made(kind)
        added = not torch.equal(positions.add(embedded), embedded)
        turned = not torch.equal(positions.turn(vectors), vectors)
        touched[kind] = (added, turned, positions.bias(places, places) is not None)
    assert touched == {
        "none": (False, False, False),
        "sinusoidal": (True, False, False),
        "learned": (True, False, False),
        "rotary": (False, True, False),
        "linear bias": (False, False, True),
        "learned bias": (False, False, True),
    }


def test_kinds_have_their_classes_and_sizes():
    classes = [
        Positions,
        SinusoidalPositions,
        LearnedPositions,
        RotaryPositions,
        LinearBias,
        LearnedBias,
    ]
    assert [type(made(kind)) for kind in KINDS] == classes
    assert made("rotary").head_dim == 4
    assert made("linear bias").bias(torch.arange(2), torch.arange(3)).shape == (2, 2, 3)
    assert made("learned", max_length=5).table.shape == (5, 8)
    parameters = {kind: sum(p.numel() for p in made(kind).parameters()) for kind in KINDS}
    assert parameters == dict.fromkeys(KINDS, 0) | {"learned": 256 * 8, "learned bias": 33 * 2}


def test_tables_are_the_functions_and_no_weights():
    added = made("sinusoidal").add(torch.zeros(1, 6, 8))
    close(added[0], sinusoidal(torch.arange(6), 8), 0)
    vectors = random(1, 2, 2, 6, 4)
    turned = made("rotary").turn(vectors)
    close(turned, rotate(vectors, torch.arange(6)), 1e-6)
    for kind in ("sinusoidal", "rotary"):
        assert made(kind).state_dict() == {}


@pytest.mark.parametrize("kind", ["sinusoidal", "learned", "rotary"])
@pytest.mark.parametrize("first", [0, 1, 60, 70, 150])
def test_a_part_of_a_sentence_is_a_slice_of_the_whole(kind, first):
    """Also beyond the 64 positions that are computed first, from wherever one begins."""
    vectors = random(2, 1, first + 5, 8)
    place = (
        (lambda p, *rest: p.turn(*rest)) if kind == "rotary" else (lambda p, *rest: p.add(*rest))
    )
    whole = place(made(kind, n_heads=1), vectors, 0)
    found = place(made(kind, n_heads=1), vectors[:, first:], first)
    close(found, whole[:, first:], 0)
    again = made(kind, n_heads=1)  # a table that has grown keeps its beginning
    place(again, random(3, 1, 200, 8), 0)
    close(place(again, vectors, 0), whole, 0)
    restarted = place(made(kind, n_heads=1), vectors[:, first:], 0)
    assert first == 0 or not torch.allclose(restarted, whole[:, first:])


@pytest.mark.parametrize("kind", KINDS)
def test_positions_begin_at_0_unless_told(kind):
    positions, embedded, vectors = made(kind), random(5, 1, 3, 8), random(6, 1, 2, 3, 4)
    close(positions.add(embedded), positions.add(embedded, 0), 0)
    close(positions.turn(vectors), positions.turn(vectors, 0), 0)


@pytest.mark.parametrize("kind", ["linear bias", "learned bias"])
def test_rows_of_a_bias_are_a_slice_of_the_whole(kind):
    positions, places = made(kind), torch.arange(40)
    whole = positions.bias(places, places)
    close(positions.bias(places[25:30], places[:30]), whole[:, 25:30, :30], 0)


def test_learned_positions_are_rows_of_their_table_and_end_with_it():
    positions = made("learned", max_length=6)
    embedded = random(4, 2, 4, 8)
    kept = embedded.clone()
    close(positions.add(embedded, 2), embedded + positions.table[2:].double())
    assert torch.equal(embedded, kept)
    with pytest.raises(ValueError, match="7 positions and there are vectors for 6"):
        positions.add(embedded, 3)
    with seeded(0):
        drawn = LearnedPositions(64, 100).table
    assert drawn.detach().std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_types_and_devices_are_those_of_what_is_given(kind):
    positions = made(kind)
    for dtype in (torch.float64, torch.bfloat16):
        assert positions.add(torch.ones(1, 3, 8, dtype=dtype)).dtype == dtype
        assert positions.turn(torch.ones(1, 2, 3, 4, dtype=dtype)).dtype == dtype
    elsewhere, places = made(kind).to("meta"), torch.arange(70, device="meta")
    assert elsewhere.add(torch.ones(1, 70, 8, device="meta")).device.type == "meta"
    assert elsewhere.turn(torch.ones(1, 2, 70, 4, device="meta")).device.type == "meta"
    tables = [*elsewhere.buffers(), *elsewhere.parameters()]
    assert all(table.device.type == "meta" for table in tables)  # also those that have grown
    bias = elsewhere.bias(places, places)
    assert bias is None or bias.device.type == "meta"


def test_a_kind_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(ValueError, match="no positions 'circular'; there are: none, sinusoidal"):
        make_positions("circular", d_model=8, n_heads=2)
