"""Set image: give containers of a workload another image.

Invariant: containers are named (one alone needs no name), images are references as the distribution
specification spells them; nothing else of the template changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.containers import container_named, only_container, with_container
from maestro_cli.changes.kinds.kind import Option, Request, words
from maestro_cli.changes.kinds.rolling import RollingKind, back_to_now, paused, seen
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import Plan
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import diff_templates
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.untrusted import visible

# github.com/distribution/reference: [domain[:port]/]path[:tag][@digest]
_LABEL = r"[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\]"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:(?:{_DOMAIN})(?::[0-9]{{1,5}})?/)?{_PATH}(?:/{_PATH})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,128}")
MAX_NAME = 255


class SetImage(RollingKind):
    """Parameters: `images`, a list of `CONTAINER=IMAGE`."""

    name = "set-image"
    options: ClassVar[Mapping[str, Option]] = {"images": Option(words, needed=True)}

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Raises UsageError for what is no image, NotFound for a container that is not there."""
        ref = workload.ref
        images = read_images(request.parameters.get("images"), workload)
        spec = _with_images(workload, images)
        text = ", ".join(f"{name} to {image}" for name, image in images.items())
        return Draft(
            parameters={"images": [f"{name}={image}" for name, image in images.items()]},
            summary=f"set the image of {text} in {ref}",
            spec=spec,
            diff=diff_templates(workload.template, spec["template"]),
            holds=f"every replica of {ref} runs {', '.join(images.values())}",
            undo=back_to_now(workload),
            ended=workload.replicas_wanted,
            objections=paused(workload),
            recent=seen(world.cluster.list_revisions(ref), request.now, request.written),
        )

    def spec(self, world: World, workload: Workload, plan: Plan) -> Spec:
        return _with_images(workload, read_images(plan.parameters["images"], workload))

    def cause(self, plan: Plan) -> str:
        return f"set image {' '.join(plan.parameters['images'])}"


def read_images(given: object, workload: Workload) -> dict[str, str]:
    """`CONTAINER=IMAGE` words by container; one container alone needs no name."""
    if not isinstance(given, (list, tuple)) or not given:
        raise UsageError("set-image needs an image", fix="CONTAINER=IMAGE")
    images: dict[str, str] = {}
    for word in given:
        name, equals, image = str(word).partition("=")
        if not equals:
            name, image = only_container(workload, fix="CONTAINER=IMAGE"), str(word)
        container_named(workload, name)
        if name in images:
            raise UsageError(f"the image of {name} is given twice")
        images[name] = check_image(image)
    return images


def check_image(text: str) -> str:
    """The image reference itself; raises UsageError when it is none."""
    name, _, sha = text.partition("@")
    head, slash, tail = name.rpartition("/")
    last, colon, tag = tail.partition(":")
    name = f"{head}{slash}{last}"
    right = (
        len(name) <= MAX_NAME
        and _NAME.fullmatch(name)
        and (not colon or _TAG.fullmatch(tag))
        and ("@" not in text or _DIGEST.fullmatch(sha))
    )
    if not right:
        raise UsageError(
            f"{visible(text, 80)!r} is not an image",
            why="an image is [HOST[:PORT]/]PATH[:TAG][@DIGEST], its path in small letters",
        )
    return text


def _with_images(workload: Workload, images: Mapping[str, str]) -> dict[str, Any]:
    template = workload.template
    for name, image in images.items():
        template = with_container(template, name, {"image": image})
    return {"template": template}
