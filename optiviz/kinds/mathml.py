"""Formulas of LaTeX as MathML, as browsers show it and readers of screens say it."""

import re
from html import unescape
from xml.etree import ElementTree

from optiviz.system.errors import InputError

# What a formula needs. Links, styles and identifiers, which LaTeX also has, are none of it.
ATTRIBUTES = {
    *("accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth"),
    *("displaystyle", "fence", "form", "height", "largeop", "linethickness", "lspace", "mathsize"),
    *("mathvariant", "maxsize", "minsize", "movablelimits", "rowlines", "rowspacing", "rspace"),
    *("scriptlevel", "separator", "stretchy", "symmetric", "width"),
}
SCRIPTS = "msub", "msup", "msubsup"
TIGHT = {"lspace": "0", "rspace": "0"}
BARS, SIGNS = {*"|‖∣∥"}, {*"+−±∓"}
ENDS = {"", *")]}|‖∣∥′!∞"}  # after which a sign adds or subtracts
# What changes the meaning of later formulas, and can make a short one long without end.
DEFINING = re.compile(
    r"\\(?:[egx]?def|let|(?:re)?new(?:command|environment)|(?:provide|Declare)[A-Za-z]+)(?![A-Za-z])"
)
ARGUMENT = re.compile(r"\\arg(?![A-Za-z])")  # which the library lacks
COMMAND = re.compile(r"\\[A-Za-z]+|\\.")


def mathml(formula: str) -> str:
    """Return a formula of LaTeX as MathML; raise InputError if it is not known, or no formula."""
    from latex2mathml.converter import convert_to_element  # reads a table of all symbols

    bare = re.sub(r"\\.", "", formula)
    if bare.count("{") != bare.count("}"):
        raise InputError(f"formula {formula!r}: its braces do not match")
    if found := DEFINING.search(formula):
        raise InputError(f"formula {formula!r}: {found[0]} is no part of a formula")
    try:
        root = convert_to_element(ARGUMENT.sub(r"\\operatorname{arg}", formula))
    except Exception as error:  # the library raises anything for what it does not know
        said = str(error) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
        raise InputError(f"formula {formula!r} is not known LaTeX: {said}") from None
    root.attrib.clear()
    for element in root.iter():
        element.text = element.text and unescape(element.text)
        if unknown := COMMAND.match(element.text or ""):
            raise InputError(f"formula {formula!r}: {unknown[0]} is not known LaTeX")
        if strange := sorted(element.attrib.keys() - ATTRIBUTES):
            raise InputError(f"formula {formula!r}: {strange[0]} is no part of a formula")
    _unwrap(root)
    for element in root.iter():
        _space(element)
    root.set("alttext", formula)
    return ElementTree.tostring(root, encoding="unicode")


def _unwrap(element: ElementTree.Element) -> None:
    """Replace rows of one element, which change nothing, by this element."""
    for at, child in enumerate(element):
        _unwrap(child)
        if child.tag == "mrow" and len(child) == 1 and not child.attrib:
            element[at] = child[0]


def _space(element: ElementTree.Element) -> None:
    """Space the operators in an element as LaTeX does: MathML alone cannot know how.

    That is none in scripts and beside bars, and little after a sign with nothing to add to.
    """
    for part in element[1:] if element.tag in SCRIPTS else ():
        for operator in part.iter("mo"):
            operator.attrib.update(TIGHT)
    before = ""  # the operator before, if there is one
    for child in element:
        said = (child.text or "") if child.tag == "mo" else ""
        if said in BARS:
            child.attrib.update(TIGHT)
        elif said in SIGNS and before not in ENDS:
            child.set("form", "prefix")
        before = said
