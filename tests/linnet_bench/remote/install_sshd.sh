#!/bin/sh
# Installs Debian's openssh-server, which the tests of `linnet bench --device ssh://...` run as a private instance
# (own port, own keys, own configuration, on 127.0.0.1 only). The system's own sshd is neither needed nor started.
set -eu
if command -v sshd >/dev/null || [ -x /usr/sbin/sshd ]; then
  echo "sshd is installed"
  exit
fi
root=
[ "$(id -u)" = 0 ] || root=sudo
# 101 from policy-rc.d: "do not start services"; a policy of this machine stays as it is
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
  $root chmod +x "$policy"
  trap '$root rm -f "$policy"' EXIT
fi
$root apt-get update -qq
$root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq --yes --no-install-recommends openssh-server
