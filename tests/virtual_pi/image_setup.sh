#!/bin/sh
# Run by mmdebstrap on the unpacked system, once: ROOT is the folder of it, on the host.
# The two kernel modules that Debian does not build are built inside, then the compiler goes away again.
set -eu
root=$1
kernel=$(ls "$root/lib/modules")
build=$root/build
install -d "$build"
cp "$(dirname "$0")"/guest/kernel/* "$build/"
cat >"$build/inside.sh" <<INSIDE
set -eu
cd /build
# gpio-sim needs irq_sim, which the kernel only has for drivers of its own: both go into one module
tar -xf /usr/src/linux-source-*.tar.xz --strip-components=3 --wildcards \
    'linux-source-*/drivers/gpio/gpio-sim.c' 'linux-source-*/drivers/gpio/gpiolib.h' 'linux-source-*/kernel/irq/irq_sim.c'
mv gpio-sim.c gpio-sim-chip.c
# two functions that modules may not call, by what they consist of
sed -i -e 's/irq_to_desc(irqnum)/irq_data_to_desc(irq_get_irq_data(irqnum))/' -e '/^EXPORT_SYMBOL_GPL/d' \
    -e '/linux\/irq_sim.h/a #include <linux/irqdesc.h>' irq_sim.c
make -s -C /lib/modules/$kernel/build M=/build modules
strip --strip-debug *.ko
install -D -m 644 -t /lib/modules/$kernel/updates *.ko
INSIDE
chroot "$root" sh /build/inside.sh >"$build/log" 2>&1 || { cat "$build/log" >&2; exit 1; }
rm -r "$build"
chroot "$root" apt-get purge -qq --yes --autoremove gcc make linux-headers-amd64 linux-source >/dev/null
rm -rf "$root"/usr/src/*

# What a Pi never sees, half of the image.
modules=$root/lib/modules/$kernel/kernel
for each in drivers/gpu/drm/amd drivers/gpu/drm/i915 drivers/gpu/drm/nouveau drivers/gpu/drm/radeon \
    drivers/gpu/drm/gma500 drivers/gpu/drm/vmwgfx drivers/net/ethernet drivers/net/wireless drivers/infiniband \
    drivers/media drivers/scsi drivers/ata drivers/md drivers/staging drivers/iio drivers/isdn drivers/mtd \
    drivers/hwmon net/wireless sound/soc fs/xfs fs/btrfs fs/ocfs2 fs/gfs2 fs/nfs fs/nfsd fs/ceph fs/smb fs/jfs \
    fs/reiserfs fs/f2fs fs/ubifs fs/afs fs/orangefs; do
    rm -rf "${modules:?}/$each"
done
chroot "$root" depmod "$kernel"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
dpkg-query --admindir="$root/var/lib/dpkg" --show >"$root/etc/virtual-pi-packages"
