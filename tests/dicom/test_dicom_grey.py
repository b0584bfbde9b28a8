"""From stored values to 8 bits, stage by stage, against the standard's text."""

import numpy as np
import pytest
from dicom_films import film, ramp, table, uid

from chexjax.dicom.film import film_of

TOP = 4095


def grey_of(dataset):
  found = film_of(dataset, max_pixels=10**6)
  return np.asarray(found.grey).astype(int), " ".join(found.notes)


def eight(share):
  return np.rint(np.clip(share, 0, 1) * 255)


def test_a_window_is_the_standards_line():
  values = ramp()
  grey, notes = grey_of(film(WindowCenter=2000, WindowWidth=1001))
  np.testing.assert_array_equal(grey, eight((values - 1999.5) / 1000 + 0.5))
  assert notes == ""


def test_other_window_functions():
  values = ramp().astype(float)
  window = {"WindowCenter": 2000, "WindowWidth": 1000}
  exact, _ = grey_of(film(VOILUTFunction="LINEAR_EXACT", **window))
  np.testing.assert_array_equal(exact, eight((values - 2000) / 1000 + 0.5))
  curve, _ = grey_of(film(VOILUTFunction="SIGMOID", **window))
  want = eight(1 / (1 + np.exp(-4 * (values - 2000) / 1000)))
  np.testing.assert_array_equal(curve, want)
  odd, notes = grey_of(film(VOILUTFunction="CUBIC", **window))
  assert "VOI LUT Function is unknown" in notes
  np.testing.assert_array_equal(odd, grey_of(film(**window))[0])


def test_a_window_one_wide_is_a_threshold_and_narrower_ones_are_none():
  grey, _ = grey_of(film(WindowCenter=2000, WindowWidth=1))
  np.testing.assert_array_equal(grey, (ramp() > 1999.5) * 255)
  for width in (0, -5):
    grey, notes = grey_of(film(WindowCenter=2000, WindowWidth=width))
    assert "not applied" in notes
    assert grey.max() == 255
  exact = film(WindowCenter=9, WindowWidth=0.5, VOILUTFunction="LINEAR_EXACT")
  assert "not applied" not in grey_of(exact)[1]


def test_the_first_of_several_windows_is_taken_and_named():
  first, _ = grey_of(film(WindowCenter=1000, WindowWidth=900))
  both, notes = grey_of(film(WindowCenter=[1000, 3000], WindowWidth=[900, 100]))
  np.testing.assert_array_equal(first, both)
  assert "first of its 2 windows is applied, 1000 / 900" in notes


def test_a_voi_lut_comes_before_a_window_and_the_first_of_several():
  entries = (np.arange(TOP + 1) ** 2 // TOP) * 16
  lut = table(0, entries)
  voi, _ = grey_of(film(VOILUTSequence=lut, WindowCenter=1, WindowWidth=2))
  np.testing.assert_array_equal(voi, eight(entries[ramp()] / 65535))
  two = film(VOILUTSequence=lut + table(0, [1, 2, 3]))
  grey, notes = grey_of(two)
  np.testing.assert_array_equal(grey, voi)
  assert "first of its 2 VOI LUTs" in notes
  packed = film(VOILUTSequence=table(0, entries, kind="OW"))
  np.testing.assert_array_equal(grey_of(packed)[0], voi)


def test_a_lut_that_declares_more_bits_than_its_entries_have():
  # Agfa writes 16 for entries of 12 bits; by the descriptor it were black.
  lut = table(0, np.arange(TOP + 1), bits=16)
  grey, _ = grey_of(film(VOILUTSequence=lut))
  np.testing.assert_array_equal(grey, eight(ramp() / TOP))


def test_a_lut_shorter_than_the_values_repeats_its_ends():
  lut = table(1000, np.arange(1001), bits=10)
  grey, _ = grey_of(film(VOILUTSequence=lut))
  want = np.clip(ramp().astype(int) - 1000, 0, 1000) / 1023
  np.testing.assert_array_equal(grey, eight(want))


def test_the_first_input_of_a_lut_is_signed_only_if_its_inputs_are():
  values = ramp().astype(np.int16) - 2048
  lut = table(-2048, np.arange(TOP + 1), bits=12)
  signed, _ = grey_of(film(values, VOILUTSequence=lut))
  np.testing.assert_array_equal(signed, eight(ramp() / TOP))
  # 63488 is -2048 in 16 bits, written as unsigned.
  lut[0].add_new("LUTDescriptor", "US", [4096, 63488, 12])
  again, _ = grey_of(film(values, VOILUTSequence=lut))
  np.testing.assert_array_equal(again, signed)


def test_a_table_of_65536_entries_declares_0():
  lut = table(0, np.arange(65536))
  assert lut[0].LUTDescriptor[0] == 0
  grey, _ = grey_of(film(ramp(16), bits=16, VOILUTSequence=lut))
  np.testing.assert_array_equal(grey, eight(ramp(16) / 65535))


def test_an_empty_lut_is_said_and_the_window_serves():
  lut = table(0, [1, 2])
  del lut[0].LUTData
  tags = {"WindowCenter": 2048, "WindowWidth": 4096}
  grey, notes = grey_of(film(VOILUTSequence=lut, **tags))
  np.testing.assert_array_equal(grey, grey_of(film(**tags))[0])
  assert "VOI LUT is empty" in notes


def test_rescale_comes_before_the_window_also_when_it_is_negative():
  tags = {"RescaleSlope": -10, "RescaleIntercept": 40950}
  window = {"WindowCenter": 20000, "WindowWidth": 10001}
  grey, _ = grey_of(film(**tags, **window))
  values = 40950 - 10 * ramp().astype(int)
  np.testing.assert_array_equal(grey, eight((values - 19999.5) / 10000 + 0.5))


def test_a_modality_lut_is_scaled_by_its_own_range():
  lut = table(0, np.arange(TOP + 1)[::-1] // 2, bits=16)
  grey, notes = grey_of(film(ModalityLUTSequence=lut))
  np.testing.assert_array_equal(grey, eight((TOP - ramp()) // 2 / 2047))
  assert "no window" not in notes


def test_eight_bits_without_a_window_are_left_alone():
  values = (ramp(8) // 2 + 40).astype(np.uint8)
  grey, notes = grey_of(film(values, bits=8))
  np.testing.assert_array_equal(grey, values)
  assert notes == ""


def test_deep_values_without_a_window_span_from_darkest_to_brightest():
  values = ramp() // 2 + 100
  grey, notes = grey_of(film(values))
  low, high = int(values.min()), int(values.max())
  np.testing.assert_array_equal(grey, eight((values - low) / (high - low)))
  assert "no window and no VOI LUT" in notes


@pytest.mark.parametrize("shape", [None, "IDENTITY", "INVERSE"])
def test_monochrome1_is_inverted_once_whatever_the_shape_says(shape):
  window = {"WindowCenter": 2000, "WindowWidth": 1001}
  plain, _ = grey_of(film(**window))
  tags = window | {"PresentationLUTShape": shape}
  one, notes = grey_of(film(PhotometricInterpretation="MONOCHROME1", **tags))
  np.testing.assert_array_equal(one, 255 - plain)
  assert ("contradicts" in notes) == (shape == "IDENTITY")
  two, notes = grey_of(film(**tags))
  np.testing.assert_array_equal(two, plain)
  assert ("contradicts" in notes) == (shape == "INVERSE")


def test_padding_is_air_and_counts_in_no_statistics():
  values = ramp() // 4 + 1000
  values[:, :5] = 0
  values[:, -5:] = 4000
  tags = {"PixelPaddingValue": 0}
  for polarity in ("MONOCHROME1", "MONOCHROME2"):
    inside = film(values[:, 5:-5], PhotometricInterpretation=polarity)
    want, _ = grey_of(inside)
    grey, _ = grey_of(
      film(values[:, :-5], PhotometricInterpretation=polarity, **tags)
    )
    assert (grey[:, :5] == 0).all()
    np.testing.assert_array_equal(grey[:, 5:], want)
  ranged = film(values, PixelPaddingValue=3000, PixelPaddingRangeLimit=4095)
  assert (grey_of(ranged)[0][:, -5:] == 0).all()
  assert (grey_of(ranged)[0][:, -6] > 0).any()


def test_padding_of_signed_values():
  values = ramp().astype(np.int16) - 2048
  values[0] = -2000
  dataset = film(values, bits=16, PixelRepresentation=1)
  dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
  assert (grey_of(dataset)[0][0] == 0).all()


def test_bits_above_bits_stored_are_masked():
  values = ramp()
  plain, _ = grey_of(film(values, WindowCenter=2048, WindowWidth=4096))
  overlay = values.copy()
  overlay[10:20, 10:20] |= 0xA000
  tags = {"WindowCenter": 2048, "WindowWidth": 4096}
  np.testing.assert_array_equal(grey_of(film(overlay, **tags))[0], plain)
  # Bits that do not begin at the lowest.
  shifted = film(values << 4, **tags, HighBit=15)
  np.testing.assert_array_equal(grey_of(shifted)[0], plain)


def test_signed_values_of_12_bits_whose_sign_does_not_reach_the_16th():
  values = (ramp().astype(int) - 2048) & 0x0FFF
  dataset = film(
    values.astype(np.uint16),
    PixelRepresentation=1, WindowCenter=0, WindowWidth=4096,
  )  # fmt: skip
  grey, _ = grey_of(dataset)
  want = eight((ramp().astype(int) - 2048 + 0.5) / 4095 + 0.5)
  np.testing.assert_array_equal(grey, want)


@pytest.mark.parametrize(
  ("photometric", "said"),
  [("RGB", "wrong"), (None, "missing"), ("MONOCHROME", "wrong")],
)
def test_a_wrong_photometric_tag_is_noted(photometric, said):
  values = ramp(8).astype(np.uint8)
  dataset = film(values, bits=8, PhotometricInterpretation=photometric)
  grey, notes = grey_of(dataset)
  np.testing.assert_array_equal(grey, values)
  assert f"Photometric Interpretation is {said}" in notes


def test_grey_in_three_channels_and_a_palette():
  values = ramp(8).astype(np.uint8)
  same = film(
    np.dstack([values] * 3), bits=8, PhotometricInterpretation="RGB",
    PlanarConfiguration=0,
  )  # fmt: skip
  grey, notes = grey_of(same)
  np.testing.assert_array_equal(grey, values)
  assert "in three colours that are the same" in notes
  palette = film(values, bits=8, PhotometricInterpretation="PALETTE COLOR")
  with pytest.raises(ValueError, match="damaged colour palette"):
    grey_of(palette)
  inverse = (255 - np.arange(256)).astype("<u2") * 257
  for colour in ("Red", "Green", "Blue"):
    name = f"{colour}PaletteColorLookupTable"
    setattr(palette, f"{name}Descriptor", [256, 0, 16])
    setattr(palette, f"{name}Data", inverse.tobytes())
  np.testing.assert_array_equal(grey_of(palette)[0], 255 - values.astype(int))


@pytest.mark.parametrize("photometric", ["RGB", "MONOCHROME2", "YBR_FULL"])
def test_colour_becomes_luma_with_a_note(photometric):
  grey8 = ramp(8).astype(np.uint8)
  colours = np.dstack([grey8, 255 - grey8, grey8 // 2])
  if photometric == "YBR_FULL":
    colours = np.dstack([grey8, np.full_like(grey8, 128)] * 2)[..., [0, 1, 3]]
  dataset = film(
    colours, bits=8, PhotometricInterpretation=photometric,
    PlanarConfiguration=0,
  )  # fmt: skip
  grey, notes = grey_of(dataset)
  want = grey8.astype(int)
  if photometric != "YBR_FULL":
    want = colours @ [0.299, 0.587, 0.114]
  assert np.abs(grey - want).max() <= 1
  assert "colour" in notes
  assert ("wrong" in notes) == (photometric == "MONOCHROME2")


@pytest.mark.parametrize(
  "syntax",
  [uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.RLELossless,
   uid.DeflatedExplicitVRLittleEndian],
)  # fmt: skip
def test_every_encoding_gives_the_same_grey(syntax, tmp_path):
  from dicom_films import write

  from chexjax.dicom.film import read_dicom

  tags = {"WindowCenter": 2048, "WindowWidth": 4096}
  want, _ = grey_of(film(**tags))
  dataset = film(**tags)
  if syntax == uid.RLELossless:
    dataset.compress(uid.RLELossless)
  elif syntax == uid.ExplicitVRBigEndian:
    dataset.PixelData = ramp().astype(">u2").tobytes()
  dataset.file_meta.TransferSyntaxUID = syntax
  path = write(dataset, tmp_path / "film")
  np.testing.assert_array_equal(read_dicom(path, max_pixels=10**6).grey, want)


def test_the_data_set_that_is_given_is_not_changed():
  dataset = film(PhotometricInterpretation="MONOCHROME1")
  before = dataset.to_json()
  film_of(dataset, max_pixels=10**6)
  assert dataset.to_json() == before
