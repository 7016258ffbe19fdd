"""ACE's annotation files, of 2005 and of 2004."""

from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.importing.ace_apf import ApfDocument, read_apf

ENTITY = """<entity ID="E1" TYPE="PER" SUBTYPE="Individual" CLASS="SPC">
  <entity_mention ID="E1-1" TYPE="NOM" LDCTYPE="NOM">
    <extent><charseq START="3" END="12">the &amp; man</charseq></extent>
    <head><charseq START="10" END="12">man</charseq></head>
  </entity_mention>
  <entity_mention ID="E1-2" TYPE="PRO" LDCTYPE="PRO">
    <extent><charseq START="20" END="21">he</charseq></extent>
  </entity_mention>
  <entity_attributes><name NAME="x"><charseq START="1" END="2">x</charseq></name></entity_attributes>
</entity>"""


def read(directory: Path, content: str, root: str = "source_file") -> ApfDocument:
    path = directory / "document.apf.xml"
    path.write_text(
        f'<{root}>\n<document DOCID="d">\n{content}\n</document>\n</{root}>', encoding="utf-8"
    )
    return read_apf(path)


def test_mentions_have_the_type_of_their_entity_and_a_head_that_ends_exclusively(
    tmp_path: Path,
) -> None:
    first, second = read(tmp_path, ENTITY).mentions
    assert (first.id, first.entity, first.type) == ("E1-1", "E1", "PER")
    assert first.head is not None
    assert (first.head.slice, first.head.text, first.head.line) == ((10, 13), "man", 6)
    assert second.head is None


def test_relation_of_2005_has_its_arguments_by_role_and_counts_times(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        """<relation ID="R1" TYPE="PHYS" SUBTYPE="Located" TENSE="Past" MODALITY="Asserted">
        <relation_argument REFID="E2" ROLE="Arg-1"/><relation_argument REFID="E1" ROLE="Arg-2"/>
        <relation_mention ID="R1-1" LEXICALCONDITION="Verbal">
          <extent><charseq START="0" END="9">x</charseq></extent>
          <relation_mention_argument REFID="T1-1" ROLE="Time-Within"/>
          <relation_mention_argument REFID="E1-1" ROLE="Arg-2"/>
          <relation_mention_argument REFID="E2-1" ROLE="Arg-1"/>
        </relation_mention></relation>""",
    )
    (relation,) = document.relations
    assert (relation.type, relation.arg1, relation.arg2) == ("PHYS", "E2-1", "E1-1")
    assert document.left_arguments == {"Time-Within": 1}


def test_relation_of_2004_has_its_arguments_by_number(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        """<relation ID="R1" TYPE="EMP-ORG" SUBTYPE="Employ-Staff">
        <rel_entity_arg ENTITYID="E1" ARGNUM="1"/><rel_entity_arg ENTITYID="E2" ARGNUM="2"/>
        <relation_mentions>
        <relation_mention ID="R1-1" LDCLEXICALCONDITION="Formulaic">
          <ldc_extent><charseq START="0" END="9">x</charseq></ldc_extent>
          <rel_mention_arg ENTITYMENTIONID="E2-1" ARGNUM="2"><extent/></rel_mention_arg>
          <rel_mention_arg ENTITYMENTIONID="E1-1" ARGNUM="1"><extent/></rel_mention_arg>
          <rel_mention_time TYPE="Within" VAL="2000"/>
        </relation_mention></relation_mentions></relation>""",
    )
    (relation,) = document.relations
    assert (relation.type, relation.arg1, relation.arg2) == ("EMP-ORG", "E1-1", "E2-1")
    assert document.left_arguments == {"Within": 1}


def test_relation_without_mentions_is_none(tmp_path: Path) -> None:
    content = (
        '<relation ID="R1" TYPE="METONYMY"><relation_argument REFID="E1" ROLE="Arg-1"/></relation>'
    )
    assert read(tmp_path, content).relations == []


def test_missing_argument_is_empty(tmp_path: Path) -> None:
    content = (
        '<relation ID="R1" TYPE="ART"><relation_mention ID="R1-1">'
        '<relation_mention_argument REFID="E1-1" ROLE="Arg-2"/></relation_mention></relation>'
    )
    (relation,) = read(tmp_path, content).relations
    assert (relation.arg1, relation.arg2) == ("", "E1-1")


def test_values_and_times_have_extents(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        """<value ID="V1" TYPE="Numeric" SUBTYPE="Money"><value_mention ID="V1-1"><extent>
        <charseq START="1" END="3">$10</charseq></extent></value_mention></value>
        <timex2 ID="T1" VAL="2003"><timex2_mention ID="T1-1"><extent>
        <charseq START="5" END="8">2003</charseq></extent></timex2_mention></timex2>
        <event ID="EV1"><event_mention ID="EV1-1"/></event>""",
    )
    assert [(kind, extent.slice) for kind, extent in document.values] == [("Numeric", (1, 4))]
    assert [(kind, extent.text) for kind, extent in document.times] == [("TIMEX2", "2003")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<entity TYPE="PER"/>', "3: <entity> without ID"),
        ('<entity ID="E1" TYPE=" "/>', "3: <entity> without TYPE"),
        (
            ENTITY.replace('<charseq START="10" END="12">man</charseq>', ""),
            "6: <head> without <charseq>",
        ),
        (ENTITY.replace('START="10"', 'START="ten"'), "6: START is 'ten'; expected the number"),
        (ENTITY.replace('START="10"', 'START="-1"'), "6: START is '-1'; expected the number"),
        (ENTITY.replace('START="10"', 'START="13"'), "6: START is 13 and END 12; expected END not"),
        (
            '<value ID="V1" TYPE="Crime"><value_mention ID="V1-1"/></value>',
            "3: <value_mention> without <extent>",
        ),
    ],
)
def test_malformed_annotation_is_refused_with_its_line(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=rf"document\.apf\.xml:{message}"):
        read(tmp_path, content)


def test_other_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the root is <html>; expected <source_file>"):
        read(tmp_path, "", root="html")
