/* SPDX-License-Identifier: MIT */
#ifndef LIB_NEAREST_H
#define LIB_NEAREST_H

/*
 * nearest.h - "did you mean": the known word nearest to a mistyped one
 *
 * Room: lib. Offer every known word; best is then the nearest, the first of equals, or
 * NULL if none is near enough to be worth saying.
 */

struct nearest {
	const char *word;
	const char *best;
	unsigned int distance; /* of best */
};

void nearest_init(struct nearest *near, const char *word);
void nearest_offer(struct nearest *near, const char *known);

/* Edits that make a into b: insert, delete, replace a letter, swap two neighbours. */
unsigned int edit_distance(const char *a, const char *b);

#endif /* LIB_NEAREST_H */
