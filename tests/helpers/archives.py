"""Archives as NIH has them, of a few members."""

import io
import tarfile


def archive(members):
  """Return the bytes of a .tar.gz of names, or headers, and contents."""
  buffer = io.BytesIO()
  with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
    for member, data in members:
      if isinstance(member, str):
        member = tarfile.TarInfo(member)
      member.size = len(data)
      tar.addfile(member, io.BytesIO(data))
  return buffer.getvalue()
