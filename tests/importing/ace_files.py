"""
Writes `.sgm` and `.apf.xml` pairs as LDC's are (APF 5.1.1), from one template: `{a}` and `{/a}` stand where
head `a` begins and ends. The offsets count what stands between tags, as it is written.
"""

import re
from html import unescape
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple
from xml.sax.saxutils import escape, quoteattr

Slice = Tuple[int, int]
# Entity and type of each head.
Entities = Dict[str, Tuple[str, str]]

_PART = re.compile(r"(?P<tag><[^>]*>)|\{(?P<end>/?)(?P<name>\w+)\}")
# The type, and the mentions by role.
RelationSpec = Tuple[str, Dict[str, str]]


def read_template(template: str) -> Tuple[str, str, Dict[str, Slice]]:
    """The file, its text without tags, and the slice (end exclusive) of each name in braces."""
    sgm, text = "", ""
    begins: Dict[str, int] = {}
    slices: Dict[str, Slice] = {}
    place = 0
    for part in _PART.finditer(template):
        between = template[place : part.start()]
        sgm, text, place = sgm + between, text + between, part.end()
        if part["tag"]:
            sgm += part["tag"]
        elif part["end"]:
            slices[part["name"]] = (begins[part["name"]], len(text))
        else:
            begins[part["name"]] = len(text)
    return sgm + template[place:], text + template[place:], slices


def charseq(text: str, place: Slice, stated: Optional[str] = None) -> str:
    """The element for a slice of a text."""
    covered = unescape(text[slice(*place)]) if stated is None else stated
    return f'<charseq START="{place[0]}" END="{place[1] - 1}">{escape(covered)}</charseq>'


def write_pair(
    directory: Path,
    name: str,
    template: str,
    entities: Entities,
    relations: Sequence[RelationSpec] = (),
    values: Sequence[Tuple[str, str]] = (),
    times: Sequence[str] = (),
    stated: Optional[Dict[str, str]] = None,
) -> Path:
    """
    Writes `name.sgm` and `name.apf.xml`.

    # Parameters

    entities : `Entities`
    relations : `Sequence[RelationSpec]`
    values, times : `Sequence`
        Type and name of a value, name of a time, whose slices the template tells too.
    stated : `Dict[str, str]`, optional
        What the annotation wrongly gives as the text of a head.
    """
    sgm, text, slices = read_template(template)
    stated = stated or {}
    lines: List[str] = []
    for entity in dict.fromkeys(entity for entity, _ in entities.values()):
        kind = next(kind for of, kind in entities.values() if of == entity)
        lines.append(f'<entity ID="{name}-{entity}" TYPE="{kind}" SUBTYPE="Other" CLASS="SPC">')
        for key in (key for key, (of, _) in entities.items() if of == entity):
            seq = charseq(text, slices[key], stated.get(key))
            lines.append(
                f'<entity_mention ID="{name}-{key}" TYPE="NAM" LDCTYPE="NAM"><extent>{seq}</extent>\n'
                f"<head>{seq}</head></entity_mention>"
            )
        lines.append("</entity>")
    for number, (kind, key) in enumerate(values):
        seq = charseq(text, slices[key])
        lines.append(
            f'<value ID="{name}-V{number}" TYPE="{kind}"><value_mention ID="{name}-V{number}-1">'
            f"<extent>{seq}</extent></value_mention></value>"
        )
    for key in times:
        seq = charseq(text, slices[key])
        lines.append(
            f'<timex2 ID="{name}-{key}" VAL="2003"><timex2_mention ID="{name}-{key}-1"><extent>{seq}</extent>'
            "</timex2_mention></timex2>"
        )
    for number, (kind, arguments) in enumerate(relations):
        lines.append(f'<relation ID="{name}-R{number}" TYPE={quoteattr(kind)} SUBTYPE="Other">')
        lines += [f'<relation_argument REFID="x" ROLE="{role}"/>' for role in arguments]
        lines.append(
            f'<relation_mention ID="{name}-R{number}-1" LEXICALCONDITION="Verbal"><extent>'
            '<charseq START="0" END="0">.</charseq></extent>'
        )
        lines += [
            f'<relation_mention_argument REFID="{name}-{key}" ROLE="{role}"><extent>'
            '<charseq START="0" END="0">.</charseq></extent></relation_mention_argument>'
            for role, key in arguments.items()
        ]
        lines.append("</relation_mention></relation>")
    annotation = "\n".join(
        [
            '<?xml version="1.0"?>',
            '<!DOCTYPE source_file SYSTEM "apf.v5.1.1.dtd">',
            f'<source_file URI="{name}.sgm" SOURCE="newswire" TYPE="text" AUTHOR="LDC" ENCODING="UTF-8">',
            f'<document DOCID="{name}">',
            *lines,
            "</document>",
            "</source_file>",
        ]
    )
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.sgm").write_bytes(sgm.encode())
    (directory / f"{name}.apf.xml").write_bytes(annotation.encode())
    return directory / f"{name}.sgm"
