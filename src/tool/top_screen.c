/* SPDX-License-Identifier: MIT */
/*
 * top_screen.c - slabwork top on a terminal
 *
 * Room: tool. ncurses draws; every line is one of sample_text.c's, cut to the width. A look
 * costs about two milliseconds here and nothing in the process. Keys are read while we wait
 * for the next look, so they act at once, and so does a window that changes its size.
 */

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tool/sample.h"

#define REPLY_SIZE  2048
#define MAX_MISSES  10  /* looks in a row that made no sense */
#define MESSAGE_FOR 8.0 /* seconds */

struct screen {
	struct watch *watch;
	enum sort sort;
	size_t top; /* first row shown */
	bool ascii;
	int line; /* next to be written */
	char message[256];
	double message_until_s;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Bytes of the text that fill at most so many columns. */
static int fitting(const char *text, int columns)
{
	int n = 0;

	for (; text[n]; n++) {
		if ((text[n] & 0xc0) != 0x80 && columns-- <= 0)
			break;
	}
	return n;
}

static void put_line(const char *text, void *arg)
{
	struct screen *screen = arg;

	if (screen->line < LINES)
		mvaddnstr(screen->line, 0, text, fitting(text, COLS));
	screen->line++;
}

static void put_footer(struct screen *screen)
{
	char text[256];

	if (now_s() < screen->message_until_s)
		snprintf(text, sizeof(text), "%s", screen->message);
	else
		snprintf(text, sizeof(text), "[s]ort: %s  [t]rim  [q]uit",
			 sort_names[screen->sort]);
	if (LINES > 4)
		mvaddnstr(LINES - 1, 0, text, fitting(text, COLS));
}

/* Rows of the table that fit. */
static size_t table_lines(const struct screen *screen)
{
	int n = LINES - screen->line - 1;

	return n > 0 ? (size_t)n : 0;
}

static void draw(struct screen *screen)
{
	struct watch *watch = screen->watch;
	size_t fit;
	char line[LINE_SIZE];

	erase();
	screen->line = 0;
	watch_header(watch, COLS, screen->ascii, put_line, screen);
	watch_titles(watch, line);
	attron(A_REVERSE);
	for (size_t len = strlen(line); len < (size_t)COLS && len < sizeof(line) - 1; len++) {
		line[len] = ' ';
		line[len + 1] = '\0';
	}
	put_line(line, screen);
	attroff(A_REVERSE);
	fit = table_lines(screen);
	if (screen->top + fit > watch->nr_rows)
		screen->top = watch->nr_rows > fit ? watch->nr_rows - fit : 0;
	for (size_t i = 0; i < fit && screen->top + i < watch->nr_rows; i++) {
		watch_row(watch, screen->top + i, line);
		put_line(line, screen);
	}
	put_footer(screen);
	refresh();
}

static void say(struct screen *screen, const char *text)
{
	snprintf(screen->message, sizeof(screen->message), "%s", text);
	screen->message_until_s = now_s() + MESSAGE_FOR;
}

static void trim(struct screen *screen)
{
	char reply[REPLY_SIZE], text[256];
	int err;

	say(screen, "trimming ...");
	draw(screen);
	err = control_ask(screen->watch->target.pid, "trim", reply, sizeof(reply));
	if (!err)
		trim_sentence(reply, text, sizeof(text));
	else if (err == -ENOENT)
		snprintf(text, sizeof(text),
			 "cannot trim: it was not started by `slabwork run`, so it has no control "
			 "socket");
	else
		snprintf(text, sizeof(text), "cannot trim: %.200s",
			 err == -EINVAL ? reply : strerror(-err));
	say(screen, text);
}

static void scroll_to(struct screen *screen, long top)
{
	screen->top = top > 0 ? (size_t)top : 0; /* draw() stops at the end */
}

/* False: quit. */
static bool key(struct screen *screen, int c)
{
	long page = (long)table_lines(screen), top = (long)screen->top;

	switch (c) {
	case 'q':
	case 'Q':
	case 3: /* ^C, should the terminal be raw */
		return false;
	case 's':
		screen->sort = (screen->sort + 1) % NR_SORTS;
		watch_sort(screen->watch, screen->sort);
		break;
	case 't':
		trim(screen);
		break;
	case KEY_UP:
	case 'k':
		scroll_to(screen, top - 1);
		break;
	case KEY_DOWN:
	case 'j':
		scroll_to(screen, top + 1);
		break;
	case KEY_PPAGE:
		scroll_to(screen, top - page);
		break;
	case KEY_NPAGE:
	case ' ':
		scroll_to(screen, top + page);
		break;
	case KEY_HOME:
		scroll_to(screen, 0);
		break;
	case KEY_END:
		scroll_to(screen, (long)screen->watch->nr_rows);
		break;
	case KEY_RESIZE:
		clear();
		break;
	default:
		break;
	}
	return true;
}

/* Serve keys until the next look is due. False: quit. */
static bool wait_for(struct screen *screen, double until_s)
{
	for (;;) {
		double left_s = until_s - now_s();
		int c;

		draw(screen);
		if (left_s <= 0)
			return true;
		timeout((int)(left_s * 1000) + 1);
		c = getch();
		if (c == ERR && now_s() < until_s - 0.05 && feof(stdin))
			return false;
		if (c == ERR)
			continue;
		if (!key(screen, c))
			return false;
	}
}

static int loop(struct screen *screen, double delay_s)
{
	int misses = 0, err;

	for (;;) {
		double begin_s = now_s();

		err = watch_look(screen->watch);
		misses = err == -EAGAIN ? misses + 1 : 0;
		if (err && (err != -EAGAIN || misses > MAX_MISSES))
			return err;
		watch_sort(screen->watch, screen->sort);
		if (!wait_for(screen, begin_s + delay_s))
			return 0;
	}
}

int top_screen(struct watch *watch, double delay_s, enum sort sort)
{
	struct screen screen = { .watch = watch, .sort = sort };
	SCREEN *term;
	int err;

	setlocale(LC_CTYPE, "");
	screen.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	term = newterm(NULL, stdout, stdin);
	if (!term)
		return fail("top needs a terminal, and TERM is '%s'.  try: slabwork top --once %d",
			    getenv("TERM") ? getenv("TERM") : "", (int)watch->target.pid);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	err = loop(&screen, delay_s);
	endwin();
	delscreen(term);
	if (err == -ESRCH) {
		printf("%s (%d) has ended.\n", watch->target.name, (int)watch->target.pid);
		return EXIT_OK;
	}
	return err ? target_error(&watch->target, err) : EXIT_OK;
}
