"""A transformer of two layers that learns generated sentences.

optiviz run --surface examples/models/transformer.py:problem --plane random \
        --opt sgd,adam --batch-size 64
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import optiviz

WORDS = [
    *("the", "a", "cat", "dog", "bird", "small", "old", "grey"),
    *("sees", "hears", "follows", "sleeps", "sings", "."),
]
NUMBER_OF = {word: number for number, word in enumerate(WORDS)}
LENGTH, SAMPLES, WIDTH, HEADS = 12, 512, 24, 2


def sentences(seed: int) -> Tensor:
    """Return sequences of words, shape (SAMPLES, LENGTH + 1), from a small grammar."""
    random = torch.Generator().manual_seed(seed)

    def one_of(*words: str) -> str:
        return words[int(torch.randint(len(words), (), generator=random))]

    def noun() -> list[str]:
        adjective = [one_of("small", "old", "grey")] if one_of("yes", "no") == "yes" else []
        return [one_of("the", "a"), *adjective, one_of("cat", "dog", "bird")]

    text: list[str] = []
    while len(text) < SAMPLES * (LENGTH + 1):
        verb = one_of("sees", "hears", "follows", "sleeps", "sings")
        thing = [] if verb in ("sleeps", "sings") else noun()
        text += [*noun(), verb, *thing, "."]
    numbers = [NUMBER_OF[word] for word in text[: SAMPLES * (LENGTH + 1)]]
    return torch.tensor(numbers).reshape(SAMPLES, LENGTH + 1)


class Layer(nn.Module):
    """Causal self-attention and a small dense net, each with a norm before it."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mix = nn.Linear(WIDTH, 3 * WIDTH)
        self.join = nn.Linear(WIDTH, WIDTH)
        self.dense = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-2]
        mixed = self.mix(self.before(x)).unflatten(-1, (3, HEADS, WIDTH // HEADS))
        query, key, value = mixed.transpose(-4, -2).unbind(-3)
        scores = query @ key.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5
        later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        attended = scores.masked_fill(later, -torch.inf).softmax(-1) @ value
        x = x + self.join(attended.transpose(-3, -2).flatten(-2))
        return x + self.dense(self.between(x))


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.word = nn.Embedding(len(WORDS), WIDTH)
        self.place = nn.Embedding(LENGTH, WIDTH)
        self.layers = nn.Sequential(Layer(), Layer())
        self.last = nn.LayerNorm(WIDTH)
        self.output = nn.Linear(WIDTH, len(WORDS))

    def forward(self, words: Tensor) -> Tensor:
        x = self.word(words) + self.place.weight[: words.shape[-1]]
        return self.output(self.last(self.layers(x)))


def loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(outputs.flatten(0, -2), targets.flatten())


def problem() -> optiviz.TorchProblem:
    torch.manual_seed(0)
    text = sentences(seed=0)
    return optiviz.TorchProblem(
        Transformer(), loss, (text[:, :-1], text[:, 1:]), name="a transformer learns sentences"
    )
