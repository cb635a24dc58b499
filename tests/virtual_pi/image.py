"""The disk of the virtual Pi: Debian 12 with its kernel, two more modules, and the node's locked packages.

Three steps, each kept under build/virtual-pi until what it is made of changes, so a build that was broken off
goes on where it was: `wheels` (the locked packages, for Debian's Python), `system` (Debian, unpacked), `disk`
(an ext4 file system without a partition table, kernel and initrd beside it). Wants root: a system is unpacked
with its owners. The versions of all Debian packages stand in `system/etc/virtual-pi-packages`.

    python tests/virtual_pi/image.py        # what `make virtual-pi` does first
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
FOLDER: Final = ROOT / "build" / "virtual-pi"

SUITE: Final = "bookworm"
PYTHON: Final = "3.11"
"""Of that suite; the wheels are for it, whatever Python runs here."""
PLATFORMS: Final = (
    "manylinux_2_17_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux2014_x86_64",
    "manylinux_2_34_x86_64",
)
DISK_SIZE: Final = "3G"
LOCK: Final = ROOT / "requirements" / "node.txt"

PACKAGES: Final = (
    # the machine
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "procps", "iproute2", "netbase", "linux-image-amd64",
    "initramfs-tools", "busybox-static", "e2fsprogs", "qemu-guest-agent", "usbutils", "strace",
    # what docs/install.md has a technician install on a node
    "python3", "python3-venv", "espeak-ng", "alsa-utils", "libusb-1.0-0",
    # what a screen of a node wants: SDL draws through GBM and EGL
    "libgl1", "libgl1-mesa-dri", "libegl1", "libgles2", "libgbm1", "libdrm2",
    # for building the two modules; image_setup.sh takes them away again
    "gcc", "make", "linux-headers-amd64", "linux-source",
)  # fmt: skip
MODULES_AT_BOOT: Final = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
MASKED: Final = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "serial-getty@ttyS0.service", "getty@tty1.service",
    "systemd-logind.service", "systemd-pstore.service", "systemd-binfmt.service",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
)  # fmt: skip
FILES: Final = {
    "etc/hostname": "virtual-pi\n",
    "etc/hosts": "127.0.0.1 localhost virtual-pi\n10.0.2.2 host\n",
    "etc/fstab": "/dev/vda / ext4 defaults,noatime,errors=remount-ro 0 1\n",
    "etc/machine-id": "",
    "etc/systemd/network/10-wired.network": "[Match]\nName=e*\n[Network]\nDHCP=ipv4\n",
    "etc/systemd/journald.conf.d/virtual-pi.conf": "[Journal]\nStorage=persistent\nSystemMaxUse=64M\n",
    "etc/modprobe.d/virtual-pi.conf": "blacklist iTCO_wdt\nblacklist pcspkr\nblacklist intel_pmc_bxt\n",
}
INIT: Final = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 -o noatime /dev/vda /root || { echo "virtual-pi: the disk cannot be mounted"; poweroff -f; }
mount --move /dev /root/dev
umount /sys /proc
exec switch_root /root /sbin/init
"""


@dataclass(frozen=True, slots=True)
class Image:
    """What QEMU starts from. `disk` is raw and never written to."""

    disk: Path
    kernel: Path
    initrd: Path


IMAGE: Final = Image(FOLDER / "disk.raw", FOLDER / "vmlinuz", FOLDER / "initrd")


class BuildError(RuntimeError):
    """A step failed; the text is the end of what its program said."""


def build(say: Callable[[str], None]) -> Image:
    """The image, built as far as it is not. Raises BuildError."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    debian = _digest(
        [HERE / "image_setup.sh", *sorted((HERE / "guest" / "kernel").iterdir())], *PACKAGES, SUITE
    )
    locked = _digest([LOCK], PYTHON, *PLATFORMS)
    whole = _digest([Path(__file__)], debian, locked)
    if _made("disk", whole):
        return IMAGE
    if os.geteuid() != 0:
        say("the image is built as root")
        _run("sudo", "-n", sys.executable, str(Path(__file__)))
        return IMAGE
    for name, digest, step in (
        ("wheels", locked, _wheels),
        ("system", debian, _system),
        ("disk", whole, _disk),
    ):
        if _made(name, digest):
            continue
        say(f"building the {name} …")
        began = time.monotonic()
        (FOLDER / f"{name}.made").unlink(missing_ok=True)
        step()
        (FOLDER / f"{name}.made").write_text(digest)
        say(f"built the {name} in {time.monotonic() - began:.0f} s")
    _give_back()
    return IMAGE


def _made(name: str, digest: str) -> bool:
    stamp = FOLDER / f"{name}.made"
    return stamp.is_file() and stamp.read_text() == digest


def _digest(files: Iterable[Path], *words: str) -> str:
    digest = hashlib.sha256("\n".join(words).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


# ---------------------------------------------------------------- the steps


def _wheels() -> None:
    folder = FOLDER / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
    ]
    for platform in PLATFORMS:
        pip += ["--platform", platform]
    pip += ["--python-version", PYTHON, "--implementation", "cp", "--dest", str(folder)]
    _run(*pip, "--no-deps", "--require-hashes", "--requirement", str(LOCK))


def _system() -> None:
    system = FOLDER / "system"
    shutil.rmtree(system, ignore_errors=True)
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "locale", "doc")]
    _run(
        "nice", "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
        f"--include={','.join(PACKAGES)}", "--aptopt=Apt::Install-Recommends false", *left_out,
        f'--customize-hook=sh {HERE / "image_setup.sh"} "$1"',
        SUITE, str(system), *_sources(),
    )  # fmt: skip


def _sources() -> list[str]:
    """This machine's own sources where it is of the same suite (a mirror nearby); else the default."""
    for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        if path.is_file() and SUITE in path.read_text():
            return [str(path)]
    return []


def _disk() -> None:
    system = FOLDER / "system"
    (kernel,) = (system / "lib" / "modules").iterdir()
    for name, content in FILES.items():
        path = system / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (system / "var/log/journal").mkdir(exist_ok=True)
    _inside("systemctl", "--quiet", "enable", "systemd-networkd")
    _inside("systemctl", "--quiet", "mask", *MASKED)
    _inside("passwd", "--quiet", "--delete", "root")
    _packages(system)
    resolv = system / "etc/resolv.conf"
    resolv.unlink(missing_ok=True)
    resolv.write_text("nameserver 10.0.2.3\n")
    shutil.copyfile(system / "boot" / f"vmlinuz-{kernel.name}", IMAGE.kernel)
    _initrd(system, kernel.name)
    IMAGE.disk.unlink(missing_ok=True)
    _run("nice", "mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", str(system), str(IMAGE.disk), DISK_SIZE)


def _packages(system: Path) -> None:
    """The node's locked packages in the virtual environment of docs/install.md. Paihao itself is no part of
    the image: each run installs the checkout's in the running machine."""
    wheels = system / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    shutil.rmtree(system / "opt/paihao", ignore_errors=True)
    shutil.copytree(FOLDER / "wheels", wheels)
    shutil.copyfile(LOCK, wheels / "lock.txt")
    _inside("python3", "-m", "venv", "/opt/paihao")
    pip = ("/opt/paihao/bin/pip", "--quiet", "--disable-pip-version-check")
    _inside(
        *pip,
        "install",
        "--no-index",
        "--find-links=/wheels",
        "--no-deps",
        "--require-hashes",
        "-r",
        "/wheels/lock.txt",
    )
    shutil.rmtree(wheels)


def _initrd(system: Path, kernel: str) -> None:
    """busybox and the modules of the disk: a tenth of what Debian's own would load."""
    folder = FOLDER / "initrd.d"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "modules", "proc", "sys", "dev", "root"):
        (folder / name).mkdir(parents=True)
    shutil.copy2(system / "bin/busybox", folder / "bin/busybox")
    order: list[str] = []
    for module in MODULES_AT_BOOT:
        for line in _inside("modprobe", "--set-version", kernel, "--show-depends", module).splitlines():
            verb, _, path = line.partition(" ")
            path = path.strip()
            if verb == "insmod" and Path(path).name not in order:
                order.append(Path(path).name)
                shutil.copy2(f"{system}{path}", folder / "modules")
    (folder / "modules" / "order").write_text("".join(f"{name}\n" for name in order))
    (folder / "init").write_text(INIT)
    (folder / "init").chmod(0o755)
    _run("sh", "-c", f"cd '{folder}' && find . | cpio --quiet -o -H newc | gzip -1 >'{IMAGE.initrd}'")
    shutil.rmtree(folder)


# ---------------------------------------------------------------- programs


def _inside(*argv: str) -> str:
    return _run("chroot", str(FOLDER / "system"), *argv)


def _run(*argv: str) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise BuildError(f"{argv[0]} is not installed") from error
    if done.returncode:
        raise BuildError(
            f"{' '.join(argv[:6])} … ended with {done.returncode}:\n{(done.stderr or done.stdout)[-3000:]}"
        )
    return done.stdout


def _give_back() -> None:
    """What root made belongs to whoever asked for it."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group:
        for path in (FOLDER, *FOLDER.iterdir()):
            os.chown(path, int(user), int(group))


if __name__ == "__main__":
    try:
        build(lambda text: print(text, flush=True))
    except BuildError as problem:
        sys.exit(str(problem))
