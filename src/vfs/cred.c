/* SPDX-License-Identifier: MIT */
/*
 * cred.c - on whose behalf
 *
 * Room: vfs. A thread acts as its task's credentials, unless override_creds() says otherwise for a while (the
 * FUSE server: one call, one user). Root is uid 0 or cap_override: there are no single capabilities.
 */

#include <sys/fsuid.h>
#include <unistd.h>

#include "vfs/vfs_internal.h"

__thread const struct cred *cred_overridden __attribute__((tls_model("initial-exec")));

const struct cred *current_cred(void)
{
	return cred_now();
}

const struct cred *override_creds(const struct cred *cred)
{
	const struct cred *old = cred_overridden;

	cred_overridden = cred;
	return old;
}

void revert_creds(const struct cred *old)
{
	cred_overridden = old;
}

/* What the process is: groups past SW_NGROUPS are not known here. */
void cred_of_process(struct cred *cred)
{
	gid_t groups[SW_NGROUPS * 8];
	int n = getgroups(SW_NGROUPS * 8, groups);

	cred->fsuid = geteuid();
	cred->fsgid = getegid();
	cred->cap_override = cred->fsuid == 0;
	cred->ngroups = n < 0 ? 0 : n > SW_NGROUPS ? SW_NGROUPS : (unsigned int)n;
	memcpy(cred->groups, groups, cred->ngroups * sizeof(gid_t));
}

/* The caller's other threads make no call meanwhile, or theirs may see half of the change. */
int sw_fs_setcred(uid_t uid, gid_t gid, unsigned int ngroups, const gid_t *groups)
{
	struct cred *cred;
	int err = fs_init();

	if (err)
		return err;
	if (ngroups > SW_NGROUPS || (ngroups && !groups))
		return -EINVAL;
	cred = &current_task()->cred;
	cred->fsuid = uid;
	cred->fsgid = gid;
	cred->cap_override = uid == 0;
	cred->ngroups = ngroups;
	if (ngroups)
		memcpy(cred->groups, groups, ngroups * sizeof(gid_t));
	return 0;
}

bool in_group(const struct cred *cred, gid_t gid)
{
	if (cred->fsgid == gid)
		return true;
	for (unsigned int i = 0; i < cred->ngroups; i++)
		if (cred->groups[i] == gid)
			return true;
	return false;
}

bool cred_capable(const struct cred *cred)
{
	return cred->cap_override || cred->fsuid == 0;
}

bool inode_owner_or_capable(const struct inode *inode)
{
	const struct cred *cred = current_cred();

	return cred->fsuid == READ_ONCE(inode->i_uid) || cred_capable(cred);
}
