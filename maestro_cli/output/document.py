"""A Markdown document as one HTML page that stands alone.

Invariant: no script, and a policy in the page that allows none; nothing is fetched; HTML inside the Markdown
is shown as text; a link leads to http, https or a place in the page, any other is text. Pictures are those
given by name; a picture that was not given is its words.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from maestro_cli.core.untrusted import visible

_LINK = re.compile(r"(?:https?://[^\s]|#[A-Za-z0-9_-])", re.IGNORECASE)
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:60rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25}
h2{margin-top:2.2rem;border-bottom:1px solid #cfd4da;padding-bottom:.2rem}
h3{margin-top:1.6rem}h1,h2,h3,p,li,td,th{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:.8rem 0;font-size:.92em}
th,td{border:1px solid #cfd4da;padding:.3rem .55rem;text-align:left;vertical-align:top}
th,td{min-width:4em}th:first-child,td:first-child{min-width:11.5em}
th{background:#f2f4f6}thead:not(:has(th:not(:empty))){display:none}
pre{background:#f6f7f9;border:1px solid #cfd4da;padding:.6rem .8rem;overflow-x:auto;white-space:pre-wrap;
overflow-wrap:anywhere;font-size:.86em}
blockquote{margin:1rem 0;padding:.4rem .9rem;border-left:4px solid #a33b00;background:#fdf3e4}
figure{margin:1rem 0}svg{box-sizing:border-box;max-width:100%;height:auto;border:1px solid #cfd4da}
mark{background:#ffe49a;padding:0 .2rem}
th,td strong{overflow-wrap:normal}
.wide{max-width:none}.wide table{display:block;overflow-x:auto}.wide :is(th,td){min-width:6.5em}
.wide :is(th,td):first-child{min-width:11.5em}.wide :is(th,td):last-child{min-width:15em}
@media screen and (prefers-color-scheme:dark){body{color:#dde3ea;background:#15191e}
th{background:#232a32}pre{background:#1c2229}blockquote{background:#33261a}mark{color:#222}
th,td,pre,h2,svg{border-color:#3a434d}a{color:#8fbcf0}svg{filter:invert(1) hue-rotate(180deg)}}
@media print{body{margin:0;padding:0;max-width:none;font-size:11pt}h2,h3,h2+p,h3+p{break-after:avoid}
table{font-size:8.5pt}th,td{padding:.2rem .35rem;min-width:0}th:first-child,td:first-child{min-width:7em}
th,td:not(:first-child){overflow-wrap:break-word}
tbody tr:first-child{break-after:avoid}tbody tr:last-child{break-before:avoid}
tr,figure,pre,blockquote{break-inside:avoid}thead{display:table-header-group}a{color:inherit}}
@page{margin:16mm}
"""


def html_page(
    markdown: str, pictures: Mapping[str, str], *, title: str, placeholder: str = "", is_wide: bool = False
) -> str:
    """The page. `pictures` are SVG elements by the name that an image's address ends in, made here;
    `placeholder` is highlighted wherever it stands; `is_wide`: its tables have many columns."""
    style = _STYLE.strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    body = _renderer(pictures, placeholder)(markdown)
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(visible(title, 200))}</title>
<style>{style}</style>
</head>
<body{' class="wide"' if is_wide else ""}>
{body}</body>
</html>
"""
    if page.replace("\n", "").isprintable():
        return page
    return "".join(one if one == "\n" or one.isprintable() else escape(visible(one)) for one in page)


def _renderer(pictures: Mapping[str, str], placeholder: str) -> Callable[[str], str]:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
    parser.validateLink = _is_allowed  # type: ignore[method-assign,assignment]
    renderer: Any = parser.renderer
    plain_text = renderer.rules["text"]
    taken: set[str] = set()

    def heading(tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
        slug = _slug(tokens[index + 1].content)
        anchor = f' id="{slug}"' if slug and slug not in taken else ""
        taken.add(slug)
        return f"<{tokens[index].tag}{anchor}>"

    def link(tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
        address = str(tokens[index].attrs.get("href", ""))
        return f'<a href="{escape(address)}" rel="noopener noreferrer">' if _LINK.match(address) else "<a>"

    def image(tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
        name = str(tokens[index].attrs.get("src", "")).rpartition("/")[2]
        found = pictures.get(name)
        words = escape(visible(tokens[index].content))
        return found if found is not None else f"[{words}]"

    def text(tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
        shown: str = plain_text(tokens, index, options, env)
        if not placeholder:
            return shown
        return shown.replace(escape(placeholder), f"<mark>{escape(placeholder)}</mark>")

    renderer.rules |= {"heading_open": heading, "link_open": link, "image": image, "text": text}
    return lambda markdown: str(parser.render(markdown))


def _is_allowed(address: str) -> bool:
    """Pictures have a plain relative name; they are looked up, never fetched."""
    return bool(_LINK.match(address) or re.fullmatch(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)?", address))


def _slug(heading: str) -> str:
    """The anchor that GitHub gives a heading of plain words; "" where it would hold anything else."""
    plain = re.sub(r"[^a-z0-9 _-]", "", heading.lower()).strip().replace(" ", "-")
    return plain[:80]
