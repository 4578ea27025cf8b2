"""Renew the World Bank income groups that the prices go by. The change is a diff to be reviewed.

pip install --no-deps hdx-python-country --target /tmp/hdx
python tools/income_groups.py /tmp/hdx/hdx/location 2024

The first argument is the folder in which the package keeps its table of countries, the second the
World Bank's fiscal year of the groups (2024: published in July 2023). The table does not name the
year: find it by countries that changed their group. Each July the World Bank publishes new groups.
"""

import csv
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "lms" / "pricing" / "data" / "income_groups.csv"
NAMES = {
    "High": "high",
    "Upper middle": "upper_middle",
    "Lower middle": "lower_middle",
    "Low": "low",
}


def read_table(folder: Path) -> dict[str, str]:
    """Country and group of the package's table; countries without a group are left out."""
    [path] = folder.glob("*Taxonomy*.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = {
        row["ISO 3166-1 Alpha 2-Codes"]: NAMES[row["World Bank Income Level"]]
        for row in rows
        if row["World Bank Income Level"]
    }
    if len(found) < 200:
        raise SystemExit(f"only {len(found)} countries have a group: is this the right table?")
    return found


def write_slice(found: dict[str, str], year: int, path: Path = DATA) -> None:
    """Keep the slice, sorted, so that a change of groups is a short diff."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(("country", "group", "year"))
        writer.writerows((country, found[country], year) for country in sorted(found))


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():
        raise SystemExit(__doc__)
    write_slice(read_table(Path(sys.argv[1])), int(sys.argv[2]))
