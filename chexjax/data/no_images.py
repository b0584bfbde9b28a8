"""What is often saved or downloaded in an image's place."""

HEAD = 132  # bytes that tell

_NO_IMAGES = {
  b"version https://git-lfs.github.com/spec/": (
    "is a Git LFS pointer, not the image; run git lfs pull"
  ),
  b"<!doctype html": "is a web page, not an image; download it again",
  b"<html": "is a web page, not an image; download it again",
  b"<?xml": "is an XML text, not an image; download it again",
}


def what_it_is(start: bytes) -> str:
  """Return what a file is that is no image, as the rest of a sentence.

  Args:
    start: its first `HEAD` bytes.

  Returns:
    An empty text where the bytes do not tell.
  """
  if not start:
    return "is empty: a file of 0 bytes"
  text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
  return next(
    (said for mark, said in _NO_IMAGES.items() if text.startswith(mark)), ""
  )
