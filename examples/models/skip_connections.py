"""A deep convolutional network on digits, with skip connections and without (Li et al., 2018).

Train both, which takes about half a minute, then look at the ground around what they have learned:

    python examples/models/skip_connections.py
    optiviz plot examples/models/skip_connections.py:plain,examples/models/skip_connections.py:skip
"""

from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import optiviz

DEPTH, WIDTH = 20, 8  # blocks of two convolutions, and their channels
EPOCHS, BATCH, RATE = 12, 64, 3e-3
SHOWN = 400  # samples whose loss is drawn
FOLDER = Path(__file__).parent / "trained"


class Block(nn.Module):
    def __init__(self, skips: bool) -> None:
        super().__init__()
        self.skips = skips
        self.first = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.first_norm = nn.BatchNorm2d(WIDTH)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.second_norm = nn.BatchNorm2d(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first_norm(self.first(x)).relu()
        y = self.second_norm(self.second(y))
        return (x + y if self.skips else y).relu()


def network(skips: bool) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, WIDTH, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        *(Block(skips) for _ in range(DEPTH)),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * WIDTH, 10),
    )


def digits() -> tuple[Tensor, Tensor]:
    pixels, labels = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    return images, torch.tensor(labels)


def train(skips: bool) -> None:
    model, (images, labels) = network(skips), digits()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    order = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images), generator=order).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
    FOLDER.mkdir(exist_ok=True)
    torch.save(model.state_dict(), _weights(skips))


def problem(skips: bool) -> optiviz.TorchProblem:
    model, (images, labels) = network(skips), digits()
    model.load_state_dict(torch.load(_weights(skips), weights_only=True))
    name = "with skip connections" if skips else "without skip connections"
    return optiviz.TorchProblem(
        model.eval(), cross_entropy, (images[:SHOWN], labels[:SHOWN]), name=name
    )


def plain() -> optiviz.TorchProblem:
    return problem(skips=False)


def skip() -> optiviz.TorchProblem:
    return problem(skips=True)


def _weights(skips: bool) -> Path:
    return FOLDER / ("skip.pt" if skips else "plain.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)  # so that everyone gets the same weights
    train(skips=False)
    train(skips=True)
