"""A training loop that keeps its checkpoints, and records itself with one line.

Train, then draw the run on the plane of its own path:

    python examples/models/training_run.py
    optiviz run --surface examples/models/training_run.py:problem \
        --checkpoints 'examples/models/trained/step-*.pt' --plane path
"""

from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import optiviz

FOLDER = Path(__file__).parent / "trained"
STEPS, BATCH, EVERY = 300, 64, 10


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 4 * 4, 10),
    )


def digits() -> tuple[Tensor, Tensor]:
    pixels, labels = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    return images, torch.tensor(labels)


def problem() -> optiviz.TorchProblem:
    return optiviz.TorchProblem(network(), cross_entropy, digits(), name="a run of 300 steps")


def train() -> None:
    FOLDER.mkdir(exist_ok=True)
    model, (images, labels) = network(), digits()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    order = torch.Generator().manual_seed(0)
    with optiviz.record(model, FOLDER / "run.npz") as recording:
        for step in range(STEPS + 1):
            if step % EVERY == 0:
                torch.save(model.state_dict(), FOLDER / f"step-{step}.pt")
            batch = torch.randint(len(images), (BATCH,), generator=order)
            optimizer.zero_grad()
            loss = cross_entropy(model(images[batch]), labels[batch])
            recording(loss)
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    torch.set_num_threads(1)  # so that everyone gets the same run
    train()
