"""Time zones by the names programs write them with: the database's own, or those of Windows.

Source of the Windows names: Unicode CLDR, windowsZones, territory 001.
"""

from functools import cache
from zoneinfo import available_timezones

_WINDOWS = {
    "AUS Central Standard Time": "Australia/Darwin", "AUS Eastern Standard Time": "Australia/Sydney", "Alaskan Standard Time": "America/Anchorage",
    "Arabian Standard Time": "Asia/Dubai", "Atlantic Standard Time": "America/Halifax", "Canada Central Standard Time": "America/Regina",
    "Cen. Australia Standard Time": "Australia/Adelaide", "Central America Standard Time": "America/Guatemala", "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw", "Central Standard Time": "America/Chicago", "Central Standard Time (Mexico)": "America/Mexico_City",
    "China Standard Time": "Asia/Shanghai", "E. Australia Standard Time": "Australia/Brisbane", "E. South America Standard Time": "America/Sao_Paulo",
    "Eastern Standard Time": "America/New_York", "FLE Standard Time": "Europe/Kiev", "GMT Standard Time": "Europe/London", "GTB Standard Time": "Europe/Bucharest",
    "Greenwich Standard Time": "Atlantic/Reykjavik", "Hawaiian Standard Time": "Pacific/Honolulu", "India Standard Time": "Asia/Calcutta", "Israel Standard Time": "Asia/Jerusalem",
    "Korea Standard Time": "Asia/Seoul", "Mountain Standard Time": "America/Denver", "New Zealand Standard Time": "Pacific/Auckland",
    "Newfoundland Standard Time": "America/St_Johns", "Pacific SA Standard Time": "America/Santiago", "Pacific Standard Time": "America/Los_Angeles",
    "Romance Standard Time": "Europe/Paris", "Russian Standard Time": "Europe/Moscow", "SA Pacific Standard Time": "America/Bogota",
    "SA Western Standard Time": "America/La_Paz", "SE Asia Standard Time": "Asia/Bangkok", "Singapore Standard Time": "Asia/Singapore",
    "South Africa Standard Time": "Africa/Johannesburg", "Taipei Standard Time": "Asia/Taipei", "Tasmania Standard Time": "Australia/Hobart",
    "Tokyo Standard Time": "Asia/Tokyo", "US Eastern Standard Time": "America/Indianapolis", "US Mountain Standard Time": "America/Phoenix", "UTC": "UTC",
    "W. Australia Standard Time": "Australia/Perth", "W. Europe Standard Time": "Europe/Berlin", "Yukon Standard Time": "America/Whitehorse",
}  # fmt: skip

PRINCIPAL = tuple(dict.fromkeys((
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Europe/Kiev", "Australia/Sydney",
    *_WINDOWS.values(),
)))  # fmt: skip
"""One zone for each clock that is in use, those most people live by first."""


@cache
def known() -> frozenset[str]:
    """The names the database has; it is asked once, for that takes as long as reading a list."""
    return frozenset(available_timezones())


def zone_of(name: str) -> str:
    """A zone as the database knows it, freed of the path some programs put before it; a name nobody knows stands as it is."""
    steps = name[:200].strip("/ ").split("/")
    found = next((zone for n in range(len(steps)) if (zone := "/".join(steps[n:])) in known()), "")
    return found or _WINDOWS.get(name.strip(), name)
