/* SPDX-License-Identifier: MIT */
/*
 * nearest.c - "did you mean": the known word nearest to a mistyped one
 *
 * Room: lib. The distance is Damerau's in its restricted form (no letter is
 * edited twice), by rows: row i holds the distances of the first i letters of a
 * from every beginning of b. Three rows are enough; words longer than WORD_MAX are
 * compared by their beginnings.
 */

#include <stddef.h>
#include <string.h>

#include "lib/nearest.h"

#define WORD_MAX \
	63 /* longest word of ours is about 40 letters; 3 rows of bytes: 192 bytes of stack */

static unsigned int length(const char *word)
{
	size_t len = strnlen(word, WORD_MAX);

	return (unsigned int)len;
}

static unsigned char least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return (unsigned char)(ab < c ? ab : c);
}

unsigned int edit_distance(const char *a, const char *b)
{
	unsigned char rows[3][WORD_MAX + 1];
	unsigned char *before = rows[0], *last = rows[1], *row = rows[2], *spare;
	unsigned int alen = length(a), blen = length(b);

	memset(before, 0, sizeof(rows[0]));
	for (unsigned int j = 0; j <= blen; j++)
		last[j] = (unsigned char)j;
	for (unsigned int i = 1; i <= alen; i++) {
		row[0] = (unsigned char)i;
		for (unsigned int j = 1; j <= blen; j++) {
			row[j] = least(last[j] + 1u, row[j - 1] + 1u,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1u, 255);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[blen];
}

void nearest_init(struct nearest *near, const char *word)
{
	near->word = word;
	near->best = NULL;
	/* A third of the letters may be wrong, one at least: more is another word. */
	near->distance = length(word) / 3 + 2;
}

void nearest_offer(struct nearest *near, const char *known)
{
	unsigned int distance = edit_distance(near->word, known);

	if (distance < near->distance) {
		near->distance = distance;
		near->best = known;
	}
}
