/* SPDX-License-Identifier: MIT */
/* steps_malloc.c - the hit paths of malloc() and its kin, of whichever library is preloaded */

#include <stdlib.h>

#include "steps.h"

#define SIZE 64
#define WARM 10 /* fewer than any stock overflows with */

static void warm(void)
{
	void *object[WARM];

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < WARM; i++)
			object[i] = malloc(SIZE);
		for (int i = 0; i < WARM; i++)
			free(object[i]);
	}
}

static void prepare_malloc(long arguments[2])
{
	warm();
	arguments[0] = SIZE;
}

static void prepare_calloc(long arguments[2])
{
	warm();
	free(calloc(1, SIZE));
	arguments[0] = 1;
	arguments[1] = SIZE;
}

static void prepare_free(long arguments[2])
{
	warm();
	arguments[0] = (long)malloc(SIZE);
}

static void prepare_realloc(long arguments[2])
{
	warm();
	arguments[0] = (long)realloc(malloc(SIZE), SIZE - 1);
	arguments[1] = SIZE - 2;
}

int main(void)
{
	/* Addresses from the table that the loader fills: no PLT, and no builtin. */
	const struct path paths[] = {
		{ "malloc", (void *)malloc, prepare_malloc },
		{ "free", (void *)free, prepare_free },
		{ "calloc", (void *)calloc, prepare_calloc },
		{ "realloc", (void *)realloc, prepare_realloc },
	};

	return steps_main(paths, sizeof(paths) / sizeof(paths[0]));
}
