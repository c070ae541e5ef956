#!/usr/bin/env python3
"""Turns cora.content and cora.cites, as they are usually handed out, into facts and labels of this example.

A line of cora.content is `paper 0 1 0 … class`, with tabs: which of the words a paper has, and its class. A line of
cora.cites is `cited citing`. Twenty papers of each class are drawn to learn from, 500 of the others to choose the model
by, 1000 to test.

Usage: python3 cora.py FOLDER      (the folder of both files; facts.db, train.txt, val.txt and test.txt are written there)
"""

import os
import random
import sys


def main():
    folder = sys.argv[1]
    source = random.Random(1)
    facts, papers = [], []
    for line in open(os.path.join(folder, "cora.content")):
        paper, *words, kind = line.split()
        facts += [f"has(p{paper},w{i})." for i, word in enumerate(words) if word == "1"]
        papers.append((f"p{paper}", kind.lower()))
    for line in open(os.path.join(folder, "cora.cites")):
        cited, citing = line.split()
        facts.append(f"cites(p{citing},p{cited}).")
    source.shuffle(papers)
    train, rest, count = [], [], {}
    for paper, kind in papers:
        count[kind] = count.get(kind, 0) + 1
        (train if count[kind] <= 20 else rest).append(f"1 topic({paper},{kind}).")
    for name, lines in [("facts.db", facts), ("train.txt", train), ("val.txt", rest[:500]), ("test.txt", rest[500:1500])]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
