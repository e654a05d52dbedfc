/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Decide who handlers and the frontend are.
 */

#include "conf/identity.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/heap.h"

enum {
	/* Numbers that distributions leave alone; the highest comes first. */
	FREE_ID_MIN = 61184,
	FREE_ID_MAX = 65519,
};

static const char default_user[] = "nobody";

static const char *
string_of(const struct merge *merge, struct conf_str str)
{
	return conf_string(block_conf(merge->block), str);
}

/* The account of the starter, in his own name or number. */
static const struct account *
own_account(const struct merge *merge)
{
	char *number = heap_format("%u", geteuid());
	const struct account *account =
	    account_find(merge->accounts, number);

	free(number);
	return account;
}

/* The account of `user`, or NULL after a complaint. */
static const struct account *
find_user(const struct merge *merge, const struct merged *merged)
{
	const char *text = string_of(merge, merged->values.identity.user);

	if (text[0] == '\0' && !merge->root)
		return own_account(merge);
	if (text[0] == '\0')
		text = default_user;
	const struct account *account = account_find(merge->accounts, text);
	if (account == NULL)
		merge_complain(merge, merged, KEY_USER,
		    "there is no user \"%s\"", text);
	else if (!merge->root && account->uid != geteuid()) {
		merge_complain(merge, merged, KEY_USER,
		    "minetd must be started as root to run as \"%s\"", text);
		return NULL;
	}
	return account;
}

/* The number of a configured group; false after a complaint. */
static bool
find_group(const struct merge *merge, const struct merged *merged,
    enum key_id id, const char *text, uint32_t *gid)
{
	if (account_find_group(merge->accounts, text, gid))
		return true;
	merge_complain(merge, merged, id, "there is no group \"%s\"", text);
	return false;
}

static void
resolve_group(const struct merge *merge, struct merged *merged,
    const struct account *account)
{
	struct conf_identity *identity = &merged->values.identity;
	const char *text = string_of(merge, identity->group);

	identity->gid = merge->root ? account->gid : getegid();
	if (text[0] != '\0') {
		if (find_group(merge, merged, KEY_GROUP, text,
		    &identity->gid) && !merge->root &&
		    identity->gid != getegid())
			merge_complain(merge, merged, KEY_GROUP,
			    "minetd must be started as root to run in \"%s\"",
			    text);
	} else if (merge->root && !account->has_entry) {
		merge_complain(merge, merged, KEY_GROUP,
		    "must be set, because user %u has no account",
		    account->uid);
	}
}

static struct conf_list
configured_groups(const struct merge *merge, const struct merged *merged)
{
	struct conf_list names = merged->values.identity.group_names;
	uint32_t *gids = heap_new(names.count, sizeof(*gids));
	size_t count = 0;

	for (uint32_t i = 0; i < names.count; i++) {
		const struct conf *conf = block_conf(merge->block);
		const char *text =
		    conf_string(conf, conf_strings(conf, names)[i]);

		if (text[0] != '\0' &&
		    find_group(merge, merged, KEY_GROUPS, text, &gids[count]))
			count++;
	}
	struct conf_list list =
	    block_add_list(merge->block, gids, count, sizeof(*gids));
	free(gids);
	return list;
}

static struct conf_list
own_groups(const struct merge *merge)
{
	int count = getgroups(0, NULL);
	gid_t *gids = heap_new(count > 0 ? (size_t)count : 0, sizeof(*gids));

	count = count > 0 ? getgroups(count, gids) : 0;
	struct conf_list list = block_add_list(merge->block, gids,
	    count > 0 ? (size_t)count : 0, sizeof(*gids));
	free(gids);
	return list;
}

static struct conf_list
resolve_groups(const struct merge *merge, const struct merged *merged,
    const struct account *account)
{
	if (!merge->root && merged->values.identity.groups_set)
		merge_complain(merge, merged, KEY_GROUPS,
		    "minetd must be started as root to change groups");
	if (!merge->root)
		return own_groups(merge);
	if (merged->values.identity.groups_set)
		return configured_groups(merge, merged);
	struct account_groups groups = account_groups(merge->accounts,
	    account, merged->values.identity.gid);
	return block_add_list(merge->block, groups.gids, groups.count,
	    sizeof(*groups.gids));
}

/* Whether a file can be given to this group without root. */
static bool
in_own_groups(uint32_t gid)
{
	return gid == getegid() || group_member(gid);
}

static void
resolve_socket(const struct merge *merge, struct merged *merged)
{
	struct conf_socket *socket = &merged->values.socket;
	const char *user = string_of(merge, socket->user);
	const char *group = string_of(merge, socket->group);

	if (user[0] != '\0') {
		const struct account *account =
		    account_find(merge->accounts, user);

		if (account == NULL)
			merge_complain(merge, merged, KEY_SOCKET_USER,
			    "there is no user \"%s\"", user);
		else if (!merge->root && account->uid != geteuid())
			merge_complain(merge, merged, KEY_SOCKET_USER,
			    "minetd must be started as root to give sockets "
			    "to \"%s\"", user);
		else
			socket->uid = account->uid;
	}
	if (group[0] != '\0' && find_group(merge, merged, KEY_SOCKET_GROUP,
	    group, &socket->gid) && !merge->root &&
	    !in_own_groups(socket->gid))
		merge_complain(merge, merged, KEY_SOCKET_GROUP,
		    "minetd must be started as root to give sockets to \"%s\"",
		    group);
}

/* The highest number that is no account, no group, and no service's user. */
static bool
find_free_id(const uint32_t *uids, size_t count, uint32_t *id)
{
	for (uint32_t number = FREE_ID_MAX; number >= FREE_ID_MIN; number--) {
		bool used = false;

		for (size_t i = 0; i < count && !used; i++)
			used = uids[i] == number;
		if (used || !account_unused(number))
			continue;
		*id = number;
		return true;
	}
	return false;
}

void
identity_resolve(struct merge *merge, struct merged *merged)
{
	struct conf_identity *identity = &merged->values.identity;
	const struct account *account = find_user(merge, merged);

	resolve_socket(merge, merged);
	if (account == NULL)
		return;
	identity->uid = account->uid;
	identity->user = block_add_string(merge->block, account->name);
	identity->home = block_add_string(merge->block, account->home);
	identity->shell = block_add_string(merge->block, account->shell);
	resolve_group(merge, merged, account);
	identity->groups = resolve_groups(merge, merged, account);
}

void
identity_keep(struct merge *merge, struct merged *merged)
{
	struct conf_identity *identity = &merged->values.identity;

	if (identity->user.offset != 0)
		return;
	identity->user = block_add_string(merge->block,
	    merge->root ? default_user : own_account(merge)->name);
}

/* The account that need not exist, whether its name was configured or not. */
static bool
is_default_frontend(const char *text)
{
	return strcmp(text, "minetd") == 0;
}

/* The frontend's number and group in a daemon of root's. */
static void
resolve_root_frontend(struct merge *merge, struct conf *head,
    struct place place, const uint32_t *uids, size_t count)
{
	const char *name = keys[KEY_FRONTEND_USER].name;
	const char *text = string_of(merge, head->frontend_user);
	const struct account *account = account_find(merge->accounts, text);

	if (account == NULL && is_default_frontend(text)) {
		if (!find_free_id(uids, count, &head->frontend_uid))
			complain(merge->complaints, place, name,
			    "there is no user \"%s\" and no free number",
			    text);
		head->frontend_gid = head->frontend_uid;
		return;
	}
	if (account == NULL) {
		complain(merge->complaints, place, name,
		    "there is no user \"%s\"", text);
		return;
	}
	head->frontend_uid = account->uid;
	head->frontend_gid = account->has_entry ? account->gid : account->uid;
	if (account->uid == 0 || head->frontend_gid == 0)
		complain(merge->complaints, place, name,
		    "must be neither root nor in its group");
	for (size_t i = 0; i < count; i++) {
		if (account->uid == 0 || uids[i] != account->uid)
			continue;
		complain(merge->complaints, place, name,
		    "\"%s\" is also the user of a service", text);
		return;
	}
}

void
identity_resolve_frontend(struct merge *merge, struct conf *head,
    struct place place, const uint32_t *uids, size_t count)
{
	if (merge->root) {
		resolve_root_frontend(merge, head, place, uids, count);
		return;
	}
	head->frontend_uid = geteuid();
	head->frontend_gid = getegid();

	const char *text = string_of(merge, head->frontend_user);
	if (is_default_frontend(text))
		return;
	const struct account *account = account_find(merge->accounts, text);
	if (account == NULL)
		complain(merge->complaints, place,
		    keys[KEY_FRONTEND_USER].name, "there is no user \"%s\"",
		    text);
}
