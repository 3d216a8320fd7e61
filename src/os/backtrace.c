/* SPDX-License-Identifier: MIT */
/*
 * backtrace.c - who called us, by the chain of frame pointers
 *
 * Room: os.
 *
 * glibc's backtrace() loads libgcc and allocates on its first call, so it is of
 * no use to an allocator. A frame here is two words, on x86-64 and on aarch64
 * alike: the caller's frame pointer, then the return address. Code built without frame
 * pointers breaks the chain: the register then holds anything. So a link is
 * followed only if it is aligned, lies above the last one and not too far, and
 * points into memory that can be read.
 *
 * "Can be read" costs a system call, so each thread remembers the pages of its
 * stack that it has asked about ([lo, hi), two words). They stay mapped as long as
 * the stack pointer is among them; if it is not (another coroutine, an alternate
 * signal stack) we start afresh.
 */

#include <errno.h>
#include <signal.h>

#include "os/os.h"
#include "os/syscall.h"
#include "os/vm.h"

#define FRAME_MAX (1UL << 20) /* a larger step is more likely garbage than a frame */

struct frame {
	struct frame *caller;
	void *ret;
};

static __thread uintptr_t stack_lo, stack_hi;

/*
 * rt_sigprocmask reads the new set before it looks at "how": with a "how" that no
 * kernel knows it changes nothing and says -EFAULT or -EINVAL.
 */
static bool readable(uintptr_t addr)
{
	return os_syscall(SYS_rt_sigprocmask, 0x7fffffff, addr, NULL, 8) != -EFAULT;
}

/* May both words of the frame at addr be read? Grows the known range as it can. */
static bool frame_readable(uintptr_t addr)
{
	uintptr_t page = addr & ~(os_page_size() - 1);
	uintptr_t end = page + os_page_size();

	if (addr >= stack_lo && addr + sizeof(struct frame) <= stack_hi)
		return true;
	if (!readable(addr) || !readable(addr + sizeof(void *)))
		return false;
	if (page == stack_hi)
		stack_hi = end;
	return true;
}

__attribute__((noinline)) unsigned int os_backtrace(void **frames, unsigned int max)
{
	struct frame *frame = __builtin_frame_address(0);
	uintptr_t here = (uintptr_t)frame;
	unsigned int nr = 0;

	if (here < stack_lo || here >= stack_hi) {
		stack_lo = here & ~(os_page_size() - 1);
		stack_hi = stack_lo + os_page_size();
	}
	while (nr < max) {
		uintptr_t at = (uintptr_t)frame, next;

		if (!frame_readable(at))
			break;
		if ((uintptr_t)frame->ret < os_page_size())
			break;
		frames[nr++] = __builtin_extract_return_addr(frame->ret);
		next = (uintptr_t)frame->caller;
		if (next <= at || next - at > FRAME_MAX || next % sizeof(void *))
			break;
		frame = frame->caller;
	}
	return nr;
}
