# SPDX-License-Identifier: MIT
"""objects.py - the python3 rows: objects, strings, dictionaries, JSON, sorting, regexes."""

import json
import re


class Node:
    def __init__(self, key, left, right):
        self.key, self.left, self.right = key, left, right


def tree(depth):
    return Node(depth, tree(depth - 1), tree(depth - 1)) if depth else None


def count(node):
    return 1 + count(node.left) + count(node.right) if node else 0


def main():
    total = 0
    for _ in range(3):
        total += count(tree(14))
    table = {'key %d' % i: [i, str(i) * (i % 7), {'n': i}] for i in range(40000)}
    text = json.dumps(table)
    back = json.loads(text)
    total += sum(value[2]['n'] for value in back.values())
    words = re.findall(r'[a-z]+|\d+', text)
    total += len(sorted(set(words), key=lambda word: word[::-1]))
    lines = []
    for i in range(60000):
        lines.append('%08x %s' % (i * 2654435761 % 2**32, words[i % len(words)]))
    total += len('\n'.join(sorted(lines)))
    print(total)


main()
