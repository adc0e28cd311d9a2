#!/bin/sh
# usage: [SECONDS_EACH=120] [FUZZ_TARGETS="trailer text"] sh tools/fuzz.sh        (make fuzz)
# Fuzzes what linnet parses itself with libFuzzer, AddressSanitizer and UBSan: trailer, signature and hashes of a mapped
# file, tokenizer bytes, texts for tables, manifest values, texts and outputs, constraints, masking. SECONDS_EACH (120: sixteen minutes in all) is the time of each,
# FUZZ_TARGETS="trailer text" chooses; new inputs that find something stay in build/fuzz/corpus, a crash in
# build/fuzz/crashes. Needs clang++ with libFuzzer: apt-get install clang.
set -eu
: "${SECONDS_EACH:=120}"
CXX=${FUZZ_CXX:-$(command -v clang++ || true)}
build=build/fuzz
mkdir -p "$build/crashes"
printf 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n' >"$build/try.cpp"
if [ -z "$CXX" ] || ! "$CXX" -fsanitize=fuzzer "$build/try.cpp" -o "$build/try" 2>"$build/try.log"; then
  echo "SKIPPED: the fuzzers need clang++ with libFuzzer; on Debian: apt-get install clang"
  exit 0
fi
flags="-std=c++17 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -Iruntime_bindings/include -Iruntime_bindings/runtime -Iruntime_bindings/runtime/text"
api=runtime_bindings/runtime/c_api
objects=""
for source in $(find runtime_bindings/runtime/text -name '*.cpp' | sort) $api/constraint_api.cpp $api/decode_api.cpp $api/file_api.cpp \
  $api/flow_api.cpp $api/mask_api.cpp $api/task_api.cpp $api/tokenizer_api.cpp; do
  object="$build/$(echo "$source" | tr / _).o"
  if [ ! -e "$object" ] || [ -n "$(find runtime_bindings/runtime/text "$api" runtime_bindings/include -newer "$object" -type f)" ]; then
    # shellcheck disable=SC2086
    "$CXX" $flags -fsanitize=fuzzer-no-link,address,undefined -c "$source" -o "$object"
  fi
  objects="$objects $object"
done
for name in ${FUZZ_TARGETS:-trailer signature tokenizer tables manifest text constraint mask}; do
  # shellcheck disable=SC2086
  "$CXX" $flags -fsanitize=fuzzer,address,undefined "tests/fuzz/fuzz_$name.cpp" $objects -o "$build/$name"
  mkdir -p "$build/corpus/$name"
  echo "== $name, $SECONDS_EACH s"
  "$build/$name" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" "tests/fuzz/corpus/$name" >"$build/$name.log" 2>&1 || {
    tail -40 "$build/$name.log"
    exit 1
  }
  grep -E "number_of_executed_units|new_units_added" "$build/$name.log"
  grep -oE "cov: [0-9]+ ft: [0-9]+ corp: [0-9]+" "$build/$name.log" | tail -1
done
