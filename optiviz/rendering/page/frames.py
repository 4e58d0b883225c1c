"""Live pages in the frames of another page, which has once what is equal in all of them."""

import json
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
    """Return what is equal in all mappings, and what each of them has beside that.

    Mappings within them are taken apart in the same way.
    """
    common: dict[str, Any] = {}
    own = [dict(each) for each in values]
    for key in values[0] if len(values) > 1 else ():
        found = [each.get(key) for each in values]
        if all(isinstance(each, Mapping) for each in found):
            common[key], rest = in_common([each for each in found if isinstance(each, Mapping)])
            for each, part in zip(own, rest, strict=True):
                each[key] = part
        elif all(json.dumps(each) == json.dumps(found[0]) for each in found) and found[0]:
            common[key] = found[0]
            for each in own:
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
