"""`paihao voice script|build|check|say`: the clip pack of a hall, and trying a voice. docs/clip-pack.md.

Exit status: 0 good, 1 something is missing or wrong, 2 wrong usage.
"""

# ruff: noqa: T201 — a command talks to people
from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.errors import DriverError
from wire.texts import LANGUAGES, text

if TYPE_CHECKING:
    from drivers.voice.build import Built, Order
    from drivers.voice.script import ToRecord
    from drivers.voice.speaker import SpeakerConfig

REMARKS: Final = {
    "clipped": "过载失真，请调低录音电平重录 · driven too hard: record again at a lower level",
    "noisy": "背景噪声大，请换安静处重录 · the room is heard: record again where it is quiet",
    "quiet": "录音太轻，请靠近话筒重录 · too quiet: record again, closer to the microphone",
    "long": "过长，是否含多个词？· long: is it more than one word?",
    "limited": "峰值过高，响度未达目标 · its peaks keep it below the others",
}
PROFILE: Final = Path("/etc/paihao/node.toml")
SAY_S: Final = 60.0


def main(arguments: list[str]) -> int:
    """Run `paihao voice`; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except DriverError as error:
        for language in LANGUAGES:
            _complain(text(error.code, language))
        _complain(f"  {error}")
        return 1
    except OSError as error:
        _complain(str(error))
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paihao voice", description="语音包与试播 · clip packs and trying a voice"
    )
    actions = parser.add_subparsers(required=True)
    script = actions.add_parser("script", help="打印录音稿 · print what has to be recorded")
    script.add_argument(
        "source", nargs="?", type=Path, metavar="SOURCE", help="已有录音则略去 · leave out what is there"
    )
    script.set_defaults(run=_script)
    build = actions.add_parser("build", help="生成语音包 · make a clip pack")
    build.add_argument(
        "source", metavar="SOURCE", help="录音文件夹，或 espeak-ng · folder of recordings, or espeak-ng"
    )
    build.add_argument(
        "--output", required=True, type=Path, metavar="PACK", help="文件夹或 .zip · folder or .zip"
    )
    build.add_argument("--loudness", type=float, default=-18.0, metavar="LUFS", help="-18")
    build.add_argument(
        "--margin", type=int, default=12, metavar="MS", help="保留的静音 · silence that stays, 12 ms"
    )
    build.add_argument(
        "--speed", type=int, default=160, metavar="WORDS", help="合成语速 · words a minute of espeak-ng"
    )
    build.add_argument("--fill", action="store_true", help="缺的用合成补齐 · synthesise what is missing")
    build.add_argument(
        "--picture", type=Path, metavar="PNG", help="处理前后波形 · waveforms before and after"
    )
    build.set_defaults(run=_build)
    for action in (script, build):
        action.add_argument("--language", action="append", choices=["zh-CN", "en"], help="默认两种 · both")
        action.add_argument(
            "--counters", type=int, default=20, metavar="N", help="最大窗口号 · greatest counter, 20"
        )
        action.add_argument(
            "--name", action="append", default=[], metavar="NAME", help="窗口名 · a counter's name"
        )
        action.add_argument(
            "--letters", default="ABCDEFGHIJKLMNOPQRSTUVWXYZ", metavar="A-Z", help="号段字母 · of tickets"
        )
    check = actions.add_parser("check", help="检查语音包 · check a clip pack")
    check.add_argument("pack", type=Path, metavar="PACK")
    check.set_defaults(run=_check)
    say = actions.add_parser("say", help="试播一次叫号 · speak one call")
    say.add_argument("number", help="A005")
    say.add_argument("counter", help="3，或窗口名 · or the counter's name")
    say.add_argument("--language", action="append", choices=["zh-CN", "en"])
    say.add_argument(
        "--config", type=Path, metavar="PROFILE", help=f"节点配置 · the node's profile, {PROFILE}"
    )
    say.add_argument("--zone", help="该区的扬声器 · the loudspeaker of this zone")
    say.add_argument("--pack", metavar="PACK", help="语音包 · this clip pack")
    where = say.add_mutually_exclusive_group()
    where.add_argument("--device", metavar="ALSA", help="声卡 · this sound card, e.g. plughw:CARD=Device")
    where.add_argument("--wav", type=Path, metavar="FOLDER", help="写成 WAV · write a WAV there")
    say.set_defaults(run=_say)
    return parser


# ------------------------------------------------------------------ packs


def _order(options: argparse.Namespace) -> Order:
    from drivers.voice.build import Order

    return Order(
        languages=tuple(options.language or ("zh-CN", "en")),
        counters=options.counters,
        names=tuple(options.name),
        letters=options.letters.upper(),
        loudness_lufs=getattr(options, "loudness", -18.0),
        margin_ms=getattr(options, "margin", 12),
        speed=getattr(options, "speed", 160),
    )


def _script(options: argparse.Namespace) -> int:
    from drivers.voice.build import blocking_recorded

    order = _order(options)
    rows = blocking_recorded(options.source, order).missing if options.source else order.rows()
    print("录音稿 · reading script")
    print("安静的房间，话筒距嘴约 20 cm，16 位以上 WAV，每词一个文件；平调朗读，如在句中。")
    print(
        "A quiet room, the microphone 20 cm away, WAV of 16 bits or more, one file for each; level, as within"
    )
    print("a sentence. The speaker's consent goes into recordings.toml.")
    _print_script(rows)
    return 0


def _print_script(rows: Sequence[ToRecord]) -> None:
    language = None
    for number, row in enumerate(rows, 1):
        if row.language != language:
            language = row.language
            print(f"\n[{language}]")
        print(f"{number:4}  {row.words:<14}  {row.language}/{row.token}.wav  {row.hint}".rstrip())


def _build(options: argparse.Namespace) -> int:
    from drivers.voice.build import SYNTHESISER, About, Built, blocking_recorded, blocking_write, synthesised

    order = _order(options)
    if options.source == SYNTHESISER:
        built = Built(About(name="espeak-ng", source="espeak-ng, synthesised"))
        built.missing = order.rows()
    else:
        built = blocking_recorded(Path(options.source), order)
    if options.fill or options.source == SYNTHESISER:
        built.made += asyncio.run(synthesised(built.missing, order, built.about.say))
        built.missing = []
    if not built.made:
        _complain("没有可用的录音 · no recording can be used")
        return 1
    blocking_write(built, options.output, order)
    _tell(built, options.output)
    if options.picture is not None:
        from drivers.voice.waveform import draw

        draw([(made.row.words, made.cleaned) for made in built.made], options.picture)
    return 1 if built.missing or built.unusable else 0


def _tell(built: Built, output: Path) -> None:
    from drivers.voice.pack import blocking_load
    from drivers.voice.pack_check import seconds_of_a_call

    before = [made.cleaned.before.loudness_lufs for made in built.made]
    after = [made.cleaned.after.loudness_lufs for made in built.made]
    print(f"{output}: {len(built.made)} 个片段 · clips")
    print(f"响度 · loudness: {_span(before)} → {_span(after)}")
    pack = blocking_load(output)
    for language in pack.manifest.languages:
        if (call := seconds_of_a_call(pack, language)) is not None:
            print(f"一次叫号 · a call A005 → 3, {language}: {call[0]:.2f} s → {call[1]:.2f} s")
    for made in built.made:
        for remark in made.cleaned.remarks:
            print(f"  {made.row.language}/{made.row.token}: {REMARKS[remark]}")
    for file, why in built.unusable:
        print(f"  {file}: {why}")
    if built.missing:
        print(f"\n缺 {len(built.missing)} 个，播报时由合成语音代替 · missing, the synthesiser says them:")
        _print_script(built.missing)


def _span(levels: Sequence[float]) -> str:
    return f"{min(levels):.1f} … {max(levels):.1f} LUFS"


def _check(options: argparse.Namespace) -> int:
    from drivers.voice.pack import blocking_load
    from drivers.voice.pack_check import checked

    pack = blocking_load(options.pack)
    found = checked(pack)
    manifest = pack.manifest
    languages = ", ".join(manifest.languages)
    print(f"{manifest.name} ({manifest.made}): {len(pack.clips)} 个片段 · clips, {languages}")
    for label, value in (("来源 · source", manifest.source), ("许可 · licence", manifest.licence)):
        print(f"{label}: {value or '—'}")
    print(f"本人同意 · consent: {manifest.consent or '—'}")
    print(f"响度 · loudness: {found.quietest_lufs:.1f} … {found.loudest_lufs:.1f} LUFS")
    for language, (before, after) in found.calls.items():
        print(f"一次叫号 · a call A005 → 3, {language}: {before:.2f} s → {after:.2f} s")
    for problem in found.problems:
        print(f"  {problem}")
    if found.missing:
        print(f"\n缺 {len(found.missing)} 个，播报时由合成语音代替 · missing, the synthesiser says them:")
        _print_script(found.missing)
    return 1 if found.problems or found.missing else 0


# ------------------------------------------------------------------ say


def _say(options: argparse.Namespace) -> int:
    import msgspec

    config = _speaker(options)
    if config is None:
        return 2
    changes: dict[str, object] = {}
    if options.pack:
        changes["clip_pack"] = options.pack
    if options.language:
        changes["languages"] = tuple(options.language)
    return asyncio.run(_speak(msgspec.structs.replace(config, **changes), options))


def _speaker(options: argparse.Namespace) -> SpeakerConfig | None:
    """The options of the loudspeaker that is to speak; None, with a word why, when there is none."""
    from drivers.voice.alsa import AlsaOutput
    from drivers.voice.outputs import WavOutput
    from drivers.voice.speaker import SpeakerConfig

    if options.wav is not None:
        return SpeakerConfig(output=WavOutput(directory=str(options.wav), pace=0))
    if options.device is not None:
        return SpeakerConfig(output=AlsaOutput(device=options.device))
    profile: Path = options.config or PROFILE
    if options.config is None and options.zone is None and not profile.exists():
        return SpeakerConfig(output=AlsaOutput())
    from device.profile import BoardStation, load_profile
    from wire.checked_toml import TomlProblems

    try:
        checked = load_profile(profile)
    except TomlProblems as error:
        for problem in error.problems:
            _complain(problem)
        return None
    wanted = [
        station.voice
        for station in checked.profile.station
        if isinstance(station, BoardStation) and options.zone in (None, station.zone)
    ]
    for device in checked.devices:
        if device.id in wanted and isinstance(device.config, SpeakerConfig):
            return device.config
    _complain(f"{profile}: 没有该区的扬声器 · no loudspeaker of this zone")
    return None


async def _speak(config: SpeakerConfig, options: argparse.Namespace) -> int:
    from drivers.voice.protocol import Announcement
    from drivers.voice.speaker import Speaker

    counter = options.counter
    names = {"zh-CN": counter, "en": counter}
    if counter.isdecimal():
        names = {"zh-CN": f"{counter}号窗口", "en": f"Counter {counter}"}
    voice = Speaker(config)
    await voice.open()
    serving = asyncio.create_task(voice.serve())
    saying = asyncio.create_task(
        voice.say(
            Announcement(
                id="trial",
                number=options.number,
                counter=names,
                deadline=datetime.now(UTC) + timedelta(seconds=SAY_S),
                languages=config.languages,
                repeat=1,
            )
        )
    )
    try:
        await asyncio.wait((saying, serving), return_when=asyncio.FIRST_COMPLETED)
        if not saying.done():
            serving.result()  # raises why the loudspeaker was lost, not after a minute of waiting
        result = await saying
    finally:
        for task in (saying, serving):
            task.cancel()
        await asyncio.gather(saying, serving, return_exceptions=True)
        await voice.close()
    if result.outcome == "done":
        print("已播完 · heard to its end")
        return 0
    for language in LANGUAGES:
        _complain(text(result.code, language) if result.code else result.outcome)
    return 1


def _complain(line: str) -> None:
    print(line, file=sys.stderr)
