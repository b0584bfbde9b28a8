"""What is wrong with a DICOM file, as the rest of a sentence."""


class FilmFault(ValueError):
  """A file that is no film, or damaged; the message quotes no patient.

  Its own type, because pydicom raises `ValueError` too, with bytes of the
  header in the message.
  """
