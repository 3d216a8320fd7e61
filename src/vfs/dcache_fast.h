/* SPDX-License-Identifier: MIT */
#ifndef VFS_DCACHE_FAST_H
#define VFS_DCACHE_FAST_H

/*
 * dcache_fast.h - names, hashes and the look-up of a walk, inline
 *
 * Room: vfs, private to dcache.c, namei.c, namei_rcu.c. A name is hashed in words of 8 bytes, the last one
 * filled up with zeros; a dentry keeps its name the same way, so one comparison is a word.
 *
 * The scan for the end of a component reads whole words of the caller's string, up to 7 bytes past its end but
 * never past the end of a page that the string reaches; sanitizers get a scan by bytes.
 */

#include "vfs/vfs_internal.h"

#include "lib/hash.h"

#define DHASH_BITS 18
extern struct hlist_head dentry_hashtable[1 << DHASH_BITS];

static inline struct hlist_head *dhash_head(uint32_t hash)
{
	return &dentry_hashtable[hash >> (32 - DHASH_BITS)];
}

SW_ALWAYS_INLINE uint64_t hash_step(uint64_t h, uint64_t word)
{
	h = (h ^ word) * GOLDEN_RATIO_64;
	return h ^ (h >> 32);
}

SW_ALWAYS_INLINE uint32_t hash_end(uint64_t h, uint32_t len)
{
	return (uint32_t)(((h + len) * GOLDEN_RATIO_64) >> 32);
}

/* The last 1 to 7 bytes of a name, filled up with zeros. */
SW_ALWAYS_INLINE uint64_t name_tail(const char *name, unsigned int len)
{
	uint32_t a = 0, b = 0;

	if (len & 4) {
		memcpy(&a, name, 4);
		memcpy(&b, name + len - 4, 4);
		return a | (uint64_t)b << (8 * (len - 4));
	}
	/* 1, 2 or 3: first, middle, last. */
	return (uint64_t)(unsigned char)name[0] |
	       (uint64_t)(unsigned char)name[len >> 1] << (8 * (len >> 1)) |
	       (uint64_t)(unsigned char)name[len - 1] << (8 * (len - 1));
}

/* @kept: a dentry's words; @name: the caller's bytes. */
SW_ALWAYS_INLINE bool name_is(const char *kept, const char *name, unsigned int len)
{
	const uint64_t *w = (const uint64_t *)(const void *)kept;
	uint64_t word;

	for (; len >= 8; len -= 8, name += 8) {
		memcpy(&word, name, 8);
		if (READ_ONCE(*w) != word)
			return false;
		w++;
	}
	return !len || READ_ONCE(*w) == name_tail(name, len);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#define SCAN_BY_BYTES 1
#else
#define SCAN_BY_BYTES 0
#endif

#define BYTES_01 0x0101010101010101ULL
#define BYTES_80 0x8080808080808080ULL

/* Bit 7 of the first byte that is 0 is the lowest that is set; 0: none is. */
SW_ALWAYS_INLINE uint64_t zero_bytes(uint64_t word)
{
	return (word - BYTES_01) & ~word & BYTES_80;
}

static inline uint32_t scan_by_bytes(const char *name, uint64_t h, uint32_t *hash)
{
	uint32_t len = 0;

	while (name[len] && name[len] != '/' && len < SW_PATH_MAX)
		len++;
	for (uint32_t i = 0; i < len; i += 8) {
		uint64_t word = 0;

		if (len - i >= 8)
			memcpy(&word, name + i, 8);
		else
			word = name_tail(name + i, len - i);
		h = hash_step(h, word);
	}
	*hash = hash_end(h, len);
	return len;
}

/* Length of the component at @name, and its hash in @parent. */
SW_ALWAYS_INLINE uint32_t scan_name(const void *parent, const char *name, uint32_t *hash)
{
	uint64_t h = (uintptr_t)parent;
	uint32_t len = 0;

	if (SCAN_BY_BYTES)
		return scan_by_bytes(name, h, hash);
	for (;; len += 8) {
		uint64_t word, end;

		if (unlikely(((uintptr_t)(name + len) & (PAGE_SIZE - 1)) > PAGE_SIZE - 8 ||
			     len >= SW_PATH_MAX))
			return scan_by_bytes(name, (uintptr_t)parent, hash);
		memcpy(&word, name + len, 8);
		end = zero_bytes(word) | zero_bytes(word ^ (BYTES_01 * '/'));
		if (end) {
			unsigned int bytes = (unsigned int)__builtin_ctzll(end) / 8;

			if (bytes)
				h = hash_step(h, word & (~0ULL >> (64 - 8 * bytes)));
			len += bytes;
			*hash = hash_end(h, len);
			return len;
		}
		h = hash_step(h, word);
	}
}

/* No reference, in an RCU section; see vfs_internal.h. */
SW_ALWAYS_INLINE struct dentry *d_find_rcu(const struct dentry *parent, const struct qstr *name,
					   uint32_t *seqp)
{
	struct dentry *dentry;

	hlist_for_each_entry_rcu(dentry, dhash_head(name->hash), d_hash)
	{
		const char *kept;
		uint32_t seq, len;

		if (READ_ONCE(dentry->d_name.hash) != name->hash)
			continue;
		seq = raw_seqcount_begin(&dentry->d_seq);
		if (unlikely(seq & 1))
			return NULL;
		if (unlikely(READ_ONCE(dentry->d_parent) != parent || d_unhashed(dentry)))
			continue;
		kept = READ_ONCE(dentry->d_name.name);
		len = READ_ONCE(dentry->d_name.len);
		/* Only a pair that belongs together may be followed. */
		if (unlikely(read_seqcount_retry(&dentry->d_seq, seq)))
			return NULL;
		if (unlikely(atomic_load_explicit(&parent->d_flags, memory_order_relaxed) &
			     DCACHE_OP_COMPARE)) {
			if (parent->d_op->d_compare(dentry, len, kept, name))
				continue;
		} else if (unlikely(len != name->len || !name_is(kept, name->name, len))) {
			continue;
		}
		if (unlikely(atomic_load_explicit(&dentry->d_flags, memory_order_acquire) &
			     (DCACHE_PAR_LOOKUP | DCACHE_DENTRY_KILLED)))
			return NULL;
		*seqp = seq;
		return dentry;
	}
	return NULL;
}

#endif /* VFS_DCACHE_FAST_H */
