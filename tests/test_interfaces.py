"""What a model must offer: an object with these methods is one, whatever its class."""

from softalign.interfaces import LanguageModel, Translator


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


def test_a_model_is_known_by_what_it_can_do():
    assert isinstance(Uniform(), LanguageModel)
    assert isinstance(Copy(), Translator)


def test_a_model_of_one_kind_is_not_one_of_the_other():
    assert not isinstance(Copy(), LanguageModel)
    assert not isinstance(Uniform(), Translator)


def test_the_library_s_language_model_is_one():
    from softalign import language_model

    model = language_model.train([["a", "cat"], ["a", "dog"]], order=2, smoothing="add_k")
    assert isinstance(model, LanguageModel)
    assert model.sentence_log_prob(["a", "cat"]) < 0
