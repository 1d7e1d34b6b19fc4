"""What a model must offer: an object with these methods is one, whatever its class."""

import pytest

from softalign.interfaces import LanguageModel, Stepper, Translator


class Uniform:
    """Every word has the same probability."""

    def log_prob(self, word, history):
        return -1.0

    def sentence_log_prob(self, sentence):
        return -1.0 * (len(sentence) + 1)


class Copy:
    """Translates by doing nothing."""

    def translate(self, source):
        return list(source)


class Forever:
    """Writes the same token for ever."""

    bos_id, eos_id, never = 1, 0, (1,)

    def start(self, sources):
        return len(sources)

    def step(self, tokens, state):
        return [[-9.0, -9.0, 0.0]] * len(tokens), state

    def reorder(self, state, rows):
        return len(rows)


def test_a_model_is_known_by_what_it_can_do():
    assert isinstance(Uniform(), LanguageModel)
    assert isinstance(Copy(), Translator)
    assert isinstance(Forever(), Stepper)


def test_a_model_of_one_kind_is_not_one_of_the_other():
    assert not isinstance(Copy(), LanguageModel)
    assert not isinstance(Uniform(), Translator)
    assert not isinstance(Forever(), LanguageModel | Translator)
    assert not isinstance(Uniform(), Stepper)
    assert not isinstance(Copy(), Stepper)


@pytest.mark.parametrize("part", ["bos_id", "eos_id", "never", "start", "step", "reorder"])
def test_a_stepper_lacks_nothing(part):
    parts = {name: value for name, value in vars(Forever).items() if name != part}
    assert not isinstance(type("Lame", (), parts)(), Stepper)


def test_the_library_s_language_model_is_one():
    from softalign import language_model

    model = language_model.train([["a", "cat"], ["a", "dog"]], order=2, smoothing="add_k")
    assert isinstance(model, LanguageModel)
    assert model.sentence_log_prob(["a", "cat"]) < 0


def test_the_library_s_encoder_decoder_is_a_stepper_and_a_translator():
    import torch

    from softalign.encoder_decoder import EncoderDecoder
    from softalign.gru import GRU
    from softalign.text import Vocabulary

    sides = [Vocabulary.from_training([[word]]) for word in ("猫", "cat")]
    model = EncoderDecoder(*sides, GRU(2, 3), GRU(2, 3), embedding_size=2)
    assert isinstance(model, Stepper)
    assert isinstance(model, Translator)
    log_probs, _ = model.step(torch.tensor([model.bos_id]), model.start([[4, 2]]))
    assert log_probs.shape == (1, 5)
    assert model.never == (0, 1, 3)
