"""What exists only because of XLA's CPU backend.

The modules need from here one convolution, `conv`, and one decorator, `sealed`.
In a program for other devices the first is XLA's own convolution, and the
second does nothing. Whoever builds a program says where it will run, with
`for_platform`.

    conv        chooses: the platform's form, sealed or not
    plain       XLA's own operation and its transposes
    quick       the forms that a CPU is quick at
    primitives  the two behind one set of derivatives
    sealing     parts that are compiled each on their own
"""

from chexjax.models._cpu.conv import conv
from chexjax.models._cpu.sealing import apart, for_platform, sealed

__all__ = ["apart", "conv", "for_platform", "sealed"]
