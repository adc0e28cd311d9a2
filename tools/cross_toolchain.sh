#!/bin/sh
# usage: sh tools/cross_toolchain.sh     (build_wheels_aarch64.sh and build_runner.sh call it)
# Debian Bookworm's compiler for aarch64, unpacked into build/aarch64/toolchain without root: its glibc 2.36 is
# the one of Raspberry Pi OS. cross-bin/ has the programs with the libraries and the root folder they need.
set -eu
: "${PYTHON:=python3}"
folder=build/aarch64/toolchain

"$PYTHON" tools/debian_packages.py --suite bookworm --architecture amd64 --into "$folder" \
  cpp-12-aarch64-linux-gnu gcc-12-aarch64-linux-gnu g++-12-aarch64-linux-gnu \
  binutils-aarch64-linux-gnu libbinutils libjansson4 libisl23 libmpc3 libmpfr6 libgmp10 libzstd1 \
  libc6-dev-arm64-cross libc6-arm64-cross libgcc-12-dev-arm64-cross libgcc-s1-arm64-cross \
  libstdc++-12-dev-arm64-cross libstdc++6-arm64-cross linux-libc-dev-arm64-cross \
  libatomic1-arm64-cross libgomp1-arm64-cross

[ -d "$folder/cross-bin" ] && exit
mkdir -p "$folder/cross-bin.new"
for program in "$folder"/usr/bin/aarch64-linux-gnu-*; do
  name=$(basename "$program")
  case $name in
    *-gcc-12 | *-g++-12 | *-ld) options='--sysroot="$root"' ;;
    *) options= ;;
  esac
  cat >"$folder/cross-bin.new/$name" <<WRAPPER
#!/bin/sh
root=\$(cd "\$(dirname "\$0")/.." && pwd)
export LD_LIBRARY_PATH="\$root/usr/lib/x86_64-linux-gnu"
exec "\$root/usr/bin/$name" $options "\$@"
WRAPPER
  chmod +x "$folder/cross-bin.new/$name"
done
mv "$folder/cross-bin.new" "$folder/cross-bin"
