/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From a service's configuration to a plan that a child can follow without
 * deciding anything.
 *
 * A plan is one allocation: the struct, the arrays, the texts that do not
 * stand in the configuration as they are.
 */

#include "main/handler.h"

#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STANDARD_VARS = 7,	/* see parts_collect() */
	NULL_FD = 0,		/* main's own standard input */
};

static const char standard_path[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* What is measured first and then filled. */
struct plan_parts {
	const struct conf *conf;
	const struct conf_service *svc;
	const struct conf_identity *identity;
	const struct starter *starter;
	const char *names[STANDARD_VARS]; /* NULL at the end */
	const char *values[STANDARD_VARS];
};

static const char *
starter_variable(const struct starter *starter, const char *name)
{
	size_t len = strlen(name);

	for (char *const *var = starter->environment; *var != NULL; var++)
		if (strncmp(*var, name, len) == 0 && (*var)[len] == '=')
			return *var;
	return NULL;
}

static bool
list_defines(const struct plan_parts *parts, const char *name)
{
	const struct conf_list list = parts->identity->env;
	size_t len = strlen(name);

	for (uint32_t i = 0; i < list.count; i++) {
		const char *var = conf_string(parts->conf,
		    conf_strings(parts->conf, list)[i]);

		if (strncmp(var, name, len) == 0 && var[len] == '=')
			return true;
	}
	return false;
}

static struct plan_parts
parts_collect(const struct conf *conf, const struct conf_service *svc,
    const struct starter *starter)
{
	const struct conf_identity *identity = conf_identity(conf, svc);
	const char *user = conf_string(conf, identity->user);

	return (struct plan_parts){
		.conf = conf,
		.svc = svc,
		.identity = identity,
		.starter = starter,
		.names = { "PATH", "USER", "LOGNAME", "HOME", "SHELL",
		    "MINETD_SERVICE", svc->pty ? "TERM" : NULL },
		.values = { standard_path, user, user,
		    conf_string(conf, identity->home),
		    conf_string(conf, identity->shell),
		    conf_string(conf, svc->name), "dumb" },
	};
}

/* Bytes of the variables that do not stand in the configuration as they are. */
static size_t
text_size(const struct plan_parts *parts)
{
	size_t size = 0;

	for (int i = 0; i < STANDARD_VARS && parts->names[i] != NULL; i++)
		size += strlen(parts->names[i]) + 1 +
		    strlen(parts->values[i]) + 1;
	return size;
}

static size_t
argv_fill(const struct plan_parts *parts, const char **argv)
{
	const struct conf_str *words = conf_strings(parts->conf,
	    parts->svc->exec);

	argv[0] = conf_string(parts->conf, parts->svc->argv0);
	for (uint32_t i = 1; i < parts->svc->exec.count; i++)
		argv[i] = conf_string(parts->conf, words[i]);
	argv[parts->svc->exec.count] = NULL;
	return parts->svc->exec.count + 1;
}

/* `env` wins over what is passed, and that over the standard variables. */
static size_t
env_fill(const struct plan_parts *parts, const char **env, char *text)
{
	const struct conf *conf = parts->conf;
	const struct conf_list set = parts->identity->env;
	const struct conf_list pass = parts->identity->pass_env;
	size_t n = 0;

	for (uint32_t i = 0; i < set.count; i++)
		env[n++] = conf_string(conf, conf_strings(conf, set)[i]);
	for (uint32_t i = 0; i < pass.count; i++) {
		const char *name = conf_string(conf,
		    conf_strings(conf, pass)[i]);
		const char *var = starter_variable(parts->starter, name);

		if (var != NULL && !list_defines(parts, name))
			env[n++] = var;
	}
	size_t defined = n;
	for (int i = 0; i < STANDARD_VARS && parts->names[i] != NULL; i++) {
		size_t len = strlen(parts->names[i]);
		size_t j = 0;

		while (j < defined && (strncmp(env[j], parts->names[i], len) !=
		    0 || env[j][len] != '='))
			j++;
		if (j < defined)
			continue;
		env[n++] = text;
		text = stpcpy(stpcpy(stpcpy(text, parts->names[i]), "="),
		    parts->values[i]) + 1;
	}
	return n;
}

/* The configured ones, and the starter's number of descriptors. */
static size_t
limits_fill(const struct plan_parts *parts, struct conf_limit *limits)
{
	const struct conf_list list = parts->identity->limits;
	const struct starter *starter = parts->starter;
	bool nofile = false;

	for (uint32_t i = 0; i < list.count; i++) {
		limits[i] = conf_limits(parts->conf, parts->identity)[i];
		nofile = nofile || limits[i].resource == RLIMIT_NOFILE;
	}
	if (nofile || !starter->nofile_raised)
		return list.count;
	limits[list.count] = (struct conf_limit){
		.resource = RLIMIT_NOFILE,
		.soft = starter->nofile.rlim_cur,
		.hard = starter->nofile.rlim_max,
	};
	return list.count + 1;
}

/*
 * Without a configured priority that of the starter is kept, except that no
 * handler is boosted with the daemon.  A score that main may not lower is left
 * alone, rather than that no handler starts.
 */
static void
priorities_fill(const struct plan_parts *parts, struct child_plan *child)
{
	const struct conf_identity *identity = parts->identity;
	const struct starter *starter = parts->starter;
	int score = identity->oom_score_adj;

	child->nice = identity->nice;
	child->set_nice = identity->nice_set ?
	    identity->nice != starter->nice : starter->nice < 0;
	child->set_timer_slack = starter->real_time;
	child->oom_score_adj = score;
	child->set_oom_score_adj = score != starter->oom_score_adj &&
	    (score != 0 || starter->oom_score_adj < 0 ||
	    starter->may_lower_oom);
}

static void
child_fill(const struct plan_parts *parts, struct child_plan *child)
{
	const struct conf *conf = parts->conf;
	const struct conf_identity *identity = parts->identity;
	const struct starter *starter = parts->starter;
	const char *root = conf_string(conf, identity->chroot);
	const char *directory = conf_string(conf, identity->directory);

	child->path = conf_string(conf,
	    conf_strings(conf, parts->svc->exec)[0]);
	child->chroot = root[0] != '\0' ? root : NULL;
	child->directory = strcmp(directory, "/") != 0 ? directory : NULL;
	child->stderr_fd = identity->stderr_mode == CONF_STDERR_NULL ?
	    NULL_FD : -1;
	child->stderr_path = identity->stderr_mode == CONF_STDERR_FILE ?
	    conf_string(conf, identity->stderr_path) : NULL;
	child->umask = identity->umask;
	child->set_umask = identity->umask != 022;
	child->cred = (struct cred){
		.change = starter->may_change_user ||
		    identity->uid != starter->uid ||
		    identity->gid != starter->gid,
		.uid = identity->uid,
		.gid = identity->gid,
		.groups = conf_groups(conf, identity),
		.group_count = identity->groups.count,
	};
	priorities_fill(parts, child);
}

static struct handler_plan *
plan_new(const struct plan_parts *parts)
{
	size_t pointers = parts->svc->exec.count + 1 +
	    parts->identity->env.count + parts->identity->pass_env.count +
	    STANDARD_VARS;
	size_t limits = parts->identity->limits.count + 1;
	struct handler_plan *plan = calloc(1, sizeof(*plan) +
	    limits * sizeof(struct conf_limit) +
	    pointers * sizeof(char *) + text_size(parts));

	if (plan == NULL)
		return NULL;

	struct conf_limit *limit = (struct conf_limit *)(plan + 1);
	const char **argv = (const char **)(limit + limits);
	const char **env = argv + argv_fill(parts, argv);
	struct spawn_plan *spawn = &plan->spawn;

	spawn->env_count = env_fill(parts, env, (char *)(argv + pointers));
	spawn->env = env;
	spawn->child.argv = argv;
	spawn->child.limit_count = limits_fill(parts, limit);
	spawn->child.limits = limit;
	child_fill(parts, &spawn->child);
	/* A score is a property of the memory, which main would share. */
	spawn->fork = spawn->child.set_oom_score_adj;
	spawn->log_stderr = parts->identity->stderr_mode == CONF_STDERR_LOG;
	return plan;
}

struct handler_plan *
handler_plan_new(const struct edition_service *entry, struct edition *edition,
    const struct starter *starter)
{
	struct edition *home = entry->home != NULL ? entry->home : edition;
	const struct plan_parts parts = parts_collect(home->conf, entry->conf,
	    starter);
	struct handler_plan *plan = plan_new(&parts);

	if (plan != NULL)
		plan->edition = edition_ref_conf(home);
	return plan;
}

void
handler_plan_retire(struct handler_plan *plan,
    struct handler_plan_list *retired)
{
	if (plan != NULL)
		SLIST_INSERT_HEAD(retired, plan, entry);
}

void
handler_plans_free(struct handler_plan_list *retired)
{
	struct handler_plan *plan = SLIST_FIRST(retired);

	while (plan != NULL) {
		struct handler_plan *next = SLIST_NEXT(plan, entry);

		if (plan->spawn.users == 0) {
			SLIST_REMOVE(retired, plan, handler_plan, entry);
			edition_unref_conf(plan->edition);
			free(plan);
		}
		plan = next;
	}
}
