"""Lines and marks that tell nothing but who somebody is, told from the skills that look like them.

"Mobile: Swift, Kotlin", "Cell: flow cytometry" and "(image segmentation with U-Net)" stay. A text that lost
its line ends has more behind a label than its value, and so has "Name: ..., registered nurse, six years":
what goes ends at the next comma, semicolon or bar.
"""

import re

_FLAGS = re.IGNORECASE | re.MULTILINE
_START = r"^[ \t>*•-]{0,8}"
_COLON = r"\b\**[ \t]{0,4}[:=]"
_VALUE = r"[^\n;|,]{0,60}"
_PHOTO = r"(?:photo(?:graph)?|picture|headshot|portrait|image)"
_PICTURE_FILE = r"\.(?:jpe?g|png|gif)"

#: Stands where something was deleted. A noncharacter, which no text may hold.
SEAM = "\ufdd0"

NAME_LINE = re.compile(rf"{_START}(?:full name|name){_COLON}[^\n;|,(]{{0,60}}", _FLAGS)
PERSONAL_LINE = re.compile(
    rf"{_START}(?:date of birth|d\.?o\.?b\.?|born|age|gender|sex|pronouns|marital status|civil status|"
    rf"nationality|citizenship|religion|ethnicity|race|place of birth|children){_COLON}{_VALUE}"
    # "3 May, 1983"; "Springfield, Illinois" at the line's end
    r"(?:,[ \t]{0,4}(?:\d{4}\b|[A-Z][\w.]{1,20}(?=[ \t]{0,4}$)))?",
    _FLAGS,
)
ADDRESS_LINE = re.compile(rf"{_START}(?:home |mailing |postal )?address{_COLON}[^\n]{{0,120}}$", _FLAGS)
CONTACT_LINE = re.compile(
    rf"{_START}(?:e-?mail|phone|telephone|tel|mobile|cell){_COLON}[^\n]{{0,20}}?"
    rf"(?:\d[\d ().+-]{{5,20}}|@|{SEAM})[^\n;|]{{0,60}}",
    _FLAGS,
)
PHOTO_MARK = re.compile(
    rf"[\[(<][ \t]{{0,4}}{_PHOTO}"
    r"(?:[ \t]{1,3}(?:of|attached|here|enclosed|included|available|removed|placeholder|id|no|below|above|x"
    rf"|\d{{1,4}})\b[^\])>\n]{{0,80}}|[ \t]{{0,3}}[:=-][^\])>\n]{{0,80}}|{_PICTURE_FILE})?[ \t]{{0,4}}[\])>]"
    r"|^[ \t]{0,8}(?:photo(?:graph)?|picture|headshot|portrait)(?:[ \t]{1,3}of[ \t][^\n]{0,120}"
    r"|[ \t]{0,3}[:=][ \t]{0,3}(?:(?:see|is|was)[ \t])?(?:attached|enclosed|included|above|below|yes"
    rf"|available|on request|a [^\n]{{0,80}}|\S{{1,80}}{_PICTURE_FILE}|https?://[^\n]{{0,120}}))?"
    r"[ \t]{0,4}$",
    _FLAGS,
)
#: One of these stands in whatever ``PHOTO_MARK`` finds.
PHOTO_WORDS = ("photo", "picture", "headshot", "portrait", "image")
