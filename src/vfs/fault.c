/* SPDX-License-Identifier: MIT */
/*
 * fault.c - what the pages of a mapping show
 *
 * Room: vfs. Next door: mmap.c (areas), uffd.c (events).
 *
 * 1. Pieces
 *
 * area->pieces says what is mapped, by the first page of the file that is shown:
 *
 *   a folio | order << 2   mmap() of the pool at the folio's address, up to its end or the area's. It holds
 *                          a reference and a _mapcount, so that reclaim cannot free what is shown
 *   value, PIECE_DEVICE    DAX: a piece of a host file, of so many pages
 *   value, PIECE_ZERO      DAX: a hole, one page of zeros that is write-protected
 *   value, PIECE_SIGBUS    a page that cannot be had: an empty file, mapped
 *
 * No piece is longer than 512 pages, nor than area->max_piece, so those that overlap a range start at most
 * that much before it.
 *
 * 2. Showing
 *
 * area_fill() asks ->huge_fault or ->fault, maps the answer under i_mmap_rwsem (shared) and area->fill, and
 * then looks whether the folio is still in the cache; who removes folios hides them before and after
 * (docs/FILES.md §5), so one of the two sees the other. No folio lock is waited for where the page
 * is cached. What follows in the cache is shown along with it, up to 512 pages.
 *
 * 3. Writes
 *
 * A shared writable area whose file system has page_mkwrite (pfn_mkwrite) is shown protected until it is
 * written to. Where that cannot be had (no userfaultfd; a device that is no shmem) it counts as
 * written when it is shown: area->vma.wp is false.
 *
 * 4. Areas that are not lazy
 *
 * are filled by sw_fs_mmap(). Nothing would fill them again, so only what lies past the end of the file is
 * hidden: zeros that go nowhere. mapping_refill() fills them when the file has grown or changed.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache.h"
#include "cache/pool.h"
#include "lib/list.h"
#include "vfs/area.h"

#define PIECE_PAGES_MAX 512UL
#define AROUND_PAGES \
	512UL           /* of what is cached: an event costs as much as mapping hundreds of pages */
#define READ_PAGES 64UL /* of what has to be read */
/* So many pages in a row are being read in order: then the kernel's faults are spared as well. */
#define POPULATE_PAGES 16
#define OOM_TRIES      100
#define OOM_WAIT_NS    1000000

enum piece_kind { PIECE_DEVICE, PIECE_ZERO, PIECE_SIGBUS };

/* ---- pieces -------------------------------------------------------------------------- */

static void *folio_piece(struct folio *folio)
{
	return (void *)((uintptr_t)folio | (folio_test_large(folio) ? folio->order : 0u) << 2);
}

static void *other_piece(enum piece_kind kind, unsigned long pages)
{
	return xa_mk_value(kind | pages << 2);
}

static struct folio *piece_folio(const void *piece)
{
	return (struct folio *)((uintptr_t)piece & ~63UL);
}

static enum piece_kind piece_kind(const void *piece)
{
	return xa_to_value(piece) & 3;
}

static pgoff_t piece_end(const struct area *area, const void *piece, pgoff_t start)
{
	pgoff_t end;

	if (xa_is_value(piece)) {
		end = start + (xa_to_value(piece) >> 2);
	} else {
		unsigned long pages = 1UL << ((uintptr_t)piece >> 2 & 15);

		end = (start & ~(pages - 1)) + pages;
	}
	return min(end, area_end(area));
}

/* The first piece that shows any page of [first, end); *start: its first page. NULL: none. */
static void *find_piece(struct area *area, pgoff_t first, pgoff_t end, pgoff_t *start)
{
	unsigned long back = atomic_load_explicit(&area->max_piece, memory_order_acquire) - 1;
	unsigned long index = first > back ? first - back : 0;
	void *piece;

	if (back == ~0UL)
		return NULL; /* nothing was ever shown */

	for (piece = xa_find(&area->pieces, &index, end - 1, XA_PRESENT); piece;
	     piece = xa_find_after(&area->pieces, &index, end - 1, XA_PRESENT)) {
		if (piece_end(area, piece, index) > first) {
			*start = index;
			return piece;
		}
	}
	return NULL;
}

/* Before it is entered: find_piece() looks back as far as the longest one. */
static void note_length(struct area *area, unsigned long pages)
{
	if (pages > atomic_load_explicit(&area->max_piece, memory_order_relaxed))
		atomic_store_explicit(&area->max_piece, pages, memory_order_release);
}

pgoff_t area_next_gap(struct area *area, pgoff_t index)
{
	void *piece;

	while (index < area_end(area) && (piece = xa_load(&area->pieces, index)))
		index = piece_end(area, piece, index);
	return index;
}

static int page_nid(const struct folio *folio)
{
	return page_to_nid((const struct page *)folio);
}

static void piece_hold(struct folio *folio)
{
	folio_hold(folio);
	if (!atomic_fetch_add_explicit(&folio->_mapcount, 1, memory_order_acq_rel))
		mod_node_state(page_nid(folio), NR_FILE_MAPPED, (long)folio_nr_pages(folio));
}

static void piece_drop(void *piece)
{
	struct folio *folio;

	if (xa_is_value(piece))
		return;
	folio = piece_folio(piece);
	if (atomic_fetch_sub_explicit(&folio->_mapcount, 1, memory_order_acq_rel) == 1)
		mod_node_state(page_nid(folio), NR_FILE_MAPPED, -(long)folio_nr_pages(folio));
	folio_drop(folio);
}

static int vma_prot(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_READ ? PROT_READ : 0) |
	       (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0);
}

static bool writes_matter(const struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops;

	if ((vma->vm_flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return false;
	return vma->vm_flags & (VM_MIXEDMAP | VM_PFNMAP) ? ops->pfn_mkwrite : ops->page_mkwrite;
}

static struct address_space *area_mapping(const struct area *area)
{
	return area->vma.vm_file->f_mapping;
}

/* ---- hiding, forgetting -------------------------------------------------------------------- */

static void hide_piece(struct area *area, void *piece, pgoff_t start)
{
	unsigned long addr = area_addr(area, start);
	size_t size = (piece_end(area, piece, start) - start) << PAGE_SHIFT;
	int prot = vma_prot(&area->vma);

	if (!area->vma.lazy)
		map_at(addr, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	else if (xa_is_value(piece) && piece_kind(piece) == PIECE_ZERO)
		uffd_hide_zero_page(addr);
	else if (xa_is_value(piece))
		/* An empty file would be SIGBUS before it is an event; a device must make room for zeros. */
		uffd_arm(addr, size, prot);
	else
		uffd_hide(addr, size, prot);
	xa_erase(&area->pieces, start);
	piece_drop(piece);
}

/* May it stay although its pages are to be hidden? See 4; and a private copy is its owner's. */
static bool piece_stays(struct area *area, void *piece, pgoff_t start, bool private_too)
{
	struct address_space *mapping = area_mapping(area);
	sw_loff_t size = atomic_load(&mapping->i_size);
	bool inside = (sw_loff_t)(start << PAGE_SHIFT) < size;

	if (!(area->vma.vm_flags & VM_SHARED))
		return inside && !private_too;
	if (area->vma.lazy || !inside)
		return false;
	/* Blocks of a device that are hidden are given back. */
	return !xa_is_value(piece) && atomic_load(&piece_folio(piece)->mapping) == mapping;
}

void area_hide(struct area *area, pgoff_t first, pgoff_t end, bool private_too)
{
	pgoff_t start;
	void *piece;

	first = max(first, area_first(area));
	end = min(end, area_end(area));
	while (first < end && (piece = find_piece(area, first, end, &start))) {
		first = piece_end(area, piece, start);
		if (!piece_stays(area, piece, start, private_too))
			hide_piece(area, piece, start);
	}
}

void area_forget_pieces(struct area *area, pgoff_t first, pgoff_t end)
{
	unsigned long index = first;
	void *piece;

	while ((piece = xa_find(&area->pieces, &index, end - 1, XA_PRESENT))) {
		xa_erase(&area->pieces, index);
		piece_drop(piece);
	}
}

/* What cannot be entered must not stay mapped: it has no reference. */
static void enter_or_hide(struct area *area, pgoff_t start, void *piece)
{
	unsigned long addr = area_addr(area, start);
	size_t size = (piece_end(area, piece, start) - start) << PAGE_SHIFT;
	int prot = vma_prot(&area->vma);

	if (!xa_err(xa_store(&area->pieces, start, piece, GFP_ATOMIC)))
		return;
	if (area->vma.lazy)
		uffd_arm(addr, size, prot);
	else
		map_at(addr, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	piece_drop(piece);
}

void area_split_pieces(struct area *left, struct area *right, pgoff_t split)
{
	unsigned long index = 0;
	pgoff_t start;
	void *piece = find_piece(left, split, split + 1, &start);

	/* One that crosses is now two, and so are its references. */
	if (piece && start < split) {
		void *rest = piece;

		if (xa_is_value(piece)) {
			unsigned long pages = xa_to_value(piece) >> 2;

			xa_store(&left->pieces, start,
				 other_piece(piece_kind(piece), split - start), GFP_ATOMIC);
			rest = other_piece(piece_kind(piece), start + pages - split);
		} else {
			piece_hold(piece_folio(piece));
		}
		enter_or_hide(right, split, rest);
	}
	index = split;
	for (piece = xa_find(&left->pieces, &index, ~0UL, XA_PRESENT); piece;
	     piece = xa_find_after(&left->pieces, &index, ~0UL, XA_PRESENT)) {
		xa_erase(&left->pieces, index);
		enter_or_hide(right, index, piece);
	}
}

/* i_mmap_rwsem held. */
static void dirty_pieces(struct area *area, pgoff_t first, pgoff_t end)
{
	struct address_space *mapping = area_mapping(area);
	pgoff_t start;
	void *piece;

	if (!writes_matter(&area->vma) || area->vma.wp)
		return;
	while (first < end && (piece = find_piece(area, first, end, &start))) {
		first = piece_end(area, piece, start);
		if (!xa_is_value(piece) && atomic_load(&piece_folio(piece)->mapping) == mapping)
			folio_mark_dirty(piece_folio(piece));
	}
}

void area_dirty_pages(struct area *area, pgoff_t first, pgoff_t end)
{
	struct address_space *mapping = area_mapping(area);

	down_read(&mapping->i_mmap_rwsem);
	dirty_pieces(area, first, end);
	up_read(&mapping->i_mmap_rwsem);
}

void vfs_dirty_mapped(struct address_space *mapping)
{
	struct list_head *pos;

	if (!atomic_load(&mapping->i_mmap_writable))
		return;
	down_read(&mapping->i_mmap_rwsem);
	for (pos = mapping->i_mmap.next; pos != &mapping->i_mmap; pos = pos->next) {
		struct vm_area_struct *vma = list_entry(pos, struct vm_area_struct, shared);
		struct area *area = container_of(vma, struct area, vma);

		dirty_pieces(area, area_first(area), area_end(area));
	}
	up_read(&mapping->i_mmap_rwsem);
}

void vfs_unmap(struct address_space *mapping, pgoff_t index, pgoff_t nr)
{
	pgoff_t end = index + nr < index ? ~0UL : index + nr;
	struct list_head *pos;

	if (list_empty(&mapping->i_mmap))
		return;
	down_write(&mapping->i_mmap_rwsem);
	for (pos = mapping->i_mmap.next; pos != &mapping->i_mmap; pos = pos->next) {
		struct vm_area_struct *vma = list_entry(pos, struct vm_area_struct, shared);
		struct area *area = container_of(vma, struct area, vma);

		if (!xa_empty(&area->pieces) && index < area_end(area) && end > area_first(area))
			area_hide(area, index, end, false);
	}
	up_write(&mapping->i_mmap_rwsem);
}

void unmap_mapping_range(struct address_space *mapping, sw_loff_t start, sw_loff_t len,
			 int even_cows)
{
	pgoff_t first = (pgoff_t)start >> PAGE_SHIFT;
	pgoff_t end = len ? ((pgoff_t)(start + len) + PAGE_SIZE - 1) >> PAGE_SHIFT : ~0UL;

	(void)even_cows;
	if (end > first)
		vfs_unmap(mapping, first, end - first);
}

/* ---- showing ------------------------------------------------------------------------------------- */

/* One mmap() for folios that lie side by side in memory. */
struct run {
	struct folio *folio[AROUND_PAGES];
	unsigned int n;
	pgoff_t first; /* page of the file where it starts to be shown */
	pgoff_t end;
};

/*
 * Under i_mmap_rwsem and area->fill. Enters the folios; cuts the run where something is shown already.
 * Return: bytes to map, -ENOMEM.
 */
static long enter_run(struct area *area, struct run *run)
{
	pgoff_t start, index = run->first;
	bool failed = false;

	if (find_piece(area, run->first, run->end, &start))
		run->end = max(start, run->first);
	for (unsigned int i = 0; i < run->n && index < run->end; i++) {
		struct folio *folio = run->folio[i];

		note_length(area, folio_nr_pages(folio));
		failed = xa_err(xa_store(&area->pieces, index, folio_piece(folio), GFP_ATOMIC));
		if (failed) {
			run->end = index;
			break;
		}
		piece_hold(folio);
		index = folio_next_index(folio);
	}
	if (failed && run->end == run->first)
		return -ENOMEM;
	return (long)((run->end - run->first) << PAGE_SHIFT);
}

/* Undo enter_run(). */
static void leave_run(struct area *area, struct run *run)
{
	area_forget_pieces(area, run->first, run->end);
}

/*
 * Map it. @protect: writes are to be seen. *@touched: but some may have been missed.
 * Return: bytes shown; 0: something was there; -EAGAIN: the area is gone, or the folios are; -ENOMEM.
 */
static long show_run(struct area *area, struct run *run, bool protect, bool *touched)
{
	struct address_space *mapping = area_mapping(area);
	int flags = area->vma.vm_flags & VM_SHARED ? MAP_SHARED : MAP_PRIVATE;
	const struct folio *head = run->folio[0];
	pgoff_t skip;
	bool stale = false;
	long shown = -EAGAIN;
	int err = 0;

	down_read(&mapping->i_mmap_rwsem);
	mutex_lock(&area->fill);
	run->first = max(run->first, area_first(area));
	run->end = min(run->end, area_end(area));
	if (area->dead || run->first >= run->end)
		goto out;
	skip = run->first - head->index;
	shown = enter_run(area, run);
	if (shown <= 0)
		goto out;
	err = map_at(area_addr(area, run->first), (size_t)shown, vma_prot(&area->vma), flags,
		     pool_fd(), (uintptr_t)folio_addr(head) + (skip << PAGE_SHIFT));
	if (err) {
		leave_run(area, run);
		shown = -ENOMEM;
		goto out;
	}
	if (protect && uffd_protect(area_addr(area, run->first), (size_t)shown, touched))
		*touched = true;
	if (!protect && run->n >= POPULATE_PAGES)
		map_populate(area_addr(area, run->first), (size_t)shown);
	for (unsigned int i = 0; i < run->n; i++)
		if (atomic_load(&run->folio[i]->mapping) != mapping)
			stale = true;
out:
	mutex_unlock(&area->fill);
	up_read(&mapping->i_mmap_rwsem);
	if (stale) {
		down_write(&mapping->i_mmap_rwsem);
		if (!area->dead)
			area_hide(area, run->first, run->end, true);
		up_write(&mapping->i_mmap_rwsem);
		return -EAGAIN;
	}
	return shown;
}

/* ->page_mkwrite for a folio that is shown or will be. true: it may be written to. */
static bool make_writable(struct area *area, struct folio *folio, pgoff_t index)
{
	struct vm_fault vmf = { .vma = &area->vma,
				.flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE,
				.address = area_addr(area, index),
				.pgoff = index,
				.folio = folio };
	vm_fault_t ret = area->vma.vm_ops->page_mkwrite(&vmf);

	if (ret & VM_FAULT_LOCKED)
		folio_unlock(folio);
	return ret & VM_FAULT_LOCKED;
}

/* A referenced, uptodate folio of the pool at @index that is not shown, or NULL. Waits for nothing. */
static struct folio *next_cached(struct area *area, pgoff_t index)
{
	struct address_space *mapping = area_mapping(area);
	struct folio *folio;
	bool still;

	if (index >= area_end(area) ||
	    (sw_loff_t)(index << PAGE_SHIFT) >= atomic_load(&mapping->i_size))
		return NULL;
	rcu_read_lock();
	folio = filemap_peek(mapping, index);
	if (folio && !folio_try_get(folio))
		folio = NULL;
	still = folio && filemap_peek(mapping, index) == folio;
	rcu_read_unlock();
	if (still && folio_test_uptodate(folio) && folio_test(folio, PG_pool) &&
	    folio->index == index)
		return folio;
	if (folio)
		folio_drop(folio);
	return NULL;
}

static void put_run(struct run *run)
{
	for (unsigned int i = 0; i < run->n; i++)
		folio_drop(run->folio[i]);
	run->n = 0;
}

/* Pages from @index on that happen to be cached. Return: bytes. */
static long show_around(struct area *area, pgoff_t index, unsigned long budget)
{
	bool protect = writes_matter(&area->vma);
	struct run run = { .n = 0 };
	long shown = 0, n = 1;

	while (n > 0) {
		struct folio *folio = budget ? next_cached(area, index) : NULL;
		bool touched = false;

		if (folio && (!run.n ||
			      (run.n < AROUND_PAGES &&
			       folio_addr(folio) == (char *)folio_addr(run.folio[0]) +
							    ((index - run.first) << PAGE_SHIFT)))) {
			if (!run.n)
				run.first = index;
			run.folio[run.n++] = folio;
			run.end = index = folio_next_index(folio);
			budget -= min(budget, folio_nr_pages(folio));
			continue;
		}
		if (!run.n)
			break;
		n = show_run(area, &run, protect, &touched);
		for (unsigned int i = 0; touched && n > 0 && i < run.n; i++)
			make_writable(area, run.folio[i], run.folio[i]->index);
		shown += n > 0 ? n : 0;
		if (n < (long)((run.end - run.first) << PAGE_SHIFT))
			n = 0;
		put_run(&run);
		if (!folio)
			break;
		run.folio[run.n++] = folio;
		run.first = index;
		run.end = index = folio_next_index(folio);
		budget -= min(budget, folio_nr_pages(folio));
	}
	put_run(&run);
	return shown;
}

/* What ->fault gave. As area_fill(), 0: again. */
static long show_folio(struct area *area, struct vm_fault *vmf)
{
	struct folio *folio = vmf->folio;
	bool matters = writes_matter(&area->vma), touched = false;
	bool write = matters && (vmf->flags & FAULT_FLAG_WRITE || !area->vma.wp);
	struct run run = { .n = 1, .folio = { folio } };
	long shown;

	if (!folio_test(folio, PG_pool)) {
		/* It was on its way in when the file was first mapped. */
		pool_adopt(area_mapping(area), folio);
		return 0;
	}
	if (write && !make_writable(area, folio, vmf->pgoff))
		return 0;
	run.first = max(folio->index, area_first(area));
	run.end = folio_next_index(folio);
	shown = show_run(area, &run, matters && !write, &touched);
	if (touched)
		make_writable(area, folio, vmf->pgoff);
	if (shown < 0)
		return shown == -EAGAIN && !area->dead ? 0 : shown;
	if (area->vma.lazy && folio_nr_pages(folio) < AROUND_PAGES && (!matters || area->vma.wp))
		show_around(area, run.end, AROUND_PAGES - folio_nr_pages(folio));
	return (long)(area_addr(area, run.end) - vmf->address);
}

/* A file of no bytes: touching a page of it is SIGBUS, of the kernel's own making. */
static int sigbus_fd(void)
{
	static _Atomic int fd = -1;
	int now = atomic_load(&fd), new, saved = errno;

	if (now >= 0)
		return now;
	new = memfd_create("slabwork-sigbus", MFD_CLOEXEC);
	if (new >= 0 && !atomic_compare_exchange_strong(&fd, &now, new)) {
		close(new);
		new = now;
	}
	errno = saved;
	return new;
}

static long show_other(struct area *area, pgoff_t index, enum piece_kind kind, int fd,
		       uint64_t offset, unsigned long pages, bool protect, bool *touched)
{
	struct address_space *mapping = area_mapping(area);
	int flags = area->vma.vm_flags & VM_SHARED ? MAP_SHARED : MAP_PRIVATE;
	unsigned long addr;
	long shown = -EAGAIN;
	pgoff_t start;
	int err;

	down_read(&mapping->i_mmap_rwsem);
	mutex_lock(&area->fill);
	if (area->dead || index < area_first(area) || index >= area_end(area))
		goto out;
	pages = min(pages, area_end(area) - index);
	if (find_piece(area, index, index + pages, &start))
		pages = start > index ? start - index : 0;
	shown = (long)(pages << PAGE_SHIFT);
	if (!pages)
		goto out;
	addr = area_addr(area, index);
	note_length(area, pages);
	if (xa_err(xa_store(&area->pieces, index, other_piece(kind, pages), GFP_ATOMIC))) {
		/* Where nothing waits for a touch a page must not read as zeros. */
		if (kind == PIECE_SIGBUS && !area->vma.lazy)
			map_at(addr, PAGE_SIZE, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		shown = -ENOMEM;
		goto out;
	}
	if (area->vma.vm_flags & VM_SYNC && kind == PIECE_DEVICE)
		flags = MAP_SHARED_VALIDATE | MAP_SYNC;
	if (kind == PIECE_ZERO)
		err = uffd_zero_page(addr);
	else
		err = map_at(addr, (size_t)shown, vma_prot(&area->vma), flags, fd, offset);
	if (err) {
		xa_erase(&area->pieces, index);
		shown = -ENOMEM;
	} else if (protect && uffd_protect(addr, (size_t)shown, touched)) {
		*touched = true;
	}
out:
	mutex_unlock(&area->fill);
	up_read(&mapping->i_mmap_rwsem);
	return shown;
}

static long show_sigbus(struct area *area, unsigned long addr)
{
	pgoff_t index = area_first(area) + ((addr - area->vma.vm_start) >> PAGE_SHIFT);
	int fd = sigbus_fd();

	if (fd >= 0)
		show_other(area, index, PIECE_SIGBUS, fd, 0, 1, false, NULL);
	return -EFAULT;
}

static bool pfn_writable(struct area *area, struct vm_fault *vmf)
{
	vmf->flags |= FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE;
	return !(area->vma.vm_ops->pfn_mkwrite(vmf) & (VM_FAULT_SIGBUS | VM_FAULT_OOM));
}

/* What a DAX file system gave: a piece of a host file, or a hole. */
static long show_backing(struct area *area, struct vm_fault *vmf)
{
	pgoff_t index = area_first(area) + ((vmf->address - area->vma.vm_start) >> PAGE_SHIFT);
	unsigned long pages = min((unsigned long)(vmf->backing_len >> PAGE_SHIFT), PIECE_PAGES_MAX);
	bool matters = writes_matter(&area->vma), touched = false;
	bool write = matters && (vmf->flags & FAULT_FLAG_WRITE || !area->vma.wp);
	long shown;

	if (vmf->backing_fd < 0)
		return show_other(area, index, PIECE_ZERO, -1, 0, 1, false, NULL);
	if (write && !pfn_writable(area, vmf))
		return show_sigbus(area, vmf->address);
	shown = show_other(area, index, PIECE_DEVICE, vmf->backing_fd,
			   (uint64_t)vmf->backing_offset, pages, matters && !write, &touched);
	if (touched) {
		/* Not shmem, or somebody was quick: it counts as written. */
		area->vma.wp = false;
		pfn_writable(area, vmf);
	}
	return shown;
}

static vm_fault_t call_fault(struct area *area, struct vm_fault *vmf)
{
	const struct vm_area_struct *vma = &area->vma;
	unsigned long huge = vmf->address & ~(PIECE_PAGES_MAX * PAGE_SIZE - 1);
	pgoff_t first = vmf->pgoff - ((vmf->address - huge) >> PAGE_SHIFT), start;
	vm_fault_t ret;

	/* All of it or nothing: where a part is shown already the rest comes page by page. */
	if (vma->vm_flags & VM_HUGEPAGE && vma->vm_ops->huge_fault && huge >= vma->vm_start &&
	    huge + PIECE_PAGES_MAX * PAGE_SIZE <= vma->vm_end &&
	    !find_piece(area, first, first + PIECE_PAGES_MAX, &start)) {
		struct vm_fault whole = *vmf;

		whole.address = huge;
		whole.pgoff = first;
		ret = vma->vm_ops->huge_fault(&whole, PE_SIZE_PMD);
		if (!(ret & VM_FAULT_FALLBACK)) {
			*vmf = whole;
			return ret;
		}
	}
	return vma->vm_ops->fault(vmf);
}

long area_fill(struct area *area, unsigned long addr, unsigned int flags)
{
	static const struct timespec wait = { 0, OOM_WAIT_NS };
	bool device = area->vma.vm_flags & (VM_MIXEDMAP | VM_PFNMAP);
	long shown = 0;

	if (!(area->vma.vm_flags & VM_WRITE))
		flags = 0;
	for (int tries = 0; tries < OOM_TRIES; tries++) {
		pgoff_t index = area_first(area) + ((addr - area->vma.vm_start) >> PAGE_SHIFT);
		struct vm_fault vmf = { .vma = &area->vma,
					.flags = flags,
					.address = addr,
					.pgoff = index,
					.backing_fd = -1 };
		pgoff_t start;
		vm_fault_t ret;
		void *there = find_piece(area, index, index + 1, &start);

		if (there)
			return (long)(area_addr(area, piece_end(area, there, start)) - addr);
		/* Blocks of a device are not given back between the answer and the mapping. */
		if (device)
			down_read(&area_mapping(area)->invalidate_lock);
		ret = call_fault(area, &vmf);
		if (ret & VM_FAULT_NOPAGE)
			shown = show_backing(area, &vmf);
		if (device)
			up_read(&area_mapping(area)->invalidate_lock);
		if (ret & VM_FAULT_SIGBUS)
			return show_sigbus(area, addr);
		if (ret & VM_FAULT_OOM) {
			nanosleep(&wait, NULL);
			continue;
		}
		if (!(ret & VM_FAULT_NOPAGE)) {
			if (ret & VM_FAULT_LOCKED)
				folio_unlock(vmf.folio);
			shown = show_folio(area, &vmf);
			folio_drop(vmf.folio);
		}
		if (shown > 0) {
			/* A huge fault starts before. */
			long before = (long)(addr - vmf.address);

			return shown > before ? shown - before : (long)PAGE_SIZE;
		}
		if (shown == -EAGAIN || shown == -EFAULT)
			return shown;
		if (shown < 0)
			nanosleep(&wait, NULL);
	}
	return show_sigbus(area, addr);
}

/* ---- write faults ---------------------------------------------------------------------------------- */

/* @piece is still there: may be written to from now on. */
static void allow_writes(struct area *area, void *piece, pgoff_t start)
{
	struct address_space *mapping = area_mapping(area);

	down_read(&mapping->i_mmap_rwsem);
	if (!area->dead && xa_load(&area->pieces, start) == piece)
		uffd_unprotect(area_addr(area, start), (piece_end(area, piece, start) - start)
							       << PAGE_SHIFT);
	up_read(&mapping->i_mmap_rwsem);
}

/* It cannot be had: SIGBUS for whoever writes. */
static void fail_write(struct area *area, unsigned long addr, pgoff_t start)
{
	struct address_space *mapping = area_mapping(area);
	void *piece;

	down_write(&mapping->i_mmap_rwsem);
	piece = area->dead ? NULL : xa_load(&area->pieces, start);
	if (piece)
		hide_piece(area, piece, start);
	up_write(&mapping->i_mmap_rwsem);
	show_sigbus(area, addr);
}

static void write_to_hole(struct area *area, struct vm_fault *vmf, pgoff_t start)
{
	struct address_space *mapping = area_mapping(area);
	vm_fault_t ret;
	void *piece;

	down_read(&mapping->invalidate_lock);
	ret = area->vma.vm_ops->page_mkwrite(vmf);
	if (ret & VM_FAULT_NOPAGE && vmf->backing_fd >= 0) {
		down_write(&mapping->i_mmap_rwsem);
		piece = area->dead ? NULL : xa_load(&area->pieces, start);
		/* The page of zeros stays until the block is mapped over it. */
		if (piece && xa_is_value(piece) && piece_kind(piece) == PIECE_ZERO)
			xa_erase(&area->pieces, start);
		up_write(&mapping->i_mmap_rwsem);
		if (piece)
			show_backing(area, vmf);
	}
	up_read(&mapping->invalidate_lock);
	if (!(ret & VM_FAULT_NOPAGE))
		fail_write(area, vmf->address, start);
}

void area_write_fault(struct area *area, unsigned long addr)
{
	struct address_space *mapping = area_mapping(area);
	pgoff_t start = 0, index = area_first(area) + ((addr - area->vma.vm_start) >> PAGE_SHIFT);
	struct vm_fault vmf = { .vma = &area->vma,
				.flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE,
				.address = addr,
				.pgoff = index,
				.backing_fd = -1 };
	struct folio *folio = NULL;
	void *piece;

	down_read(&mapping->i_mmap_rwsem);
	piece = find_piece(area, index, index + 1, &start);
	if (piece && !xa_is_value(piece)) {
		folio = piece_folio(piece);
		folio_hold(folio);
	}
	up_read(&mapping->i_mmap_rwsem);
	if (folio) {
		vm_fault_t ret;

		vmf.folio = folio;
		ret = area->vma.vm_ops->page_mkwrite(&vmf);
		if (ret & VM_FAULT_LOCKED) {
			allow_writes(area, piece, start);
			folio_unlock(folio);
		} else if (!(ret & VM_FAULT_NOPAGE)) {
			fail_write(area, addr, start);
		}
		folio_drop(folio);
	} else if (piece && piece_kind(piece) == PIECE_DEVICE) {
		if (pfn_writable(area, &vmf))
			allow_writes(area, piece, start);
		else
			fail_write(area, addr, start);
	} else if (piece && piece_kind(piece) == PIECE_ZERO) {
		write_to_hole(area, &vmf, start);
	}
	uffd_wake(addr, PAGE_SIZE);
}

/* ---- files with a page cache ---------------------------------------------------------------------------- */

static struct folio *cached_folio(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio;
	bool still;

	rcu_read_lock();
	folio = filemap_peek(mapping, index);
	if (folio && (!folio_test_uptodate(folio) || !folio_try_get(folio)))
		folio = NULL;
	still = folio && filemap_peek(mapping, index) == folio;
	rcu_read_unlock();
	if (still)
		return folio;
	if (folio)
		folio_drop(folio);
	return NULL;
}

vm_fault_t filemap_fault(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct address_space *mapping = file->f_mapping;
	struct folio *folio;

	if (vmf->pgoff >= ((pgoff_t)atomic_load(&mapping->i_size) + PAGE_SIZE - 1) >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	folio = cached_folio(mapping, vmf->pgoff);
	if (!folio && file->f_ra.ra_pages) {
		struct readahead_control rac = {
			.file = file, .mapping = mapping, .ra = &file->f_ra, .index = vmf->pgoff
		};

		page_cache_sync_ra(&rac, READ_PAGES);
	}
	if (!folio)
		folio = read_cache_folio(mapping, vmf->pgoff, file);
	if (IS_ERR(folio))
		return PTR_ERR(folio) == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	vmf->folio = folio;
	return 0;
}

vm_fault_t filemap_page_mkwrite(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct address_space *mapping = file->f_mapping;
	struct folio *folio = vmf->folio;

	int err = 0;

	if (mapping->host_ops && mapping->host_ops->modify)
		err = mapping->host_ops->modify(file);
	if (err)
		return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	folio_lock(folio);
	if (atomic_load(&folio->mapping) != mapping) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_wait_writeback(folio);
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

const struct vm_operations_struct generic_file_vm_ops = {
	.fault = filemap_fault,
	.page_mkwrite = filemap_page_mkwrite,
};

int generic_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!file->f_mapping->a_ops ||
	    (!file->f_mapping->a_ops->read_folio && !file->f_mapping->a_ops->readpage))
		return -ENOEXEC;
	touch_atime(&file->f_path);
	vma->vm_ops = &generic_file_vm_ops;
	return 0;
}
