#!/bin/sh
# Runs in the virtual Pi at boot: gives it the GPIO chip and the name of a Raspberry Pi 4B.
set -eu
modprobe gpio-sim
chip=/sys/kernel/config/gpio-sim/pi
mkdir -p $chip/bank0
echo 58 >$chip/bank0/num_lines
echo pinctrl-bcm2711 >$chip/bank0/label
echo 1 >$chip/live
# gpiozero looks the board up by this line
{
    cat /proc/cpuinfo
    printf '\nHardware\t: BCM2711\nRevision\t: c03114\nSerial\t\t: 1000000000000000\n'
    printf 'Model\t\t: Raspberry Pi 4 Model B Rev 1.4\n'
} >/run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
