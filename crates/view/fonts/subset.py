"""Makes figures.ttf from NanumGothic.ttf of Debian's package fonts-nanum (20200506-1), with fontTools 4.68.

    python subset.py NanumGothic.ttf figures.ttf

Keeps Latin, the signs that figures use and the 2,350 syllables of KS X 1001, without hints. The name is
changed, since the licence (OFL.txt) reserves the original's.
"""

import sys

from fontTools import subset, ttLib

SIGNS = "·×÷−±≤≥≠≈∞∑→←↑↓…–—‘’“”•°²³½□■▒"


def syllables():
    """The Hangul of KS X 1001: rows 0xB0 to 0xC8 of EUC-KR."""
    for high in range(0xB0, 0xC9):
        for low in range(0xA1, 0xFF):
            yield bytes([high, low]).decode("euc_kr")


def main(source, target):
    font = ttLib.TTFont(source)
    text = "".join(map(chr, range(0x20, 0x7F))) + "".join(map(chr, range(0xA0, 0x100)))
    options = subset.Options(hinting=False, layout_features=[], name_IDs=[0, 1, 2, 4, 6, 13, 14], notdef_outline=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text + SIGNS + "".join(syllables()))
    subsetter.subset(font)
    names = {1: "Foveal Figures", 2: "Regular", 4: "Foveal Figures", 6: "FovealFigures-Regular"}
    for record in list(font["name"].names):
        if record.nameID in names:
            record.string = names[record.nameID]
    font.save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
