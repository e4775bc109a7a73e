"""A file of prices by its suffix: YAML of our own, OpenCost's JSON, OpenCost's CSV."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.config.strict import parse_yaml, read_text
from maestro_cli.cost.prices.file import ReadPrices, prices_of
from maestro_cli.cost.prices.opencost_files import default_json, prices_csv


def read_prices(path: Path) -> ReadPrices:
    """Raises InvalidFile naming file, line and key."""
    text = read_text(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return prices_csv(text, str(path))
    document = parse_yaml(text, str(path))
    return default_json(document) if suffix == ".json" else prices_of(document)
