/* SPDX-License-Identifier: MIT */
#ifndef SW_OOM_H
#define SW_OOM_H

/**
 * DOC: <slabwork/oom.h> - a last word before an allocation fails
 *
 * When reclaim has freed nothing and an allocation is about to fail, notifiers
 * are called, highest priority first. Each may free memory and add what it
 * freed to the sum it is handed. If that stays 0 the library writes the
 * kernel's out-of-memory report to fd 2 (at most once in 10 seconds) and the
 * allocation returns NULL. Nobody is ever killed.
 *
 * Room: mm (oom.c).
 */

#include <slabwork/types.h>

SW_BEGIN_DECLS

#ifndef NOTIFY_OK
#define NOTIFY_DONE      0x0000 /* not interested */
#define NOTIFY_OK        0x0001 /* suits me */
#define NOTIFY_STOP_MASK 0x8000 /* call nobody after me */

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);
	struct notifier_block *next; /* the library's */
	int priority;                /* higher is called first */
};
#endif

/**
 * register_oom_notifier() - be called when memory runs out
 * @nb: stays in place until unregistered. Its notifier_call gets action 0 and
 *      an unsigned long * to which it adds the pages it freed; it must not
 *      register or unregister notifiers, and what it allocates never reclaims.
 *
 * Context: May sleep.
 * Return: 0, or -EEXIST if @nb is registered already.
 * Source: Linux 5.4, include/linux/oom.h
 */
SW_API int register_oom_notifier(struct notifier_block *nb) SW_NAME(register_oom_notifier);

/**
 * unregister_oom_notifier() - undo register_oom_notifier()
 * @nb: registered
 *
 * Context: May sleep.
 * Return: 0, or -ENOENT.
 */
SW_API int unregister_oom_notifier(struct notifier_block *nb) SW_NAME(unregister_oom_notifier);

SW_END_DECLS

#endif /* SW_OOM_H */
