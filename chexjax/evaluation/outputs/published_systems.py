"""What others have published, per finding, with what it was measured on.

Wang et al. and Hermoza et al. are from their papers; Li, CRAL, Ma and Yao as
Hermoza et al. quote them. None of it compares with a figure run here: other
splits, other boxes, other rules of choosing thresholds.
"""

from typing import NamedTuple

_FINDINGS = (
  "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule",
  "Pneumonia", "Pneumothorax", "Consolidation", "Edema", "Emphysema",
  "Fibrosis", "Pleural_Thickening", "Hernia",
)  # fmt: skip


class Published(NamedTuple):
  """A column of a published table.

  Attributes:
    name: of the system.
    split: the films that it was tested on.
    boxes: predicted boxes per case.
    thresholds: who chose the cut of a map.
    figures: in the order of ChestX-ray14's findings; the first 8 have boxes.
    note: what is odd about it; empty without.
  """

  name: str
  split: str
  boxes: str
  thresholds: str
  figures: tuple[float, ...]
  note: str = ""

  def by_finding(self) -> dict[str, float]:
    """Return finding -> figure, and their `mean`, computed here."""
    mean = sum(self.figures) / len(self.figures)
    return {**dict(zip(_FINDINGS, self.figures)), "mean": mean}


_OFFICIAL, _NONE = "official test list", "-"
_LI_NOTE = (
  "Hermoza et al. print a mean of .739, their column averages .735; Li et al. "
  "themselves report random splits, so that the origin of the column is not "
  "known"
)
AUC = (
  Published(
    "Wang et al. 2017, ChestX-ray8 model", "random 70/10/20", _NONE, _NONE,
    (.7069, .8141, .7362, .6128, .5609, .7164, .6333, .7891),
    "8 findings only",
  ),
  Published(
    "Wang et al. 2017", _OFFICIAL, _NONE, _NONE,
    (.7003, .8100, .7585, .6614, .6933, .6687, .6580, .7993, .7032, .8052,
     .8330, .7859, .6835, .8717),
  ),
  Published(
    "Li et al. 2018, quoted by Hermoza et al.", "not the official one", _NONE,
    _NONE,
    (.729, .846, .781, .673, .743, .758, .633, .793, .720, .710, .751, .761,
     .730, .668),
    _LI_NOTE,
  ),
  Published(
    "CRAL, quoted by Hermoza et al.", _OFFICIAL, _NONE, _NONE,
    (.781, .883, .831, .697, .830, .764, .725, .866, .758, .853, .911, .826,
     .780, .918),
  ),
  Published(
    "Ma et al. 2019, quoted by Hermoza et al.", _OFFICIAL, _NONE, _NONE,
    (.777, .894, .829, .696, .838, .771, .722, .862, .750, .846, .908, .827,
     .779, .934),
  ),
  Published(
    "Hermoza et al. 2020", _OFFICIAL, _NONE, _NONE,
    (.775, .881, .831, .695, .826, .789, .741, .879, .747, .846, .936, .833,
     .793, .917),
  ),
)  # fmt: skip
_YAO_NOTE = (
  "its Nodule stands above its Cardiomegaly, against every other method on "
  "these boxes: the order of its classes may be another"
)
CDICE = (
  Published(
    "Yao et al. 2018, quoted by Hermoza et al.", "not seen", "no box", _NONE,
    (.204, .180, .293, .325, .202, .295, .112, .039), _YAO_NOTE,
  ),
  Published(
    "Hermoza et al. 2020, Sal", _OFFICIAL, "no box", _NONE,
    (.296, .737, .333, .374, .294, .059, .424, .222),
  ),
  Published(
    "Hermoza et al. 2020, Det", _OFFICIAL, "no box", _NONE,
    (.376, .590, .363, .449, .361, .143, .494, .200),
  ),
  Published(
    "Hermoza et al. 2020, Mix", _OFFICIAL, "no box", _NONE,
    (.403, .500, .355, .431, .403, .181, .493, .190),
  ),
)  # fmt: skip
_WANG = "Wang et al. 2017, ChestX-ray8 model"
_WANG_HOW = ("random 70/10/20, 984 boxes", "about 1 to 3", "fixed: 60, 180")
_WANG_NOTE = (
  "the 8-class model of ChestX-ray8, although Hermoza et al. set the row "
  "beside the AUC of the 14-class one; of several boxes any may hit"
)
_OURS_HOW = (_OFFICIAL, "1", "the scored boxes (oracle)")
# IoU of a hit -> columns.
T_IOU = {
  "0.3": (
    Published(
      _WANG, *_WANG_HOW,
      (.2444, .4589, .3006, .2764, .1529, .0379, .1666, .1326), _WANG_NOTE,
    ),
    Published(
      "Hermoza et al. 2020, Mix", *_OURS_HOW,
      (.37, .99, .37, .54, .35, .04, .60, .21),
    ),
  ),
  "0.5": (
    Published(
      _WANG, *_WANG_HOW,
      (.0500, .1780, .1111, .0650, .0117, .0126, .0333, .0306), _WANG_NOTE,
    ),
    Published(
      "Hermoza et al. 2020, Mix", *_OURS_HOW,
      (.11, .92, .05, .30, .13, .00, .27, .06),
    ),
  ),
  "0.6": (
    Published(
      _WANG, *_WANG_HOW,
      (.0222, .0753, .0457, .0243, .0000, .0126, .0166, .0306), _WANG_NOTE,
    ),
    Published(
      "Hermoza et al. 2020, Mix", *_OURS_HOW,
      (.04, .73, .01, .20, .05, .00, .18, .01),
    ),
  ),
}  # fmt: skip
