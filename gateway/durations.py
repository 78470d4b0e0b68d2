"""How long something took, in words."""


def lasted(duration: float) -> str:
    """Write a duration to read: `12 ms`, `1.206 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if duration < 0.9995:  # noqa: PLR2004 - it rounds to 1000 ms
        return f"{duration * 1000:.0f} ms"
    if duration < 10:  # noqa: PLR2004 - finer than seconds as long as one digit stands before the point
        return f"{duration:.3f} s"
    if duration < 60:  # noqa: PLR2004
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
