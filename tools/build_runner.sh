#!/bin/sh
# usage: sh tools/build_runner.sh x86_64|aarch64
# Builds the C runner for machines without Python: dist/linnet-bench-runner-MACHINE/, a folder that runs anywhere.
# The folder brings its own C library and loader, because a phone has another C library and a small board perhaps an
# older one; what it needs of the machine is a Linux kernel. Header and libraries come from the wheel in dist/ (or
# build/install). aarch64 is cross-compiled with Debian's compiler, unpacked into build/aarch64.
set -eu
: "${PYTHON:=python3}"
: "${BIN:=.venv/bin}"
machine=${1:-$(uname -m)}
work=build/runner-$machine
into=dist/linnet-bench-runner-$machine

wheel=$(ls -t dist/linnet-*"$machine".whl build/install/linnet-*"$machine".whl 2>/dev/null | head -n 1 || true)
if [ -z "$wheel" ]; then
  echo "linnet: no wheel of linnet for $machine in dist/: make wheel$([ "$machine" = aarch64 ] && echo -aarch64)" >&2
  exit 1
fi
case $machine in
  aarch64)
    PYTHON=$PYTHON sh tools/cross_toolchain.sh
    toolchain=-DCMAKE_TOOLCHAIN_FILE=$PWD/runtime_bindings/cmake/aarch64-linux-gnu.cmake
    compiler=$PWD/build/aarch64/toolchain/cross-bin/aarch64-linux-gnu-gcc-12
    loader=ld-linux-aarch64.so.1
    ;;
  x86_64)
    toolchain=-DCMAKE_SYSTEM_NAME=Linux
    compiler=cc
    loader=ld-linux-x86-64.so.2
    ;;
  *)
    echo "linnet: there are no ExecuTorch libraries for $machine, expected x86_64 or aarch64" >&2
    exit 1
    ;;
esac

echo "== the C runner for $machine, with the libraries of $wheel"
rm -rf "$work" "$into.new"
mkdir -p "$work" "$into.new/lib"
"$PYTHON" -m zipfile -e "$wheel" "$work/wheel"
case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
PATH="$BIN:$PATH"
root=$PWD/$work/wheel/linnet_runtime
cmake -G Ninja -S runtime_bindings/runner -B "$work/cmake" $toolchain -DLINNET_ROOT="$root" >"$work/cmake.log"
cmake --build "$work/cmake" >>"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }

cp "$work/cmake/linnet_bench" "$into.new/"
find "$root/lib" -maxdepth 1 -type f -exec cp {} "$into.new/lib/" \;  # not the folders for CMake and pkg-config
for name in "$loader" libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libstdc++.so.6 libgcc_s.so.1; do
  cp -L "$("$compiler" -print-file-name="$name")" "$into.new/lib/$name"
done
cat >"$into.new/run" <<RUN
#!/bin/sh
# runs linnet_bench with the C library of this folder
here=\$(cd "\$(dirname "\$0")" && pwd)
exec "\$here/lib/$loader" --library-path "\$here/lib" "\$here/linnet_bench" "\$@"
RUN
chmod 755 "$into.new/run" "$into.new/linnet_bench" "$into.new/lib/$loader"
rm -rf "$into"
mv "$into.new" "$into"
du -sh "$into"
