"""How large a message is, and may be: published limits of those who carry it.

- E-mail: Gmail shows the first 102 KB of the HTML and hides the rest, the footer too. Measured
  where the limit is told: the HTML without pictures.
- SMS: 160 characters of the GSM alphabet, 70 if there is any other; of several parts 153 and 67
  each, since a header joins them (3GPP TS 23.038 and 23.040). What takes two places, such as € or
  an emoji, is not parted.
- Push: Apple (APNs) and Google (FCM) take 4,096 bytes for the whole payload; half of it is left to
  what the sending tool adds.
"""

LIMITS = {"email": 100_000, "sms": 2, "push": 2_000, "onsite": 2_000}
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_OF_TWO = frozenset("\f^{}\\[~]|€")  # behind an escape character, so they count twice


def size_of(channel: str, *texts: str) -> int:
    """Parts of an sms, else bytes in UTF-8, of all texts together."""
    if channel == "sms":
        return sms_parts("".join(texts))
    return sum(len(text.encode()) for text in texts)


def sms_parts(text: str) -> int:
    """How many messages an sms is sent as, and paid for."""
    if all(one in _GSM or one in _GSM_OF_TWO for one in text):
        single, joined = 160, 153
        places = [2 if one in _GSM_OF_TWO else 1 for one in text]
    else:
        single, joined = 70, 67
        places = [len(one.encode("utf-16-le")) // 2 for one in text]
    if sum(places) <= single:
        return 1
    parts, filled = 1, 0
    for taken in places:
        if filled + taken > joined:
            parts, filled = parts + 1, 0
        filled += taken
    return parts


def told(channel: str, size: int) -> str:
    """A size in words."""
    unit = "part" if channel == "sms" else "byte"
    return f"{size:,} {unit}{'s' * (size != 1)}"
