/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Move to the pid file of another configuration.
 */

#include "main/pidmove.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "main/pidfile.h"

/* The one of the configuration, unless -p has named another; NULL: none. */
static const char *
pid_path_of(const struct minetd *mi, const struct conf *conf)
{
	const char *path = mi->options->pid_file != NULL ?
	    mi->options->pid_file : conf_string(conf, conf->pid_file);

	return path[0] != '\0' ? path : NULL;
}

static bool
pid_path_changes(const struct minetd *mi, const struct conf *conf)
{
	const char *path = pid_path_of(mi, conf);

	if (mi->phase == RUN_STARTING || path == NULL || mi->pid_path == NULL)
		return mi->phase != RUN_STARTING && path != mi->pid_path;
	return strcmp(path, mi->pid_path) != 0;
}

int
pidmove_plan(const struct minetd *mi, struct reload_plan *plan)
{
	const struct conf *conf = plan->edition->conf;
	const char *path = pid_path_of(mi, conf);
	pid_t other;

	if (path == NULL || !pid_path_changes(mi, conf))
		return 0;
	plan->pid_fd = pidfile_lock(path, &other);
	if (plan->pid_fd != -1)
		return 0;
	log_message(LOG_LEVEL_ERROR, "failed", "%s: %s", path,
	    errno == EWOULDBLOCK ? "another instance has locked it" :
	    strerror(errno));
	return -1;
}

void
pidmove_commit(struct minetd *mi, struct reload_plan *plan)
{
	const struct conf *conf = mi->edition->conf;
	const char *path = pid_path_of(mi, conf);

	if (!pid_path_changes(mi, conf))
		return;
	if (mi->pid_fd != -1)
		pidfile_unlock(mi->pid_fd, mi->pid_path);
	free(mi->pid_path);
	mi->pid_path = path != NULL ? strdup(path) : NULL;
	mi->pid_fd = plan->pid_fd;
	plan->pid_fd = -1;
	if (mi->pid_fd != -1)
		pidfile_write_pid(mi->pid_fd);
}

void
pidmove_discard(const struct minetd *mi, struct reload_plan *plan)
{
	if (plan->pid_fd != -1)
		pidfile_unlock(plan->pid_fd,
		    pid_path_of(mi, plan->edition->conf));
	plan->pid_fd = -1;
}
