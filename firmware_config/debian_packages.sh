#!/bin/sh
# Installs the Debian packages that a make target needs and that are missing, if it may; else names them.
# Usage: debian_packages.sh demo|test|virtual-pi. Never fails for a package that has a substitute.
set -eu
target=$1
list=$(dirname "$0")/../debian-packages.txt
command -v dpkg-query >/dev/null || exit 0

missing=
while read -r package rest; do
    case "$package" in ''|'#'*) continue ;; esac
    case " ${rest%%  *} " in *" $target "*) ;; *) continue ;; esac
    case $(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null) in *' ok installed') continue ;; esac
    case "$package" in
        # a Python or a broker that was installed another way will do
        python3-venv) python3 -c 'import ensurepip' 2>/dev/null && continue ;;
        systemd) command -v systemd-analyze >/dev/null && continue ;;
        udev) PATH=$PATH:/sbin:/usr/sbin command -v udevadm >/dev/null && continue ;;
        *) PATH=$PATH:/usr/sbin command -v "$package" >/dev/null && continue ;;
    esac
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] && continue
    missing="$missing $package"
done <"$list"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=sudo
else
    echo "Missing Debian packages:$missing"
    echo "Install them with: sudo apt-get install$missing"
    [ "$target" = demo ] && [ "$missing" = " mosquitto" ] && exit 0
    exit 1
fi
echo "Installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# the broker is started by whoever needs it, not by its package
if [ -z "$as_root" ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
$as_root apt-get install -qq --yes --no-install-recommends $missing >/dev/null
