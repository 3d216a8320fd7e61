/* SPDX-License-Identifier: MIT */
/*
 * text.c - numbers for people, text for JSON
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

void json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f) /* names are bytes: as Latin-1, always valid */
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}
