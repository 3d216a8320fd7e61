/* SPDX-License-Identifier: MIT */
/*
 * register.c - the file systems that are built in, and how options are read
 *
 * Room: fstypes. vfs calls fstypes_init() once, when it starts.
 */

#include <string.h>

#include <slabwork/slab.h>

#include "fstypes/common.h"
#include "lib/memparse.h"

void fstypes_init(void)
{
	register_filesystem(&tmpfs_type);
	register_filesystem(&dax_type);
	register_filesystem(&proc_type);
}

static bool next_option(char **rest, char **name, char **value)
{
	char *start;

	do {
		start = *rest;
		if (!start || !*start)
			return false;
		*rest = strchr(start, ',');
		if (*rest)
			*(*rest)++ = '\0';
	} while (!*start);
	*name = start;
	*value = strchr(start, '=');
	if (*value)
		*(*value)++ = '\0';
	return true;
}

int parse_options(const char *data, int (*one)(void *arg, const char *name, char *value), void *arg)
{
	size_t len = data ? strlen(data) + 1 : 0;
	char *copy, *rest, *name, *value;
	int err = 0;

	if (!len)
		return 0;
	rest = copy = kmalloc(len, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	while (!err && next_option(&rest, &name, &value))
		err = one(arg, name, value);
	kfree(copy);
	return err;
}

int option_number(const char *value, unsigned int base, uint64_t *out)
{
	uint64_t n = 0;

	if (!value || !*value)
		return -EINVAL;
	for (; *value; value++) {
		unsigned int digit = (unsigned char)*value - '0';

		if (digit >= base || n > (UINT64_MAX - digit) / base)
			return -EINVAL;
		n = n * base + digit;
	}
	*out = n;
	return 0;
}

int option_size(const char *value, uint64_t *out)
{
	const char *end = value ? memparse_u64(value, out) : NULL;

	return end && !*end ? 0 : -EINVAL;
}
