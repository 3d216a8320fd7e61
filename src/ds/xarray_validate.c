/* SPDX-License-Identifier: MIT */
/* xarray_validate.c - do the invariants of xarray.c (its section 4) hold? Room: ds. Under xa_lock, for tests. */

#include "ds/xarray_internal.h"

static const char *validate_siblings(const struct xa_node *node, unsigned int i)
{
	unsigned int first = xa_to_sibling(node->slots[i]);

	if (first >= i || !node->slots[first] || xa_is_internal(node->slots[first]))
		return "X6: a sibling of nothing";
	if (node->slots[i - 1] != node->slots[first] && node->slots[i - 1] != node->slots[i])
		return "X6: a gap among siblings";
	return NULL;
}

static const char *validate_node(struct xarray *xa, struct xa_node *node, bool top)
{
	unsigned int count = 0, values = 0;
	const char *bad = NULL;

	for (unsigned int i = 0; i < XA_CHUNK_SIZE && !bad; i++) {
		void *entry = node->slots[i], *first = entry;
		struct xa_node *child = xa_is_node(entry) ? xa_to_node(entry) : NULL;

		for (xa_mark_t m = 0; m < XA_MAX_MARKS; m++)
			if ((node->marks[m] >> i & 1) &&
			    (!entry || xa_is_sibling(entry) || (child && !child->marks[m])))
				return "X4: a mark on nothing";
			else if (child && child->marks[m] && !(node->marks[m] >> i & 1))
				return "X4: a mark below that is not above";
		if (!entry)
			continue;
		count++;
		if (child) {
			if (child->parent != node || child->offset != i || !node->shift ||
			    child->shift != node->shift - XA_CHUNK_SHIFT)
				return "X3: a child that hangs elsewhere";
			bad = validate_node(xa, child, false);
			continue;
		}
		if (xa_is_sibling(entry)) {
			bad = validate_siblings(node, i);
			first = node->slots[xa_to_sibling(entry)];
		} else {
			unsigned int span = span_of(node, i);

			if (span & (span - 1) || i & (span - 1))
				return "X6: siblings are not aligned";
		}
		values += xa_is_value(first);
	}
	if (bad)
		return bad;
	if (!count || count != node->count || values != node->nr_values || node->array != xa)
		return "X1: counts";
	if (top && (node->parent ||
		    (count == 1 && node->slots[0] && (xa_is_node(node->slots[0]) || !node->shift))))
		return "X2: the tree is too high";
	return NULL;
}

const char *sw_xa_validate(struct xarray *xa)
{
	const char *bad = NULL;

	xa_lock(xa);
	for (xa_mark_t m = 0; m < XA_MAX_MARKS && !bad; m++) {
		bool on = root_marked(xa, m);

		if (xa_is_node(xa->xa_head) ? on != !!xa_to_node(xa->xa_head)->marks[m] :
					      on && !xa->xa_head)
			bad = "X5: marks of the array";
	}
	if (!bad && xa_is_node(xa->xa_head))
		bad = validate_node(xa, xa_to_node(xa->xa_head), true);
	xa_unlock(xa);
	return bad;
}
