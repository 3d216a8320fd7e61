/* SPDX-License-Identifier: MIT */
/*
 * param.c - SLABWORK="a kernel command line"
 *
 * Room: kernel. See param.h.
 *
 * Grammar, as the kernel's: words apart by white space; "name" or "name=value"; double quotes
 * around a value or a whole word keep spaces and are dropped; '-' and '_' are the
 * same letter in names; a word "--" ends the line. A later word wins over an earlier one.
 *
 * The text is copied once into a static buffer and cut in place there, which is
 * why values live for ever. We may run before libc has set environ (the
 * loader's own malloc calls, with us preloaded): then the variable is read from /proc/self/environ.
 *
 * Locks: none. boot calls us once, before there is a second thread that knows us.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernel/param.h"
#include "kernel/printk.h"
#include "lib/memparse.h"
#include "lib/nearest.h"
#include "os/os.h"
#include "os/reader.h"

#define VARIABLE          "SLABWORK"
#define TAG_PARAM         "slabwork: " VARIABLE ": "
#define COMMAND_LINE_SIZE 4096 /* the kernel's COMMAND_LINE_SIZE is 2,048 (x86) or 4,096 */

/* What the linker gathered; weak: a program may have no parameter at all. */
extern const struct param __start_sw_params[] __attribute__((weak, visibility("hidden")));
extern const struct param __stop_sw_params[] __attribute__((weak, visibility("hidden")));

static char command_line[COMMAND_LINE_SIZE];

/* --- finding the text ------------------------------------------------------ */

/* Copy a value from the environment into command_line. False if it is too long. */
static bool take_line(const char *value)
{
	size_t len = strlen(value);

	if (len >= sizeof(command_line))
		return false;
	memcpy(command_line, value, len + 1);
	return true;
}

/* As take_line(), from the value that the reader stands at. */
static bool take_line_from(struct os_reader *r)
{
	size_t len = 0;
	int c;

	while ((c = os_getc(r)) > 0) {
		if (len + 1 >= sizeof(command_line))
			return false;
		command_line[len++] = (char)c;
	}
	command_line[len] = '\0';
	return true;
}

/* Find NAME= in /proc/self/environ. */
static bool take_line_from_proc(void)
{
	static const char want[] = VARIABLE "=";
	struct os_reader r;
	bool fits = true;
	size_t at = 0;
	int c;

	os_reader_open(&r, "/proc/self/environ");
	while ((c = os_getc(&r)) != OS_EOF) {
		if (c == want[at]) {
			if (!want[++at]) {
				fits = take_line_from(&r);
				break;
			}
			continue;
		}
		while (c > 0)
			c = os_getc(&r);
		if (c == OS_EOF)
			break;
		at = 0;
	}
	os_reader_close(&r);
	return fits;
}

static bool find_line(void)
{
	static const char want[] = VARIABLE "=";

	if (!environ)
		return take_line_from_proc();
	for (char **var = environ; *var; var++)
		if (!strncmp(*var, want, sizeof(want) - 1))
			return take_line(*var + sizeof(want) - 1);
	return true;
}

/* --- cutting it ------------------------------------------------------------ */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * Cut the next word out of *line: *name and *value ("" if there is no '='). False
 * at the end. Quotes are squeezed out in place.
 */
static bool next_word(char **line, char **name, char **value)
{
	char *from = *line, *to;
	bool quoted = false;

	while (is_space(*from))
		from++;
	if (!*from)
		return false;
	*name = to = from;
	*value = NULL;
	for (; *from && (quoted || !is_space(*from)); from++) {
		if (*from == '"') {
			quoted = !quoted;
		} else if (*from == '=' && !*value) {
			*to++ = '\0';
			*value = to;
		} else {
			*to++ = *from;
		}
	}
	*line = *from ? from + 1 : from;
	*to = '\0';
	if (!*value)
		*value = to;
	return true;
}

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

/* Is name this parameter's? For a prefix *rest is what follows it. */
static bool param_is(const struct param *param, const char *name, const char **rest)
{
	const char *want = param->name;

	for (; *want && fold(*want) == fold(*name); want++)
		name++;
	*rest = name;
	return !*want && (!*name || (param->flags & PARAM_PREFIX));
}

static void unknown_word(const char *name)
{
	struct nearest near;

	nearest_init(&near, name);
	for (const struct param *p = __start_sw_params; p < __stop_sw_params; p++)
		nearest_offer(&near, p->name);
	if (near.best)
		pr_warn(TAG_PARAM "unknown option '%s' ignored, did you mean '%s'?\n", name,
			near.best);
	else
		pr_warn(TAG_PARAM "unknown option '%s' ignored\n", name);
}

/*
 * Give a word to whoever declared it. A prefix parameter's setter gets "rest=value"
 * ("rest" for a bare word): name and value lie side by side in command_line, so the
 * NUL between them is made '=' again.
 */
static void apply_word(char *name, char *value, bool secure)
{
	for (const struct param *p = __start_sw_params; p < __stop_sw_params; p++) {
		const char *rest, *given = value;

		if (!param_is(p, name, &rest))
			continue;
		if (secure && !(p->flags & PARAM_SECURE))
			return;
		if (p->flags & PARAM_PREFIX) {
			if (value > name && value == name + strlen(name) + 1)
				value[-1] = '=';
			given = rest;
		}
		if (p->set(given))
			pr_warn(TAG_PARAM "%s: bad value '%s' ignored, want %s\n", p->name, given,
				p->range ? p->range : "something else");
		return;
	}
	/* Under AT_SECURE the text is an attacker's: it is not repeated. */
	if (!secure)
		unknown_word(name);
}

void params_parse(void)
{
	bool secure = os_secure_exec();
	char *line = command_line, *name, *value;

	if (!find_line()) {
		pr_warn(TAG_PARAM "longer than %d bytes, ignored\n", COMMAND_LINE_SIZE - 1);
		return;
	}
	while (next_word(&line, &name, &value)) {
		if (!strcmp(name, "--") && !*value)
			return;
		apply_word(name, value, secure);
	}
}

/* --- helpers for setters --------------------------------------------------- */

int param_bytes(const char *value, uint64_t *out)
{
	uint64_t bytes;
	const char *end = memparse_u64(value, &bytes);

	if (!end || *end)
		return -EINVAL;
	*out = bytes;
	return 0;
}

int param_uint(const char *value, unsigned int min, unsigned int max, unsigned int *out)
{
	uint64_t number;
	const char *end = parse_u64(value, &number);

	if (!end || *end || number < min || number > max)
		return -EINVAL;
	*out = (unsigned int)number;
	return 0;
}

int param_bool(const char *value, bool *out)
{
	static const char *const yes[] = { "", "1", "on", "y", "Y", "yes" };
	static const char *const no[] = { "0", "off", "n", "N", "no" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcmp(value, yes[i])) {
			*out = true;
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (!strcmp(value, no[i])) {
			*out = false;
			return 0;
		}
	}
	return -EINVAL;
}
