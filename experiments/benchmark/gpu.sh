#!/bin/sh
# All measurements on a GPU in one call of under 8 minutes; run it in the
# repository's root. Not tested: no GPU was at hand when it was written.
#
#   OUT=runs/gpu PYTHON=.venv/bin/python sh experiments/benchmark/gpu.sh
#
# The most wanted come first. What the time does not reach is named, and comes
# in a second call, which finds the compiled steps of the first in its cache.
set -u
OUT=${OUT:-runs/gpu}
PYTHON=${PYTHON:-python}
LIMIT=470
mkdir -p "$OUT"
began=$(date +%s)

measure() {  # name of the result, then the benchmark and its options
  name=$1
  shift
  left=$((LIMIT - $(date +%s) + began))
  if [ -e "$OUT/$name.json" ] && [ -e "$OUT/$name.done" ]; then
    echo "$name: is there"
  elif [ "$left" -lt 30 ]; then
    echo "$name: no time left, call again"
  elif timeout "$left" "$PYTHON" -m experiments.benchmark "$@" \
    --out="$OUT/$name.json" >"$OUT/$name.log" 2>&1; then
    touch "$OUT/$name.done"
    cat "$OUT/$name.log"
  else
    echo "$name: ended with $?, see $OUT/$name.log"
  fi
}

train() {  # name of the result, then options
  name=$1
  shift
  measure "$name" train --cache_dir="$OUT/compiled" --matrix=8192 "$@"
}

nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv

# The largest batch that fits is the last one before the note.
export XLA_PYTHON_CLIENT_MEM_FRACTION=0.95
train stage3_bfloat16 --stages 3 --precision=bfloat16 --no-torch --profile \
  --batch_sizes 8 32 64 128 256 512
# The same without the package's kernels, which no GPU has run yet.
train stage3_bfloat16_xla --stages 3 --precision=bfloat16 --no-torch \
  --no-kernels --batch_sizes 8 64
train stage3_tf32 --stages 3 --precision=tf32 --no-torch \
  --batch_sizes 8 32 64 128 256
train stage3_float32 --stages 3 --precision=float32 --no-torch \
  --batch_sizes 8 32 64 128 256
train stages12_bfloat16 --stages 1 2 --precision=bfloat16 --no-torch \
  --batch_sizes 8 32 64
train stage3_bfloat16_remat --stages 3 --precision=bfloat16 --no-torch \
  --remat --batch_sizes 64 256 512 1024

# Beside torch, which needs memory of its own.
export XLA_PYTHON_CLIENT_MEM_FRACTION=0.45
train stage1_beside_torch --stages 1 --precision=bfloat16 --batch_sizes 32
measure model model --precision=bfloat16 --batch_size=32 --matrix=8192
measure ops ops --precision=float32 --matrix=8192

train stages12_tf32 --stages 1 2 --precision=tf32 --no-torch \
  --batch_sizes 8 32 64
train stages12_float32 --stages 1 2 --precision=float32 --no-torch \
  --batch_sizes 8 32 64
echo "took $(($(date +%s) - began)) s; results in $OUT"
