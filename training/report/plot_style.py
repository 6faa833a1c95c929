"""How every plot of a report looks: one size, one palette, one way to PNG; no global state is touched."""

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from services.contracts.scoring import MAX_SCORE

_SIZE_INCHES = (6.4, 4.8)
_DOTS_PER_INCH = 150
_PAD_INCHES = 0.12
# Okabe and Ito, "Color Universal Design" (2008): told apart with any kind of colour vision.
BLUE, GREEN, ORANGE, VERMILION, GREY = "#0072B2", "#009E73", "#E69F00", "#D55E00", "#6b6b6b"
CATEGORY_COLOURS = {"excellent": BLUE, "good": GREEN, "fair": ORANGE, "poor": VERMILION}
CATEGORY_MARKERS = {"excellent": "o", "good": "s", "fair": "^", "poor": "D"}


def new_figure() -> Figure:
    """Returns an empty figure of the report's size, in inches at 150 dots an inch."""
    layout = ConstrainedLayoutEngine(w_pad=_PAD_INCHES, h_pad=_PAD_INCHES)
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """Takes the frame's upper and right side away and puts a faint grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def draw_diagonal(axes: Axes, end: float, name: str) -> None:
    """Draws where both axes agree, from 0 to an end."""
    axes.plot([0, end], [0, end], color=GREY, linewidth=1, linestyle="--", label=name)


def span_scores(axes: Axes, *, both: bool = False) -> None:
    """Shows the whole scale of scores, with room for the marks at its ends.

    Args:
        axes: whose x axis holds points.
        both: whether its y axis does too.
    """
    room = 3
    axes.set_xlim(-room, MAX_SCORE + room)
    axes.set_xticks(range(0, MAX_SCORE + 1, 20))
    if both:
        axes.set_ylim(-room, MAX_SCORE + room)
        axes.set_yticks(range(0, MAX_SCORE + 1, 20))


def png_bytes(figure: Figure) -> bytes:
    """Returns the figure as PNG, the same bytes for the same figure."""
    file = BytesIO()
    # Without the library's own mark, which is an address on the net and changes with its version.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
