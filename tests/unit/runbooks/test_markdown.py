"""Fences are found exactly when they are rendered, and only marked ones become steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.attributes import ATTRIBUTES
from maestro_cli.runbooks.model import Runbook
from maestro_cli.runbooks.reader import parse_runbook


def paths(text: str) -> list[str]:
    return [step.path for step in parse_runbook(text, "book.md").steps]


@pytest.mark.parametrize(
    "text",
    [
        "```sh {id=a}\ntrue\n```\n",
        "~~~sh {id=a}\ntrue\n~~~\n",
        "`````sh {id=a}\n```\n`````\n",
        "  ```sh {id=a}\ntrue\n  ```\n",
        "- item\n\n  ```sh {id=a}\n  true\n  ```\n",
        "1. item\n   1. inner\n\n      ~~~~sh {id=a}\n      true\n      ~~~~\n",
        "> ```sh {id=a}\n> true\n> ```\n",
        "text\n```sh {id=a}\r\ntrue\r\n```",
        '```sh {"id": "a", "timeout": "5s"}\ntrue\n```\n',
        "<!-- maestro: {id: a} -->\n```sh\ntrue\n```\n",
        "<!-- maestro:\nid: a\ntimeout: 5s\n-->\n```sh\ntrue\n```\n",
        "- x\n\n  <!-- maestro: {id: a} -->\n  ```sh\n  true\n  ```\n",
        '```sh   {id=a title="two words"}\ntrue\n```\n',
    ],
)
def test_marked_fences_are_steps(text: str) -> None:
    assert paths(text) == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only words\n",
        "```sh\nrm -rf /\n```\n",
        "```js {name=a}\nrm\n```\n",
        "```sh {.line-numbers #id}\nrm\n```\n",
        "```js {1,3-4}\nx\n```\n",
        "```{r, echo=FALSE}\nx\n```\n",
        "```sh {unclosed='x}\nrm\n```\n",
        "<!-- ```sh {id=a}\nrm\n``` -->\n",
        "<!--\n```sh {id=a}\nrm\n```\n-->\n",
        "    ```sh {id=a}\n    rm\n    ```\n",
        "`````\n```sh {id=a}\nrm\n```\n`````\n",
        "<pre>\n```sh {id=a}\nrm\n```\n</pre>\n",
        "`sh {id=a}`\n",
        "---\ntitle: {id=a}\nlayout: [\n---\nwords\n",
        "---\n\nwords\n\n---\n",
        "sh {id=a}\n",
    ],
)
def test_everything_else_is_prose(text: str) -> None:
    assert paths(text) == []


def test_a_fence_in_a_list_is_dedented_and_knows_its_line_and_heading() -> None:
    front = "---\nmaestro: runbook/v1\n---\n# Title\n\n## Look\n\n"
    text = front + "- x\n  ```sh {id=a}\n  if true; then\n    echo\n  fi\n  ```\n"
    step = parse_runbook(text, "book.md").steps[0]
    assert step.body == "if true; then\n  echo\nfi\n"
    assert (step.line, step.heading) == (9, "Look")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("x\n```sh {id=a\ntrue\n```\n", 2, "cannot be read"),
        ("```sh {id=a} more\ntrue\n```\n", 1, "cannot be read"),
        ('```sh {id="a}\ntrue\n```\n', 1, "cannot be read"),
        ('```sh {"id": "a",}\ntrue\n```\n', 1, "cannot be read"),
        ('```sh {"id": "a", "id": "b"}\ntrue\n```\n', 1, "cannot be read"),
        ("```sh {id=a id=b}\ntrue\n```\n", 1, "cannot be read"),
        ("```sh {id=a timeot=5s}\ntrue\n```\n", 1, "did you mean 'timeout'"),
        ("<!-- maestro: {id: a, timeot: 5s} -->\n```sh\ntrue\n```\n", 1, "did you mean 'timeout'"),
        ("<!-- maestro:\nid: a\ntimeot: 5s\n-->\n```sh\ntrue\n```\n", 3, "did you mean 'timeout'"),
        ("<!-- maestro: {id: a} -->\n\n```sh\ntrue\n```\n", 1, "directly above"),
        ("<!-- maestro: {timeout: 5s} -->\n```sh\ntrue\n```\n", 1, "makes no step"),
        ("<!-- maestro: {id: a} -->\n```sh {id=b}\ntrue\n```\n", 2, "above the fence"),
        ("```sh {id=a}\ntrue\n", 1, "never closed"),
        ("```zsh {id=a}\ntrue\n```\n", 1, "did you mean 'sh'"),
        ("``` {id=a}\ntrue\n```\n", 1, "no language"),
        ("```sh {id=a timeout=soon}\ntrue\n```\n", 1, "not a duration"),
        ("```sh {id=a retries=-1}\ntrue\n```\n", 1, "whole number"),
        ("```sh {id=a mutates=perhaps}\ntrue\n```\n", 1, "is a flag"),
        ("```sh {id=a within=5s}\ntrue\n```\n", 1, "no meaning on a sh fence"),
        ("```sh {id=a mutates}\ntrue\n```\n```sh {probe=a expect='> 1'}\ntrue\n```\n", 4, "a fence with"),
        ("```sh {id=a on_fail=roll}\ntrue\n```\n", 1, "did you mean 'rollback'"),
        ("```sh {id=a on_fail=goto}\ntrue\n```\n", 1, "needs one word, or goto"),
        ("```sh {id=a on_fail='stop b'}\ntrue\n```\n", 1, "needs one word, or goto"),
        ("```sh {id=a on_fail='goto b'}\ntrue\n```\n", 1, "is no step after this one"),
        ("```sh {id=b}\ntrue\n```\n```sh {id=a on_fail='goto b'}\ntrue\n```\n", 4, "is no step after"),
        ("```sh {id=a on_fail='goto a'}\ntrue\n```\n", 1, "is no step after this one"),
        ("```sh {id=a needs=b}\ntrue\n```\n", 1, "is no step before this one"),
        ("```sh {id=a}\ntrue\n```\n```sh {id=a}\ntrue\n```\n", 4, "this id is taken"),
        ("```sh {verify=a}\ntrue\n```\n", 1, "no step is called 'a'"),
        ("```sh {id=a verify=a}\ntrue\n```\n", 1, "cannot stand together"),
        ("```sh {id=a}\ntrue\n```\n```sh {undo=a}\ntrue\n```\n", 4, "alters nothing"),
        ("```sh {id=a capture=PATH}\ntrue\n```\n", 1, "not a variable name"),
        ("```promql {id=a}\nup\n```\n", 1, "nothing is expected"),
        ("```promql {id=a expect=high}\nup\n```\n", 1, "not an expectation"),
        ("```promql {id=a expect='> 1' for=1m within=5s}\nup\n```\n", 1, "shorter than for"),
        ("```promql {id=a expect='> 1'}\nup{x=\"$NAME\"}\n```\n", 1, "$NAME is neither"),
        ("```promql {id=a expect='> 1'}\nup{x=`$NAME`}\n```\n", 1, "between back quotes"),
        ("```change {id=a}\nkind: rolback\n```\n", 2, "did you mean 'rollback'"),
        ("```change {id=a}\nkind: rollback\n```\n", 2, "target is missing"),
        ("```change {id=a}\nkind: rollback\ntarget: deploy/x\nforce: true\n```\n", 4, "expected text"),
        ("```change {id=a}\nkind: rollback\ntarget: deploy/x\nto_revison: 1\n```\n", 4, "'to_revision'"),
        ("```change {id=a}\nkind: scale\ntarget: deploy/x\n```\n", 2, "replicas is missing"),
        (
            "```change {id=a}\nkind: rollback\ntarget: deploy/x\nonly_if_released_within: 1 hour\n```\n",
            4,
            "'1 hour' is not a duration",
        ),
        ("```change {id=a}\nkind: restart\ntarget: deploy/x\nreplicas: 1\n```\n", 4, "not known here"),
        ("```runbook {id=a}\nrunbook: ../x\n```\n", 2, "names no runbook"),
        ("```runbook {id=a}\nwith: {A: b}\n```\n", 2, "names no runbook"),
        ("```runbook {id=a}\nrunbook: x\nvalues: {A: b}\n```\n", 3, "not known here"),
        ("```runbook {id=a}\nrunbook: x\nwith: [a]\n```\n", 3, "expected NAME"),
        ("```runbook {id=a}\nrunbook: x\nwith: {A: $B}\n```\n", 1, "$B is neither"),
        ("```kube {id=a}\ntarget: deploy/x\n```\n", 2, "condition or a field"),
        ("```kube {id=a}\ntarget: deploy/x\ncondition: a b\n```\n", 3, "not a condition"),
        ("```kube {id=a}\ntarget: deploy/x\nfield: status.x\n```\n", 3, "nothing is expected"),
        ("```kube {id=a expect='> 1'}\ntarget: deploy/x\nfield: status..x\n```\n", 3, "not a path"),
        ("```kube {id=a}\ntarget: deploy/x\ncondition: Ready\nverb: delete\n```\n", 4, "not known here"),
        ("```kube {id=a}\ncondition: Ready\n```\n", 2, "target is missing"),
        ("```sh {id=a when='b.ok'}\ntrue\n```\n", 1, "no step before"),
        ("```sh {id=a when='$X == 1'}\ntrue\n```\n", 1, "$X is neither"),
        ("```sh {id=a when='true'}\ntrue\n```\n", 1, "cannot be read"),
        ("```sh {id=a lock='a b'}\ntrue\n```\n", 1, "needs a name"),
        ("```sh {id=a lock=x/$X}\ntrue\n```\n", 1, "$X is neither"),
        ("```sh {id=a cwd='$X'}\ntrue\n```\n", 1, "without variables"),
        ("```http {id=a}\nFETCH https://x/\n```\n", 1, "no method"),
        ("```http {id=a}\nGET ftp://x/\n```\n", 1, "not an http or https URL"),
        ("```http {id=a}\nGET $URL\n```\n", 1, "not an http or https URL"),
        ("```http {id=a}\nGET https://me:word@x/\n```\n", 1, "not an http or https URL"),
        ("```http {id=a}\nGET https://x/$NAME\n```\n", 1, "$NAME is neither"),
        ("```http {id=a}\nGET https://x/\nHost: y\n```\n", 1, "not a header"),
        ("```http {id=a}\nPOST https://x/\n\n{a}\n```\n", 1, "not JSON"),
        ("```http {id=a within=1m}\nPOST https://x/\n```\n", 1, "is sent once"),
        ("```http {id=a status=20}\nGET https://x/\n```\n", 1, "needs statuses"),
        ("```http {id=a match='('}\nGET https://x/\n```\n", 1, "regular expression"),
        ("```sh {id=a mutates}\ntrue\n```\n```http {verify=a}\nPOST https://x/\n```\n", 4, "must not alter"),
        ("```sh {id=a secret='TOKEN=hunter2'}\ntrue\n```\n", 1, "reference, not a value"),
        ("```sh {id=a secret='A=env:X B=file:y'}\ntrue\n```\n", 1, "reference, not a value"),
        ("```sh {id=a secret='PATH=env:X'}\ntrue\n```\n", 1, "in capitals"),
        ("```notify {id=a}\nhello\n```\n", 1, "nowhere to go"),
        ("```notify {id=a to=https://x/}\nhello\n```\n", 1, "reference, not a value"),
        ("```ask {id=a choices=x}\nwhich?\n```\n", 1, "two answers or more"),
        ("```ask {id=a choices='x,y' pattern=z}\nwhich?\n```\n", 1, "cannot stand together"),
        ("```manual {id=a}\n```\n", 1, "says nothing"),
        ("---\nmaestro: runbook/v2\n---\n", 2, "runbook/v1"),
        ("---\nmaestro: runbook/v1\nalert: [x]\n---\n", 3, "did you mean 'alerts'"),
        ("---\nmaestro: runbook/v1\nparams: {PATH: {}}\n---\n", 3, "cannot be a parameter"),
        ("---\nmaestro: runbook/v1\nparams:\n  A: {from: x}\n---\n", 4, "not a source"),
        ("---\nmaestro: runbook/v1\nparams:\n  A: {pattern: '('}\n---\n", 4, "regular expression"),
        ("---\nmaestro: runbook/v1\nparams:\n  A: {pattern: 'a', default: b}\n---\n", 4, "match the pattern"),
        ("---\nmaestro: runbook/v1\nlock: x/$A\n---\n", 3, "$A is not a parameter"),
        ("---\nmaestro: runbook/v1\nbudget: {lunch: 1h}\n---\n", 3, "is not a phase"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_runbook(text, "book.md")
    error = caught.value
    assert error.where == f"book.md:{line}"
    assert says in f"{error.what} {error.why} {error.fix}"


def test_parts_find_their_step_whatever_their_place() -> None:
    text = "".join(
        f"```sh {{{marks}}}\ntrue\n```\n"
        for marks in ("pre=a", "id=a mutates", "verify=a", "verify=a", "undo=a", "probe=a")
    )
    (step,) = parse_runbook(text, "book.md").steps
    assert [part.path for part in step.parts] == ["a/pre", "a/verify", "a/verify.2", "a/undo", "a/probe"]
    assert step.on_fail.value == "rollback"


_names = st.sampled_from([*ATTRIBUTES, "name", "x", "timeot"])
_words = st.sampled_from(["a", "5s", "> 1", "rollback", "-1", "é", '"', "'", "\\", "{", "}", "true", "$X"])
_attributes = st.lists(st.tuples(_names, _words), max_size=5).map(
    lambda pairs: "{" + " ".join(f"{name}={value!r}" for name, value in pairs) + "}"
)
_lines = st.one_of(
    st.text(max_size=40),
    st.builds("{}{}{}".format, st.sampled_from(["```", "~~~~", "- ```", "> ```", "   ```"]),
              st.sampled_from(["", "sh ", "promql ", "change ", "manual "]), _attributes),
    st.sampled_from(["```", "~~~~", "  ```", "> ```", "---", "maestro: runbook/v1", "id: x", "kind: rollback",
                     "target: deploy/x",
                     "<!-- maestro: {id: q} -->", "<!--", "-->", "# T", "params: {A: {}}"]),
)  # fmt: skip


@given(st.lists(_lines, max_size=25).map("\n".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        book = parse_runbook(text, "book.md")
    except InvalidFile:
        return
    assert isinstance(book, Runbook)
    marked = [line for line in text.splitlines() if "id" in line or any(r in line for r in ("pre", "undo"))]
    assert len(book.steps) <= len(marked)


@given(st.text(max_size=400))
def test_text_without_a_mark_has_no_step(text: str) -> None:
    if any(word in text for word in ("id", "pre", "verify", "undo", "probe", "maestro")):
        return
    assert parse_runbook(text, "book.md").steps == ()
