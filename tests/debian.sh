#!/bin/sh
# `make test-debian12`, `make test-debian13`: what a stranger does on a fresh Debian, git clone and make test.
# Usage: debian.sh 12|13. Wants root. The clone is of HEAD, Debian comes from this machine's own mirror where it is
# a Debian itself, Python's packages from where its pip has them. Kept under build/ only when something failed.
# Mounts and processes live in namespaces of their own, which end with the tests: nothing stays mounted or running.
set -eu
case ${1-} in
    12) suite=bookworm ;;
    13) suite=trixie ;;
    *) echo "Usage: debian.sh 12|13" >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || exec sudo --preserve-env sh "$0" "$@"
checkout=$(cd "$(dirname "$0")/.." && pwd)
root=$checkout/build/debian$1
mkdir -p "$checkout/build"
rm -rf --one-file-system "$root"

sources=
. /etc/os-release
for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    if [ "$ID" = debian ] && grep -qs "$VERSION_CODENAME" "$file"; then
        sources=$root.${file##*.}
        sed "s/$VERSION_CODENAME/$suite/g" "$file" >"$sources"
        break
    fi
done
mmdebstrap --quiet --mode=root --variant=minbase --format=directory --include=ca-certificates,git,make,python3 \
    "$suite" "$root" $sources
for file in /etc/hosts /etc/resolv.conf /etc/pip.conf /usr/local/share/ca-certificates; do
    [ ! -e "$file" ] || cp -rL "$file" "$root${file%/*}/"
done
[ ! -e "$HOME/.config/pip/pip.conf" ] || install -D -m 644 "$HOME/.config/pip/pip.conf" "$root/root/.config/pip/pip.conf"
git clone --quiet --no-hardlinks "$checkout" "$root/root/paihao"

# of the environment only how to reach a package index
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
    case $name in PIP_* | SSL_CERT_* | *_CA_BUNDLE | *_proxy | *_PROXY) ;; *) unset "$name" ;; esac
done
export HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unshare --mount --pid --fork --kill-child sh -euc '
    mount --bind "$0" "$0"  # a root that is no mount takes no namespaces of its own, as tests of udev make
    mount --rbind /dev "$0/dev"
    mount --rbind /sys "$0/sys"
    mount -t proc proc "$0/proc"
    exec chroot "$0" sh -euc "
        update-ca-certificates >/dev/null
        cd /root/paihao
        make .venv/.test
        dpkg-query --show python3 libc6 systemd mosquitto chromium pcscd
        make test"' "$root"
rm -rf --one-file-system "$root" $sources
