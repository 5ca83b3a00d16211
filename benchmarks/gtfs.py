"""Makes a public-transport feed of any scale, always the same bytes, with the tables and joins of
the GTFS-Madrid-Bench.

    python benchmarks/gtfs.py SCALE FOLDER

The benchmark (Chaves-Fraga et al., Journal of Web Semantics 65, 2020) scales the feed of Madrid's
underground: ten CSV files, of which SHAPES has 58,540 rows a scale unit and makes nine statements
in ten. Its shapes find their points by a join of SHAPES with itself on `shape_id`, which no side of
has unique: with 30 shapes a unit that is 1,951 points a shape and 114 million pairs of rows for
58,540 statements. Row counts of the other files are chosen so that a unit makes about as many
statements as the published feed (395,953). Cells come from the number of their row, as in
generate.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from generate import mixed, write

Rows = Iterator[tuple[str, ...]]

SHAPES, POINTS = 30, 58_540
ROUTES, TRIPS, STOPS, SERVICES = 13, 130, 1_262, 10
STOP_TIMES, FREQUENCIES = 2_520, 650
_LINES = (
    "Pinar de Chamartín",
    "Las Rosas",
    "Moncloa",
    "Argüelles",
    "Alameda de Osuna",
    "Pitis",
    "Paco de Lucía",
    "Aeropuerto T4",
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _time(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _date(number: int) -> str:
    return f"{2017 + number // 336 % 8}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"


def _degrees(base: int, bits: int) -> str:
    """A coordinate with fourteen decimals, as the feed has them."""
    return f"{base}.{bits % 10**14:014}"


def agency(scale: int) -> Rows:
    for n in range(scale):
        yield (
            f"a{n}",
            f"Metro {n}",
            f"https://www.example.org/agency/{n}",
            "Europe/Madrid",
            "es",
            "+34 900 444 403",
            f"https://www.example.org/fares/{n}",
        )


def feed_info(scale: int) -> Rows:
    for n in range(scale):
        yield (
            f"Consorcio Regional {n}",
            f"https://www.example.org/feed/{n}",
            "es",
            "2017-01-01",
            "2024-12-28",
            f"v{n}",
        )


def calendar(scale: int) -> Rows:
    for n in range(SERVICES * scale):
        bits = mixed(n)
        yield f"s{n}", *("01"[bits >> day & 1] for day in range(7)), _date(n), _date(n + 400)


def calendar_dates(scale: int) -> Rows:
    for n in range(7 * SERVICES * scale):
        yield f"s{n % (SERVICES * scale)}", _date(n), "1"


def routes(scale: int) -> Rows:
    for n in range(ROUTES * scale):
        name = f"{_LINES[n % 8]}–{_LINES[(n + 3) % 8]}"
        yield (
            f"r{n}",
            f"a{n // ROUTES}",
            str(n % ROUTES + 1),
            name,
            f"Línea {n}: {name}",
            "1",
            f"https://www.example.org/route/{n}",
            f"{mixed(n) & 0xFFFFFF:06X}",
            "FFFFFF",
        )


def trips(scale: int) -> Rows:
    for n in range(TRIPS * scale):
        service, shape = mixed(n) % (SERVICES * scale), n % (SHAPES * scale)
        yield (
            f"r{n % (ROUTES * scale)}",
            f"s{service}",
            f"t{n}",
            _LINES[n % 8],
            f"{n}",
            "01"[n & 1],
            "",
            f"sh{shape}",
            "1",
        )


def stops(scale: int) -> Rows:
    for n in range(STOPS * scale):
        bits = mixed(n)
        parent = "" if n % 4 == 0 else f"st{n - n % 4}"
        yield (
            f"st{n}", str(n), f"{_LINES[bits & 7]} {n}", f"Calle {bits % 900}", _degrees(40, bits), _degrees(-3, bits >> 7), "ABC"[bits % 3],
            f"https://www.example.org/stop/{n}", "0" if parent else "1", parent, "", "012"[bits % 3],
        )  # fmt: skip


def stop_times(scale: int) -> Rows:
    count = STOP_TIMES * scale
    for n in range(count):
        trip, place = n * TRIPS // STOP_TIMES, n % 20
        yield (
            f"t{trip}",
            _time(21_600 + 97 * place),
            _time(21_620 + 97 * place),
            f"st{mixed(n) % (STOPS * scale)}",
            str(place),
            "",
            "0",
            "0",
            f"{place}.{n % 1000:03}",
        )


def frequencies(scale: int) -> Rows:
    for n in range(FREQUENCIES * scale):
        start = 21_600 + 3_600 * (n % 5)
        yield f"t{n // 5}", _time(start), _time(start + 3_600), str(180 + n % 400), "0"


def shapes(scale: int) -> Rows:
    for n in range(POINTS * scale):
        bits = mixed(n)
        unit, place = divmod(n, POINTS)
        yield (
            f"sh{unit * SHAPES + place % SHAPES}",
            _degrees(40, bits),
            _degrees(-3, bits >> 7),
            str(place // SHAPES + 1),
            f"{place // SHAPES}.{bits % 1000:03}",
        )


FILES: dict[str, tuple[tuple[str, ...], Callable[[int], Rows]]] = {
    "AGENCY": (("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang", "agency_phone", "agency_fare_url"), agency),
    "CALENDAR": (("service_id", *_WEEKDAYS, "start_date", "end_date"), calendar),
    "CALENDAR_DATES": (("service_id", "date", "exception_type"), calendar_dates),
    "FEED_INFO": (("feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date", "feed_end_date", "feed_version"), feed_info),
    "FREQUENCIES": (("trip_id", "start_time", "end_time", "headway_secs", "exact_times"), frequencies),
    "ROUTES": (
        ("route_id", "agency_id", "route_short_name", "route_long_name", "route_desc", "route_type", "route_url", "route_color",
         "route_text_color"),
        routes,
    ),
    "SHAPES": (("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence", "shape_dist_traveled"), shapes),
    "STOPS": (
        ("stop_id", "stop_code", "stop_name", "stop_desc", "stop_lat", "stop_lon", "zone_id", "stop_url", "location_type", "parent_station",
         "stop_timezone", "wheelchair_boarding"),
        stops,
    ),
    "STOP_TIMES": (
        ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "stop_headsign", "pickup_type", "drop_off_type",
         "shape_dist_traveled"),
        stop_times,
    ),
    "TRIPS": (
        ("route_id", "service_id", "trip_id", "trip_headsign", "trip_short_name", "direction_id", "block_id", "shape_id", "wheelchair_accessible"),
        trips,
    ),
}  # fmt: skip


def generate(scale: int, folder: Path) -> None:
    """All files, unless they are in the folder already."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (header, rows) in FILES.items():
        path = folder / f"{name}.csv"
        if not path.exists():
            part = path.with_suffix(".part")
            write(part, header, rows(scale))
            part.rename(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Makes the ten CSV files of a public-transport feed."
    )
    parser.add_argument("scale", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    generate(options.scale, options.folder)
