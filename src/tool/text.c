/* SPDX-License-Identifier: MIT */
/*
 * text.c - numbers for people
 *
 * Room: tool.
 */

#include <stdio.h>

#include "tool/tool.h"

const char *human(char buf[HUMAN_SIZE], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double n = (double)bytes;
	int unit = -1;

	/* 1023.95K would be printed as 1024.0K. */
	for (; n >= 1023.95; n /= 1024)
		unit++;
	if (unit < 0)
		snprintf(buf, HUMAN_SIZE, "%u", (unsigned int)bytes);
	else
		snprintf(buf, HUMAN_SIZE, "%.1f%c", n, units[unit]);
	return buf;
}
