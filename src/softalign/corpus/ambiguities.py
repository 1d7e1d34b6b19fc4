"""Chinese words of the corpus with several English readings, and what settles each of them.

A *far* ambiguity is settled by a word five or more tokens away or in another clause: no 3-gram sees
it. A *near* one is settled by a neighbour: a language model can help.

Page: corpus
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from softalign.corpus.build import Pair

FAR = 5  # tokens
NEAR = 3
BREAKS = frozenset("，。？")


class Reading(NamedTuple):
    """One reading: its English words, and the Chinese words that ask for it."""

    name: str
    english: frozenset[str]
    settlers: frozenset[str]


class Ambiguity(NamedTuple):
    """A Chinese word with several readings.

    Attributes
    ----------
    name, word
        What is ambiguous; the word of the Chinese sentence that shows it.
    readings
        Its readings.
    settled_by
        A sentence on what decides.
    far
        Whether the deciding word can be five or more tokens away or in another clause.
    offset
        The reading is visible in the English word that many places after the linked one.
    """

    name: str
    word: str
    readings: tuple[Reading, ...]
    settled_by: str
    far: bool
    offset: int = 0


class Occurrence(NamedTuple):
    """One ambiguous word in one sentence."""

    pair: Pair
    reading: str
    place: int
    settler: int
    distance: int
    same_clause: bool


def _reading(name: str, english: str, settlers: str) -> Reading:
    return Reading(name, frozenset(english.split()), frozenset(settlers.split()))


_TEXT = "书 小说 报纸 杂志 故事书 课本 诗集 漫画 传记 剧本"
_SHOW = "电视 电影 节目 电视剧 纪录片 动画片 比赛 演出 歌剧 木偶戏"
_HE = "他 爸爸 弟弟 爷爷 哥哥 叔叔 丈夫 儿子 小明 王先生 大卫 汤姆 赵先生 约翰 彼得 保罗 马可 卡尔"
_SHE = "她 妈妈 姐姐 奶奶 妹妹 阿姨 女儿 小红 李女士 安娜 玛丽 刘女士 小芳 海伦 露西 周女士 苏菲"
_THEY = "他们 她们 这些 那些 和 孩子们 学生们 同事们 客人们 老师们"
_VERBS = "看 买 写 吃 喝 学 打 听 唱 做 修 洗 等 帮助 借 找 画 喂 去 参观 种 回答 解决"
_PLACES = "图书馆 学校 超市 公园 书店 商场 办公室 教室 饭馆 咖啡馆 火车站 家 花园 院子 厨房 体育馆"

AMBIGUITIES: tuple[Ambiguity, ...] = (
    Ambiguity(
        "打 + duration",
        "打",
        (
            _reading("talk", "talked", "电话"),
            _reading("play", "played", "篮球 网球 扑克"),
            _reading("type", "typed", "字"),
        ),
        "the object, after the duration: 打 了 两 个 小时 的 电话",
        True,
    ),
    Ambiguity(
        "看",
        "看",
        (
            _reading("read", "read", _TEXT),
            _reading("watch", "watched watching watches watch", _SHOW),
        ),
        "the object, after a duration or a relative clause: 看 了 小明 昨天 推荐 的 电影",
        True,
    ),
    Ambiguity(
        "开 + duration",
        "开",
        (_reading("drive", "drove", "车"), _reading("meet", "had", "会")),
        "the object, after the duration: 开 了 两 个 小时 的 会",
        True,
    ),
    Ambiguity(
        "做 + duration",
        "做",
        (_reading("cook", "cooked", "饭"), _reading("do", "did", "作业 家务")),
        "the object, after the duration: 做 了 两 个 小时 的 饭",
        True,
    ),
    Ambiguity(
        "几",
        "几",
        (_reading("how many", "how", "？"), _reading("a few", "few", "。")),
        "the mark at the end of the sentence",
        True,
    ),
    Ambiguity(
        "老",
        "老",
        (_reading("tough", "tough", "牛肉 羊肉 鸡肉"), _reading("old", "old", "位 个")),
        "the noun in the other clause: 虽然 有点儿 老 ， 但是 那 块 牛肉 很 好吃",
        True,
    ),
    Ambiguity(
        "高",
        "高",
        (_reading("high", "high", "山 塔"), _reading("tall", "tall", "树 位 个")),
        "the noun in the other clause: 虽然 不 太 高 ， 但是 那 座 山 很 有名",
        True,
    ),
    Ambiguity(
        "大",
        "大",
        (_reading("loud", "loud", "声音"), _reading("big", "big", "西瓜")),
        "the noun in the other clause: 虽然 不 大 ， 但是 那 个 声音 很 好听",
        True,
    ),
    Ambiguity(
        "问题",
        "问题",
        (
            _reading("question", "question questions", "回答"),
            _reading("problem", "problem problems", "解决"),
        ),
        "the verb, before the relative clause: 解决 了 老师 昨天 提出 的 问题",
        True,
    ),
    Ambiguity(
        "表",
        "表",
        (_reading("watch", "watch watches", "修"), _reading("form", "form forms", "填")),
        "the verb, before the relative clause: 填 了 小明 昨天 带来 的 表",
        True,
    ),
    Ambiguity(
        "dropped subject",
        "，",
        (_reading("he", "he", _HE), _reading("she", "she", _SHE), _reading("they", "they", _THEY)),
        "the subject of the clause before the comma",
        True,
        offset=1,
    ),
    Ambiguity(
        "自己",
        "自己",
        (
            _reading("his", "his", _HE),
            _reading("her", "her", _SHE),
            _reading("their", "their", _THEY),
        ),
        "the subject of the sentence, before the verb and what stands between",
        True,
    ),
    Ambiguity(
        "很 and the tense",
        "很",
        (_reading("past", "was were", "没有 了"), _reading("present", "is are am", "会 打算 每天")),
        "the verb of the other clause: 因为 他 很 累 ， 所以 没有 去 / 不 会 去",
        True,
    ),
    Ambiguity(
        "在",
        "在",
        (_reading("place", "in at by", _PLACES), _reading("going on", "is are am", _VERBS)),
        "the next word, a place or a verb",
        False,
    ),
    Ambiguity(
        "想",
        "想",
        (_reading("want", "want wants", _VERBS), _reading("miss", "miss misses", "很")),
        "a verb after it, or 很 before it",
        False,
    ),
    Ambiguity(
        "杯",
        "杯",
        (
            _reading("cup", "cup cups", "茶 咖啡 豆浆 热巧克力"),
            _reading("glass", "glass glasses", "水 牛奶 果汁 啤酒 柠檬水"),
        ),
        "what is in it",
        False,
    ),
    Ambiguity(
        "块",
        "块",
        (
            _reading("piece", "piece pieces", "牛肉 羊肉 鸡肉 面包 巧克力 奶酪 豆腐 火腿"),
            _reading("yuan", "yuan", "钱"),
        ),
        "the next word",
        False,
    ),
    Ambiguity(
        "花",
        "花",
        (_reading("spend", "spent", "块"), _reading("flower", "flower flowers", "朵 种 的 小")),
        "a sum after it, or a verb or measure word before it",
        False,
    ),
    Ambiguity(
        "借",
        "借",
        (_reading("lend", "lent", "给"), _reading("borrow", "borrow borrowed", "了 过 词典 书")),
        "给 after it",
        False,
    ),
    Ambiguity(
        "长",
        "长",
        (_reading("grow", "growing", "得"), _reading("long", "long", "很 非常 特别")),
        "得 after it, or an adverb before it",
        False,
    ),
    Ambiguity(
        "他",
        "他",
        (
            _reading("he", "he", _VERBS + " 昨天 每天 会 很 没有 正在"),
            _reading("him", "him", "给 了 跟 送给"),
            _reading("his", "his", "爸爸 妈妈 哥哥 姐姐 弟弟 妹妹 爷爷 奶奶 叔叔 阿姨"),
        ),
        "whether it stands before a verb, after one, or before a relative",
        False,
    ),
    Ambiguity(
        "怎么",
        "怎么",
        (_reading("why", "why", "没有"), _reading("how", "how", "去")),
        "the next word",
        False,
    ),
)
"""The ambiguities of the corpus, those settled far away first."""


def occurrences(pairs: Iterable[Pair], ambiguity: Ambiguity) -> Iterator[Occurrence]:
    """Yield where an ambiguous word occurs with what settles it.

    The distance is counted to the nearest word that asks for the reading the target shows. A word
    without such a word in its sentence is passed over.

    Page: 01_smt/rule_based
    """
    for pair in pairs:
        if ambiguity.word not in pair.source:
            continue
        for place, word in enumerate(pair.source):
            if word != ambiguity.word:
                continue
            linked = [j + ambiguity.offset for i, j in sorted(pair.possible) if i == place]
            shown = {pair.target[j] for j in linked if j < len(pair.target)}
            for reading in ambiguity.readings:
                if not shown & reading.english:
                    continue
                places = [k for k, w in enumerate(pair.source) if w in reading.settlers]
                places = [k for k in places if k != place]
                if ambiguity.offset:  # what is dropped refers back
                    places = [k for k in places if k < place]
                if places:
                    settler = min(places, key=lambda k: (abs(k - place), k))
                    between = pair.source[min(place, settler) + 1 : max(place, settler)]
                    yield Occurrence(
                        pair,
                        reading.name,
                        place,
                        settler,
                        abs(settler - place),
                        not BREAKS & {*between, word},
                    )


def is_far(occurrence: Occurrence) -> bool:
    """Whether a window of a few words around the ambiguous one cannot see what settles it.

    Page: corpus
    """
    return occurrence.distance >= FAR or not occurrence.same_clause
