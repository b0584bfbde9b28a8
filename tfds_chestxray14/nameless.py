"""Users and groups without a name, as processes in containers often are."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def nameless_users() -> Iterator[None]:
  """Give users and groups that have no name their number as one.

  etils looks up the owner of every file that it asks the size of, and raises
  `KeyError` where the system does not know the owner's name.
  """
  try:
    import grp
    import pwd
  except ImportError:  # A system without users of this kind.
    yield
    return
  user_of, group_of = pwd.getpwuid, grp.getgrgid

  def any_user(number: int) -> pwd.struct_passwd:
    try:
      return user_of(number)
    except KeyError:
      return pwd.struct_passwd((str(number), "x", number, 0, "", "/", ""))

  def any_group(number: int) -> grp.struct_group:
    try:
      return group_of(number)
    except KeyError:
      return grp.struct_group((str(number), "x", number, []))

  setattr(pwd, "getpwuid", any_user)  # noqa: B010
  setattr(grp, "getgrgid", any_group)  # noqa: B010
  try:
    yield
  finally:
    setattr(pwd, "getpwuid", user_of)  # noqa: B010
    setattr(grp, "getgrgid", group_of)  # noqa: B010
