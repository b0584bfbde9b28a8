"""A jaxpr as an ONNX graph: the operations that our models consist of.

graph        the nodes and constants written so far
walk         goes through a jaxpr, folds constants, opens calls, unrolls
elementwise  one number from one number of each operand
layout       the same numbers in another order or shape
products     sums, maxima, products and convolutions
"""
