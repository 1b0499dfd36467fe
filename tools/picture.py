#!/usr/bin/env python3
"""picture.py COMMAND: what a terminal shows (standard input, with ANSI colours) as an SVG on standard output.

  script -qec 'tiphys get release' /dev/null | tools/picture.py 'tiphys get release' > docs/run.svg"""
import html
import re
import sys

COLOURS = {"31": "#ff6b6b", "32": "#69db7c", "33": "#ffd43b", "36": "#66d9e8", "39": "#e9ecef"}
WIDTH, HEIGHT, SIZE = 8.0, 18, 13


def main():
    lines = [f"$ {sys.argv[1]}"] + [line.rstrip() for line in sys.stdin.read().replace("\r", "").splitlines()]
    plain = [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).rstrip() for line in lines]
    width = int(max(map(len, plain)) * WIDTH + 32)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{len(lines) * HEIGHT + 24}" '
          f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{SIZE}">')
    print('<rect width="100%" height="100%" rx="8" fill="#1b1e23"/>')
    for row, line in enumerate(lines):
        column, colour = 0, "#e9ecef"
        for part in re.split(r"(\x1b\[[0-9;]*[A-Za-z])", line):
            if part.startswith("\x1b"):
                colour = COLOURS.get(part[2:-1], "#e9ecef")
                continue
            # Each run of characters at its own place, so that fonts with other widths keep the columns.
            for m in re.finditer(r"\S+(?: \S+)*", part):
                x = 16 + (column + m.start()) * WIDTH
                print(f'<text x="{x:g}" y="{row * HEIGHT + 28}" fill="{colour}" xml:space="preserve" '
                      f'textLength="{len(m.group()) * WIDTH:g}">{html.escape(m.group())}</text>')
            column += len(part)
    print("</svg>")


if __name__ == "__main__":
    main()
