"""Sound cards: found as the kernel lists them, and aplay itself takes what we give it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drivers.voice import alsa
from drivers.voice.alsa import Alsa, AlsaOutput, card_of, play_by_program, playing_cards
from drivers.voice.playing import OutputLostError
from drivers.voice.wav import RATE, clip_from_samples


@pytest.mark.parametrize(
    ("device", "card"),
    [
        ("default", None),
        ("null", None),
        ("pulse", None),
        ("plughw:CARD=Device,DEV=0", "Device"),
        ("sysdefault:CARD=USB-1", "USB-1"),
        ("hw:1,0", "1"),
        ("plughw:Headphones", "Headphones"),
        ("default:2", "2"),
        ("hdmi:CARD=vc4hdmi0,DEV=0", "vc4hdmi0"),
    ],
)
def test_the_card_in_a_name(device: str, card: str | None) -> None:
    assert card_of(device) == card


def test_cards_are_those_that_play(tmp_path: Path) -> None:
    (tmp_path / "cards").write_text(
        " 0 [vc4hdmi        ]: vc4-hdmi - vc4-hdmi\n                      vc4-hdmi\n"
        " 1 [Headphones     ]: bcm2835_headphon - bcm2835 Headphones\n"
        " 3 [Mic            ]: USB-Audio - USB Mic\n"
    )
    for folder in ("card0/pcm0p", "card1/pcm0p", "card3/pcm0c"):
        (tmp_path / folder).mkdir(parents=True)
    assert playing_cards(tmp_path) == [("0", "vc4hdmi"), ("1", "Headphones")]
    (tmp_path / "cards").write_text("--- no soundcards ---\n")
    assert playing_cards(tmp_path) == playing_cards(tmp_path / "nowhere") == []


@pytest.mark.parametrize("device", ["hw:3", "hw:7", "plughw:CARD=Gone", "default"])
async def test_a_card_that_cannot_play_or_is_not_there_is_said(
    tmp_path: Path, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/aplay")
    (tmp_path / "cards").write_text(" 3 [Mic            ]: USB-Audio - USB Mic\n")
    (tmp_path / "card3" / "pcm0c").mkdir(parents=True)
    with pytest.raises(OutputLostError) as caught:
        await Alsa(AlsaOutput(device=device), tmp_path).check()
    assert caught.value.code == "voice.no_sound_card"


async def test_without_aplay_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutputLostError, match="alsa-utils") as caught:
        await Alsa(AlsaOutput(), tmp_path).check()
    assert caught.value.code == "voice.no_sound_card"


@pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils is not installed")
async def test_aplay_takes_our_sound_sample_by_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ALSA's own file plug-in writes what would go to the card."""
    heard = tmp_path / "heard.raw"
    (tmp_path / "asoundrc").write_text(
        f'pcm.heard {{ type file; slave.pcm "null"; file "{heard}"; format "raw" }}\n'
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", f"/usr/share/alsa/alsa.conf:{tmp_path / 'asoundrc'}")
    sound = clip_from_samples((n % 200 - 100) / 200 for n in range(RATE))
    await play_by_program(("aplay", "-q", "-D", "heard", "-"), sound, "请A005号到3号窗口")
    assert heard.read_bytes().startswith(sound.pcm)
    # it takes no time there, which no loudspeaker does
    monkeypatch.setattr(alsa, "PATIENCE_S", 20.0)
    with pytest.raises(OutputLostError, match=r"took 1\.0 s of sound"):
        await Alsa(AlsaOutput(device="heard"), tmp_path).play(sound, "")
    with pytest.raises(OutputLostError, match="aplay ended with 1"):
        await Alsa(AlsaOutput(device="hw:31"), tmp_path).play(sound, "")
