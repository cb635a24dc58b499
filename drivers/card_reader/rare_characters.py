"""Characters of names that older systems kept in the private use area, and the codes of ethnic groups.

GBK had 80 characters at FE50–FEA0 before Unicode had all of them; systems of that time, and the cards
written by them, have U+E815–U+E864 in their place (GB 18030-2000, user-defined area). GB 18030-2022 has
real characters for all of them, for 74 under the same bytes: 䶮 (U+E863) is the best known. Anything else of
the private use area belongs to a font of the authority that nobody here has: it stays as it is, for matching,
and is shown as □.
"""

from __future__ import annotations

from typing import Final

_FIRST: Final = 0xE815
_GBK_FE50: Final = (
    "⺁𠂇𠂉𠃌⺄㑳㑇⺈⺋龴㖞㘚㘎⺌⺗㥮㤘龵㧏㧟㩳㧐龶龷㭎㱮㳠⺧𡗗龸⺪䁖䅟⺮䌷⺳⺶⺷𢦏䎱"
    "䎬⺻䏝䓖䙡䙌龹䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟䦛䦷䦶龺𤇾䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮龻"
)
_REAL: Final = {_FIRST + n: letter for n, letter in enumerate(_GBK_FE50)}


def real_characters(name: str) -> str:
    """The name with those characters of the private use area replaced that have become real ones."""
    return name.translate(_REAL)


_NAMES: Final = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 "
    "纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 "
    "鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
ETHNIC_GROUPS: Final = {f"{n:02d}": name for n, name in enumerate(_NAMES.split(), 1)} | {
    "57": "其他",
    "58": "外国血统中国籍",
    "97": "其他",
    "98": "外国血统中国籍",
}
"""GB/T 3304: code → name. 57 and 58 are what cards carry for 97 and 98."""
