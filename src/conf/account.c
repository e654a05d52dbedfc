/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Look up users and groups, each once.
 *
 * One tree remembers all answers, refusals too, by the kind of the question
 * and its text.
 */

#include "conf/account.h"

#include <sys/cdefs.h>
#include <sys/tree.h>

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/value.h"

enum question {
	QUESTION_USER,
	QUESTION_GROUP,
	QUESTION_GROUPS,
};

struct answer {
	RB_ENTRY(answer) entry;
	enum question question;
	const char *text;	/* owned */
	uint32_t gid;		/* of QUESTION_GROUPS; QUESTION_GROUP: found */
	bool found;
	struct account account;
	struct account_groups groups;
};

RB_HEAD(answer_tree, answer);

struct accounts {
	struct answer_tree tree;
};

static int
compare_answers(struct answer *a, struct answer *b)
{
	if (a->question != b->question)
		return a->question < b->question ? -1 : 1;
	if (a->question == QUESTION_GROUPS && a->gid != b->gid)
		return a->gid < b->gid ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(answer_tree, answer, entry, compare_answers,
    __attribute__((unused)) static)

/* The answer to the question, *known if it was asked before. */
static struct answer *
remember(struct accounts *accounts, const struct answer *wanted, bool *known)
{
	struct answer probe = *wanted;
	struct answer *answer = RB_FIND(answer_tree, &accounts->tree, &probe);

	*known = answer != NULL;
	if (answer != NULL)
		return answer;
	answer = heap_new(1, sizeof(*answer));
	*answer = *wanted;
	answer->text = heap_strndup(wanted->text, strlen(wanted->text));
	RB_INSERT(answer_tree, &accounts->tree, answer);
	return answer;
}

/* An id as a number; the highest one means "none" to the kernel. */
static bool
parse_id(const char *text, uint32_t *id)
{
	int64_t number;

	if (!value_number(text, strlen(text), &number) || number < 0 ||
	    number >= UINT32_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

static const char *
text_or(const char *text, const char *otherwise)
{
	if (text == NULL || text[0] == '\0')
		text = otherwise;
	return heap_strndup(text, strlen(text));
}

static void
look_up_user(struct answer *answer)
{
	uint32_t uid = 0;
	struct passwd *pw = getpwnam(answer->text);
	bool number = pw == NULL && parse_id(answer->text, &uid);

	if (number)
		pw = getpwuid(uid);
	answer->found = number || pw != NULL;
	answer->account = (struct account){
		.uid = pw != NULL ? pw->pw_uid : uid,
		.gid = pw != NULL ? pw->pw_gid : 0,
		.has_entry = pw != NULL,
		.name = text_or(pw != NULL ? pw->pw_name : NULL,
		    answer->text),
		.home = text_or(pw != NULL ? pw->pw_dir : NULL, "/"),
		.shell = text_or(pw != NULL ? pw->pw_shell : NULL, "/bin/sh"),
	};
}

static int
compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
look_up_groups(struct answer *answer)
{
	int count = 16;
	gid_t *gids = heap_new((size_t)count, sizeof(*gids));

	/* The list may grow between two calls. */
	while (getgrouplist(answer->text, answer->gid, gids, &count) == -1) {
		free(gids);
		gids = heap_new((size_t)count, sizeof(*gids));
	}
	qsort(gids, (size_t)count, sizeof(*gids), compare_ids);
	answer->groups = (struct account_groups){ gids, (size_t)count };
}

struct accounts *
accounts_new(void)
{
	struct accounts *accounts = heap_new(1, sizeof(*accounts));

	RB_INIT(&accounts->tree);
	return accounts;
}

const struct account *
account_find(struct accounts *accounts, const char *text)
{
	struct answer wanted = { .question = QUESTION_USER, .text = text };
	bool known;
	struct answer *answer = remember(accounts, &wanted, &known);

	if (!known)
		look_up_user(answer);
	return answer->found ? &answer->account : NULL;
}

bool
account_find_group(struct accounts *accounts, const char *text, uint32_t *gid)
{
	struct answer wanted = { .question = QUESTION_GROUP, .text = text };
	bool known;
	struct answer *answer = remember(accounts, &wanted, &known);

	if (!known) {
		struct group *gr = getgrnam(text);

		answer->found = gr != NULL || parse_id(text, &answer->gid);
		if (gr != NULL)
			answer->gid = gr->gr_gid;
	}
	if (answer->found)
		*gid = answer->gid;
	return answer->found;
}

struct account_groups
account_groups(struct accounts *accounts, const struct account *account,
    uint32_t gid)
{
	struct answer wanted = {
		.question = QUESTION_GROUPS,
		.text = account->name,
		.gid = gid,
	};
	bool known;

	if (!account->has_entry)
		return (struct account_groups){ NULL, 0 };
	struct answer *answer = remember(accounts, &wanted, &known);
	if (!known)
		look_up_groups(answer);
	return answer->groups;
}

bool
account_unused(uint32_t id)
{
	return getpwuid(id) == NULL && getgrgid(id) == NULL;
}
