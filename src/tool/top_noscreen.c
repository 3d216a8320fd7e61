/* SPDX-License-Identifier: MIT */
/*
 * top_noscreen.c - top's screen where there is no ncurses to build with
 *
 * Room: tool.
 */

#include "tool/sample.h"

int top_screen(struct watch *watch, double delay_s, enum sort sort)
{
	(void)delay_s, (void)sort;
	return fail("this slabwork was built without ncurses (libncurses-dev): no screen.\n"
		    "          try: watch slabwork top --once %d",
		    (int)watch->target.pid);
}
