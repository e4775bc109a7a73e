"""The page of the console in a browser, and what it loads.

Invariant: all of it is in memory and comes from this server; the page may load nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from maestro_cli.core.errors import ActionFailed

_FONT = "fonts/RobotoMono-VariableFont_wght.ttf"
_MADE = "allowProposedApi:!0,"  # where the terminal's script says what terminal it makes
_ALOUD = _MADE + "screenReaderMode:!0,"

_STYLE = """\
@font-face { font-family: "Roboto Mono"; src: url("/font.ttf"); font-weight: 100 700; }
html, body { margin: 0; height: 100%; background: #0c181f; color: #f2f2f2; }
body { font-family: "Roboto Mono", monospace; overflow: hidden; }
#terminal { width: 100vw; height: 100vh; }
.told { display: none; position: absolute; inset: 0; z-index: 10; background: #0c181f;
  align-items: center; justify-content: center; }
body:not(.-first-byte) .told.opening, body.-closed .told.ended { display: flex; }
body.-closed .told.opening { display: none !important; }
.told p { padding: 1em; }
.told a { color: inherit; }
"""

_SCRIPT = """\
// Keys go to the terminal from the first, without a click; not before it can be told that it has them.
new MutationObserver((_, watcher) => {
  if (document.body.classList.contains("-first-byte")) {
    watcher.disconnect();
    document.querySelector(".xterm-helper-textarea").focus();
  }
}).observe(document.body, { attributes: true });
"""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/xterm.css">
<link rel="stylesheet" href="/console.css">
<script src="/textual.js"></script>
</head>
<body>
<div class="told opening"><p>The console opens …</p></div>
<div class="told ended"><p>The console ended, or another tab has it. <a href="/">Open it again</a></p></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="ws://{host}/ws"
 data-font-size="{font_size}"></div>
<script src="/console.js"></script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads."""

    content: bytes
    content_type: str


def page(title: str, host: str, font_size: int) -> str:
    """The page for who asked for this host; pixels."""
    return _PAGE.format(title=escape(title), host=escape(host), font_size=font_size)


def assets(*, aloud: bool) -> dict[str, Asset]:
    """What the page loads, by path; with a terminal that screen readers can read, or without.

    Raises ActionFailed when the terminal's script is not the one that is known here.
    """
    import textual_serve

    folder = Path(textual_serve.__file__).parent / "static"
    script = (folder / "js" / "textual.js").read_text(encoding="utf-8")
    if aloud:
        if script.count(_MADE) != 1:
            raise ActionFailed(
                "the page cannot be made readable to screen readers",
                why="another textual-serve is installed than this maestro is made for",
                fix="pip install 'maestro-cli[web]'",
            )
        script = script.replace(_MADE, _ALOUD)
    return {
        "/textual.js": Asset(script.encode(), "text/javascript"),
        "/xterm.css": Asset((folder / "css" / "xterm.css").read_bytes(), "text/css"),
        "/font.ttf": Asset((folder / _FONT).read_bytes(), "font/ttf"),
        "/console.js": Asset(_SCRIPT.encode(), "text/javascript"),
        "/console.css": Asset(_STYLE.encode(), "text/css"),
    }


def headers(host: str) -> dict[str, str]:
    """What every answer forbids: other sources, frames, caches, and telling others where one was.

    The terminal writes its styles in the page, so those may be in it; a script may not.
    """
    sources = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": f"'self' ws://{host}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in sources.items()),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
