"""Values on the wire: they come back as they are, and no text does anything but fail."""

from __future__ import annotations

import base64
import json
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign_course.wire import WireError, decode, encode

LAW = settings(derandomize=True, deadline=None, max_examples=200)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def same(a, b):
    if isinstance(a, float) and a != a:
        return type(b) is float and b != b
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


@LAW
@given(VALUES)
def test_a_value_comes_back_as_it_is(value):
    assert same(value, decode(encode(value)))


@pytest.mark.parametrize(
    "dtype",
    [
        torch.bool,
        torch.uint8,
        torch.int32,
        torch.int64,
        torch.float16,
        torch.float32,
        torch.float64,
    ],
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_a_tensor_comes_back_bit_for_bit(dtype, shape):
    value = (torch.arange(int(np.prod(shape)) or 1)[: int(np.prod(shape))] % 2).reshape(shape)
    value = value.to(dtype)
    back = decode(encode(value))
    assert back.dtype == dtype
    assert back.shape == torch.Size(shape)
    assert torch.equal(back, value)


def test_views_gradients_and_subclasses_arrive_as_plain_numbers():
    class Yes(torch.Tensor):
        def __eq__(self, other):
            return True

        __hash__ = None

    base = torch.arange(6.0).reshape(2, 3)
    back = decode(encode([base.T.as_subclass(Yes), base.clone().requires_grad_() * 2]))
    assert type(back[0]) is torch.Tensor
    assert torch.equal(back[0], base.T)
    assert not back[1].requires_grad
    assert torch.equal(back[1], base * 2)
    assert decode(encode(np.float32(0.5))) == 0.5
    assert torch.equal(decode(encode(np.arange(3))), torch.arange(3))


@pytest.mark.parametrize("value", [object(), print, {1: object()}, np.array(["a"]), 1j, b"bytes"])
def test_what_cannot_be_compared_is_refused_in_one_sentence(value):
    with pytest.raises(WireError, match="cannot be compared"):
        encode(value)


def test_a_value_nested_too_deep_is_refused():
    value: list = []
    value.append(value)
    with pytest.raises(WireError, match="nested"):
        encode(value)
    with pytest.raises(WireError):
        decode("[" * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '["tensor"]',
        '["tensor", "float32", [2], ""]',
        '["tensor", "float32", [-1], ""]',
        '["tensor", "float32", [1e9], "AAAA"]',
        '["tensor", "object", [1], "AAAAAAAAAAA="]',
        '["tensor", "O", [1], "AAAAAAAAAAA="]',
        '["tensor", "float32", "x", "AAAA"]',
        '["dict", [[["list", []], 1]]]',
        '["list", 3]',
        '["set", [["dict", []]]]',
        '["class", []]',
        '["list", ["a", "b"], "c"]',
        json.dumps(["pickle", [base64.b64encode(pickle.dumps(print)).decode()]]),
    ],
)
def test_a_forged_text_can_only_fail(text):
    with pytest.raises(WireError):
        decode(text)


@LAW
@given(st.binary() | st.text())
def test_no_text_at_all_raises_anything_else(text):
    try:
        decode(text)
    except WireError:
        return
    assert isinstance(text, (bytes, str))
