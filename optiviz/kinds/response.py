"""`response`: the updates of optimizers in response to a signal of gradients."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from optiviz.descent.learning_rate import without_tuning
from optiviz.descent.walk import respond
from optiviz.kinds.base import (
    SETTINGS,
    STATUS,
    Column,
    OptimizerEntry,
    Report,
    Row,
    Scene,
    finite_or_none,
)
from optiviz.kinds.fields import AnimationFields, LegendFields, VariationFields
from optiviz.kinds.types import NamedSignal
from optiviz.objective import Array
from optiviz.optimizers.spec import labelled
from optiviz.surfaces.signal import DEFAULT_RATE, DEFAULT_RATES, Signal, find_signal
from optiviz.system.progress import TaskProgress


class ResponseRecipe(VariationFields, LegendFields, AnimationFields):
    """The updates of optimizers in response to a signal of gradients.

    signal is the name of a built-in signal or of a .csv file, or the signal itself.
    """

    kind: Literal["response"] = "response"
    signal: NamedSignal

    @property
    def subject_stem(self) -> str:
        name = self.signal if isinstance(self.signal, str) else self.signal.name
        return name or "signal"

    @property
    def last_step(self) -> int:
        return len(self._resolved.gradient) - 1

    @property
    def _resolved(self) -> Signal:
        """The signal that the recipe names or holds."""
        return find_signal(self.signal) if isinstance(self.signal, str) else self.signal

    def make_scene(self, progress: TaskProgress | None = None) -> "ResponseScene":
        self.check()
        signal = self._resolved
        entries = []
        specs = self.loaded_specs(len(signal.gradient))
        for number, (spec, label) in enumerate(labelled(specs)):
            rates = {spec.name: DEFAULT_RATES.get(spec.name, DEFAULT_RATE)}
            configured = without_tuning(spec, self.lr, rates, "signal")
            assert configured is not None
            update, stopped = respond(signal, configured.optimizer, len(signal.gradient), label)
            entry = ResponseEntry(
                spec=spec,
                label=label,
                configured=configured,
                number=number,
                update=update,
                stopped=stopped,
            )
            entries.append(entry)
        return ResponseScene(title=self.title_for(signal), signal=signal, entries=tuple(entries))


@dataclass(frozen=True, eq=False, kw_only=True)
class ResponseEntry(OptimizerEntry):
    """The response of an optimizer to a signal: update has shape (steps + 1,)."""

    update: Array
    stopped: str = ""  # why third-party code failed, "" if it did not

    @property
    def steps(self) -> int:
        return len(self.update) - 1

    @property
    def stopped_at(self) -> int:
        """The step at which it failed."""
        return int(np.isfinite(self.update).sum())

    def values(self, step: int) -> Array:
        return self.update[[step]]


@dataclass(frozen=True, eq=False, kw_only=True)
class ResponseScene(Scene[ResponseEntry]):
    """A signal of gradients, and the updates of optimizers in response."""

    signal: Signal
    entries: tuple[ResponseEntry, ...] = ()
    quantity = "update"

    def status(self, entry: ResponseEntry, step: int) -> str:
        if not entry.stopped or step < entry.stopped_at:
            return ""
        return f"{entry.stopped.partition(':')[0]} at step {entry.stopped_at}"

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(
            f"{entry.label} {entry.stopped} at step {entry.stopped_at}"
            for entry in self.entries
            if entry.stopped
        )

    @property
    def provides(self) -> Mapping[str, int]:
        return {"response": 1}

    def to_dict(self) -> dict[str, Any]:
        return {
            "signal": self.signal.name,
            "gradient": list(self.signal.gradient),
            "responses": [
                {
                    "label": entry.label,
                    "optimizer": entry.spec.name,
                    "hyperparameters": entry.configured.optimizer.hyperparameters(),
                    "lr_source": entry.configured.source,
                    "update": [finite_or_none(each) for each in entry.update.tolist()],
                }
                for entry in self.entries
            ],
        }

    def rows(self) -> Row:
        yield ["label", "optimizer", "step", "gradient", "update"]
        for entry in self.entries:
            rows = zip(self.signal.gradient, entry.update.tolist(), strict=True)
            for step, row in enumerate(rows):
                yield [entry.label, entry.spec.name, step, *row]

    def report(self, recipe: ResponseRecipe) -> Report:
        """Return one row per optimizer: its settings, its largest and its last update."""
        rows = []
        for entry in self.entries:
            known = entry.update[np.isfinite(entry.update)]
            rows.append(
                [
                    entry.label,
                    "  ".join(entry.settings),
                    f"{known[np.abs(known).argmax()]:.6g}" if known.size else "-",
                    f"{entry.update[-1]:.6g}",
                    f"{entry.stopped} at step {entry.stopped_at}" if entry.stopped else "",
                ]
            )
        numbers = Column("largest update", number=True), Column("last update", number=True)
        return Report([Column("optimizer"), SETTINGS, *numbers, STATUS], rows)
