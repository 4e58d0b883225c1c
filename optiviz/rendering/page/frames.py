"""Live pages in the frames of another page, which has once what is equal in most of them."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from optiviz.rendering.page import page_pieces, policy_hash, shared_parts
from optiviz.rendering.page.text import embedded
from optiviz.themes import Theme

VALUES = "scene", "comment"  # parts that are JSON


def embedded_pages(pages: Mapping[str, Mapping[str, str]], themes: Mapping[str, Theme]) -> str:
    """Return JSON from which frames.js assembles pages, given the parts of each by its name."""
    parts = [
        {key: json.loads(part) if key in VALUES else part for key, part in each.items()}
        for each in pages.values()
    ]
    shared, own = in_common(parts)
    return embedded(
        {
            "pieces": page_pieces(),
            "shared": shared_parts(themes) | shared,
            "own": dict(zip(pages, own, strict=True)),
            "values": VALUES,
        }
    )


def in_common(
    values: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what several mappings have in common, and what each of them has instead or beside it.

    Of a key that all have, that is the value that most have. Mappings within mappings are taken
    apart in the same way.
    """
    common: dict[str, Any] = {}
    own = [dict(each) for each in values]
    for key in values[0] if len(values) > 1 else ():
        if not all(key in each for each in values):
            continue
        found = [each[key] for each in values]
        if all(isinstance(each, Mapping) for each in found):
            common[key], rest = in_common(found)
            for each, part in zip(own, rest, strict=True):
                each[key] = part
            continue
        texts = [json.dumps(each) for each in found]  # in which 1 is not true
        ((text, many),) = Counter(texts).most_common(1)
        if many > 1:
            common[key] = json.loads(text)
            for each, said in zip(own, texts, strict=True):
                if said == text:
                    del each[key]
    return common, own


def framed_policy(
    styles: Iterable[str], scripts: Iterable[str], pages: Iterable[Mapping[str, str]],
    themes: Mapping[str, Theme],
) -> str:  # fmt: skip
    """Return the Content-Security-Policy of a page around others, which holds in these, too."""
    shared = shared_parts(themes)
    told = ["default-src 'none'", "img-src data:", "media-src data:", "worker-src blob:"]
    scripts = [*scripts, shared["script"], *(parts["programs"] for parts in pages)]
    for name, texts in (("style-src", [*styles, shared["style"]]), ("script-src", scripts)):
        told.append(" ".join([name, *dict.fromkeys(f"'{policy_hash(each)}'" for each in texts)]))
    return "; ".join(told)


def frames_script() -> str:
    """Return the script that assembles pages, which goes before that of the page around them."""
    return files(__name__.rpartition(".")[0]).joinpath("frames.js").read_text("utf-8")
