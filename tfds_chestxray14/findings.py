"""The names of ChestX-ray14's findings and the frame of its boxes."""

# NIH's spelling, alphabetical: the order of the `labels` feature.
FINDINGS: tuple[str, ...] = (
  "Atelectasis",
  "Cardiomegaly",
  "Consolidation",
  "Edema",
  "Effusion",
  "Emphysema",
  "Fibrosis",
  "Hernia",
  "Infiltration",
  "Mass",
  "Nodule",
  "Pleural_Thickening",
  "Pneumonia",
  "Pneumothorax",
)

# The findings that carry boxes in BBox_List_2017.csv.
BOXED_FINDINGS: tuple[str, ...] = (
  "Atelectasis",
  "Cardiomegaly",
  "Effusion",
  "Infiltration",
  "Mass",
  "Nodule",
  "Pneumonia",
  "Pneumothorax",
)

NO_FINDING = "No Finding"

# BBox_List_2017.csv alone spells this one differently.
BOX_ALIASES = {"Infiltrate": "Infiltration"}

# Boxes are pixels of the 1024x1024 PNG as NIH ships it, whatever the size of
# the image that is read or of the film (`OriginalImage`) it was made from.
BOX_FRAME = 1024.0

SPLITS: tuple[str, ...] = ("train", "validation", "test")
SEXES: tuple[str, ...] = ("F", "M")
VIEWS: tuple[str, ...] = ("AP", "PA")
