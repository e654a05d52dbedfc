/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sockets that whoever started us has opened for us, sd_listen_fds(3).
 */

#include "main/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FIRST_FD = 3,		/* SD_LISTEN_FDS_START */
	FDS_MAX = 65535,	/* as many can be told apart in `listen` */
	NAME_MAX_BYTES = 255,
};

static const char unnamed[] = "unknown";

int
inherited_add(struct inherited *in, int fd, const char *name)
{
	struct inherited_fd *items = reallocarray(in->items,
	    (size_t)in->count + 1, sizeof(*items));

	if (items == NULL)
		return -1;
	in->items = items;
	items[in->count] = (struct inherited_fd){ fd, strdup(name) };
	if (items[in->count].name == NULL)
		return -1;
	in->count++;
	return 0;
}

/* Whether `listen` can have such a name. */
static bool
name_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return false;
	return len > 0 && len <= NAME_MAX_BYTES;
}

/* The next name of the list, which is NULL when there are no more. */
static void
name_next(const char **names, char name[NAME_MAX_BYTES + 1])
{
	size_t len;

	strlcpy(name, unnamed, NAME_MAX_BYTES + 1);
	if (*names == NULL)
		return;
	len = strcspn(*names, ":");
	if (name_valid(*names, len)) {
		memcpy(name, *names, len);
		name[len] = '\0';
	}
	*names = (*names)[len] == ':' ? *names + len + 1 : NULL;
}

static int
fds_take(struct inherited *in, int count, const char *names, int keep_fd)
{
	char name[NAME_MAX_BYTES + 1];

	for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
		name_next(&names, name);
		if (fd == keep_fd || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
			continue;
		if (inherited_add(in, fd, name) == -1)
			return -1;
	}
	return 0;
}

/* Leave the names where those who read a configuration look for them. */
static int
names_leave(const struct inherited *in)
{
	size_t size = 1;
	char *names;
	int rc;

	for (uint32_t i = 0; i < in->count; i++)
		size += strlen(in->items[i].name) + 1;
	names = calloc(1, size);
	if (names == NULL)
		return -1;
	for (uint32_t i = 0; i < in->count; i++) {
		strlcat(names, i > 0 ? ":" : "", size);
		strlcat(names, in->items[i].name, size);
	}
	rc = setenv("LISTEN_FDNAMES", names, 1);
	free(names);
	return rc;
}

/* The number that a variable is; 0 when it is none from 1 on. */
static int
variable_number(const char *name, int max)
{
	const char *text = getenv(name);
	const char *error;

	return text != NULL ? (int)strtonum(text, 1, max, &error) : 0;
}

int
inherited_take(struct inherited *in, int keep_fd)
{
	bool ours = variable_number("LISTEN_PID", INT_MAX) == getpid();
	int count = ours ? variable_number("LISTEN_FDS", FDS_MAX) : 0;

	*in = (struct inherited){ 0 };
	if (fds_take(in, count, getenv("LISTEN_FDNAMES"), keep_fd) == -1)
		return -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return in->count > 0 ? names_leave(in) : 0;
}

int
inherited_find(const struct inherited *in, const char *name, unsigned number)
{
	for (uint32_t i = 0; i < in->count; i++)
		if (strcmp(in->items[i].name, name) == 0 && number-- == 0)
			return in->items[i].fd;
	return -1;
}

void
inherited_fini(struct inherited *in)
{
	for (uint32_t i = 0; i < in->count; i++)
		free(in->items[i].name);
	free(in->items);
	*in = (struct inherited){ 0 };
}
