/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Look up the host names among the targets of a service again.
 *
 * The child writes a record for each target.  Names are where they were: what
 * had n addresses when the configuration was read has n targets, which get the
 * first n of now.
 */

#include "conf/lookup.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/host.h"
#include "conf/url.h"

struct record {
	struct addr addr;
	uint32_t found;		/* 1: the address is of now */
};

struct lookup {
	const struct conf *conf;
	const struct conf_service *svc;
	pid_t pid;
	int fd;			/* of the records */
};

/* The name in a target, if it is one. */
static bool
target_name(const struct conf *conf, const struct conf_target *target,
    struct url *url)
{
	const char *text = conf_string(conf, target->text);

	return target->transport == CONF_TCP &&
	    url_parse_target(url, text, strlen(text)) == NULL &&
	    url->host == URL_HOST_NAME;
}

bool
lookup_is_name(const struct conf *conf, const struct conf_target *target)
{
	struct url url;

	return target_name(conf, target, &url);
}

bool
lookup_has_names(const struct conf *conf, const struct conf_service *svc)
{
	const struct conf_target *targets = conf_targets(conf, svc);

	for (uint32_t i = 0; i < svc->targets.count; i++)
		if (lookup_is_name(conf, &targets[i]))
			return true;
	return false;
}

/* In the child: how many targets, from this one on, are of the same value. */
static uint32_t
same_count(const struct conf_target *targets, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && targets[n].text.offset == targets[0].text.offset)
		n++;
	return n;
}

/* In the child: the records of one name, for n targets; false to end. */
static bool
name_write(const struct lookup *lookup, const struct conf_target *targets,
    uint32_t n)
{
	struct addr addrs[HOST_ADDRS_MAX];
	uint32_t found = 0;
	struct url url;
	char *name;
	int error = EAI_NONAME;

	if (target_name(lookup->conf, targets, &url)) {
		name = strndup(url.name, url.name_len);
		if (name == NULL)
			return false;
		found = host_query(name, url.family, addrs, &error);
		free(name);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct record record;

		memset(&record, 0, sizeof(record));
		record.found = error == 0 && found > 0;
		if (record.found && i < found)
			record.addr = addrs[i];
		if (write(STDIN_FILENO, &record, sizeof(record)) !=
		    (ssize_t)sizeof(record))
			return false;
	}
	return true;
}

static _Noreturn void
run_child(const struct lookup *lookup)
{
	const struct conf_target *targets = conf_targets(lookup->conf,
	    lookup->svc);
	uint32_t count = lookup->svc->targets.count;
	uint32_t n;

	/* What main has open is not for this user to see. */
	if (dup2(lookup->fd, STDIN_FILENO) == -1)
		_exit(EXIT_FAILURE);
	closefrom(STDERR_FILENO + 1);
	host_drop_root(lookup->conf->frontend_uid, lookup->conf->frontend_gid);
	for (uint32_t i = 0; i < count; i += n) {
		n = same_count(targets + i, count - i);
		if (!name_write(lookup, targets + i, n))
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

struct lookup *
lookup_start(const struct conf *conf, const struct conf_service *svc)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int saved;

	if (lookup == NULL)
		return NULL;
	lookup->conf = conf;
	lookup->svc = svc;
	lookup->fd = memfd_create("minetd-lookup", MFD_CLOEXEC);
	if (lookup->fd == -1)
		goto fail;
	lookup->pid = fork();
	if (lookup->pid == 0)
		run_child(lookup);
	if (lookup->pid != -1)
		return lookup;

fail:
	saved = errno;
	if (lookup->fd != -1)
		close(lookup->fd);
	free(lookup);
	errno = saved;
	return NULL;
}

pid_t
lookup_pid(const struct lookup *lookup)
{
	return lookup->pid;
}

void
lookup_expire(const struct lookup *lookup)
{
	kill(lookup->pid, SIGKILL);
}

static bool
address_valid(const struct addr *addr)
{
	return addr->family == ADDR_NONE || addr->family == ADDR_IP4 ||
	    addr->family == ADDR_IP6;
}

void
lookup_finish(struct lookup *lookup, lookup_fn *fn, void *arg)
{
	const struct conf_target *targets = conf_targets(lookup->conf,
	    lookup->svc);
	struct record record;

	for (uint32_t i = 0; i < lookup->svc->targets.count; i++) {
		if (pread(lookup->fd, &record, sizeof(record),
		    (off_t)(i * sizeof(record))) != (ssize_t)sizeof(record))
			break;
		if (record.found == 0 || targets[i].transport != CONF_TCP ||
		    !address_valid(&record.addr))
			continue;
		record.addr.port = targets[i].addr.port;
		fn(arg, i, &record.addr);
	}
	close(lookup->fd);
	free(lookup);
}

void
lookup_cancel(struct lookup *lookup)
{
	kill(lookup->pid, SIGKILL);
	while (waitpid(lookup->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	close(lookup->fd);
	free(lookup);
}
