/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a library that allocates when it comes, when it goes and for each thread
 */

#include <stdlib.h>
#include <string.h>

void *plugin_get(size_t n);
void plugin_put(void *p);
char *plugin_copy(const char *text);

static void *kept[50];
static __thread char own[3000];

__attribute__((constructor)) static void come(void)
{
	for (int i = 0; i < 50; i++)
		kept[i] = malloc((size_t)i * 100);
}

__attribute__((destructor)) static void go(void)
{
	void *last = malloc(777);

	for (int i = 0; i < 50; i++)
		free(kept[i]);
	free(last);
}

void *plugin_get(size_t n)
{
	own[n % sizeof(own)]++; /* dynamic TLS: the first touch in a thread allocates */
	return malloc(n);
}

void plugin_put(void *p)
{
	free(p);
}

char *plugin_copy(const char *text)
{
	return strdup(text);
}
