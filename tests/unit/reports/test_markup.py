from __future__ import annotations

from pytest_innovatorbench.reports.markup import Markup, element, escaped, joined


def test_text_is_escaped_and_markup_is_not() -> None:
    inner = element("b", "<i>&'\"")
    assert inner == "<b>&lt;i&gt;&amp;&#x27;&quot;</b>"
    assert element("p", "a<b", inner, None) == f"<p>a&lt;b{inner}</p>"


def test_attributes_are_escaped_and_named_as_in_html() -> None:
    assert element("a", title='"><x', class_="c", aria_label="l", id=None) == (
        '<a title="&quot;&gt;&lt;x" class="c" aria-label="l"></a>'
    )
    assert element("line", x1=1.23456, y1=7) == '<line x1="1.235" y1="7"/>'


def test_an_element_without_content_is_closed() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8"/>'
    assert element("td") == "<td></td>"
    assert element("rect", element("title", "t")) == "<rect><title>t</title></rect>"


def test_control_characters_are_made_visible() -> None:
    assert escaped("\x00\x1b\ud800") == r"\x00\x1b\ud800"
    assert element("p", title="a\nb\x0c") == '<p title="a b"></p>'


def test_parts_are_joined_as_markup() -> None:
    parts = joined("<", None, Markup("<hr>"))
    assert parts == "&lt;<hr>"
    assert escaped(parts) is parts
