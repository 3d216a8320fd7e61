/* SPDX-License-Identifier: MIT */
/*
 * mode.c - chmod's MODE as a person types it
 *
 * Room: vfs; knows nothing of it. Grammar of POSIX chmod(1), as GNU chmod has it:
 *
 *	clause[,clause...]       clause: [ugoa...][+-=][perms][[+-=][perms]...]
 *	perms: [rwxXst...] or one of u, g, o (copy from there)
 *
 * X is x for directories and where anybody has x. Without who, the umask's bits stay as they are. Octal of up to
 * four digits (more leading zeros are fine) is the whole mode.
 */

#include "vfs/vfs_internal.h"

#define ALL_BITS 07777

static int parse_octal(const char *text, mode_t mode, mode_t *out)
{
	mode_t bits = 0;

	for (; *text >= '0' && *text <= '7'; text++) {
		bits = bits * 8 + (mode_t)(*text - '0');
		if (bits > ALL_BITS)
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	*out = (mode & S_IFMT) | bits;
	return 0;
}

/* Bits that belong to who: permissions, and the special ones that go with it. */
static mode_t parse_who(const char **at)
{
	mode_t who = 0;

	for (;; (*at)++) {
		switch (**at) {
		case 'u':
			who |= S_ISUID | S_IRWXU;
			break;
		case 'g':
			who |= S_ISGID | S_IRWXG;
			break;
		case 'o':
			who |= S_ISVTX | S_IRWXO;
			break;
		case 'a':
			who |= ALL_BITS;
			break;
		default:
			return who;
		}
	}
}

static bool copied_from(char c, mode_t mode, mode_t *bits)
{
	switch (c) {
	case 'u':
		*bits = mode >> 6 & 7;
		break;
	case 'g':
		*bits = mode >> 3 & 7;
		break;
	case 'o':
		*bits = mode & 7;
		break;
	default:
		return false;
	}
	*bits |= *bits << 3 | *bits << 6;
	return true;
}

/* [rwxXst...] or u, g, o: for all three classes; who is masked by the caller. */
static mode_t parse_perms(const char **at, mode_t mode)
{
	mode_t bits = 0;

	if (copied_from(**at, mode, &bits)) {
		(*at)++;
		return bits;
	}
	for (;; (*at)++) {
		switch (**at) {
		case 'r':
			bits |= 0444;
			break;
		case 'w':
			bits |= 0222;
			break;
		case 'x':
			bits |= 0111;
			break;
		case 'X':
			if (S_ISDIR(mode) || mode & 0111)
				bits |= 0111;
			break;
		case 's':
			bits |= S_ISUID | S_ISGID;
			break;
		case 't':
			bits |= S_ISVTX;
			break;
		default:
			return bits;
		}
	}
}

/* One clause: who, then operator and permissions at least once. */
static int parse_clause(const char **at, mode_t *mode, mode_t umask)
{
	mode_t who = parse_who(at), reach = who ? who : ALL_BITS & ~(umask & 0777);

	if (!**at || !strchr("+-=", **at))
		return -EINVAL;
	while (**at == '+' || **at == '-' || **at == '=') {
		char op = *(*at)++;
		mode_t bits = parse_perms(at, *mode) & reach;

		if (op == '+') {
			*mode |= bits;
		} else if (op == '-') {
			*mode &= ~bits;
		} else {
			mode_t clear = who ? who : ALL_BITS;

			/* A directory keeps setuid and setgid unless they are named. */
			if (S_ISDIR(*mode))
				clear &= ~(mode_t)(S_ISUID | S_ISGID);
			*mode = (*mode & ~clear) | bits;
		}
	}
	return 0;
}

int sw_fs_parse_mode(const char *text, mode_t mode, mode_t umask, mode_t *out)
{
	if (!text || !*text)
		return -EINVAL;
	if (*text >= '0' && *text <= '7')
		return parse_octal(text, mode, out);
	for (;;) {
		int err = parse_clause(&text, &mode, umask);

		if (err)
			return err;
		if (!*text)
			break;
		if (*text++ != ',')
			return -EINVAL;
	}
	*out = mode;
	return 0;
}
