/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Conversations that a frontend carries itself.
 */

#include "main/carried.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/done.h"
#include "main/connlog.h"
#include "main/serve.h"
#include "main/tell.h"

/*
 * The name of the service that the message is about, and its listener; one that
 * was started by an image before is known by its listeners no more.
 */
static int
service_name(const struct front *front, const struct channel_msg *msg,
    const char **name, const struct listener **lst)
{
	const struct edition *ed = front->edition;

	*name = "-";
	*lst = NULL;
	if (ed == NULL)
		return 0;
	if (msg->done.service >= ed->service_count ||
	    ed->services[msg->done.service].service == NULL ||
	    msg->listener >= ed->listener_count)
		return -1;
	*name = ed->services[msg->done.service].service->name;
	*lst = ed->listeners[msg->listener].listener;
	return 0;
}

const struct conf_target *
carried_target(const struct front *front, uint32_t service, uint32_t target,
    const struct conf **conf)
{
	const struct edition *ed = front->edition;
	const struct edition_service *entry;

	if (ed == NULL || service >= ed->service_count)
		return NULL;
	entry = &ed->services[service];
	if (entry->service == NULL || entry->conf == NULL ||
	    target >= entry->conf->targets.count)
		return NULL;
	*conf = entry->home != NULL ? entry->home->conf : ed->conf;
	return &conf_targets(*conf, entry->conf)[target];
}

/* The target as it is configured; NULL when there was none, or is no more. */
static int
target_text(const struct front *front, const struct channel_done *done,
    const char **text)
{
	const struct conf *conf;
	const struct conf_target *target;

	*text = NULL;
	if (done->target == UINT32_MAX || front->edition == NULL)
		return 0;
	target = carried_target(front, done->service, done->target, &conf);
	if (target == NULL)
		return -1;
	*text = conf_string(conf, target->text);
	return 0;
}

/* What both lines begin with.  The number is unique without being kept. */
static void
common_log(struct log_line *line, const struct front *front,
    const struct channel_done *done, const char *name,
    const struct listener *lst)
{
	log_str(line, "service", name);
	log_uint(line, "id", ((uint64_t)front->pid << 32) | done->tag);
	connlog_peer(line, &done->peer, &done->via);
	connlog_local(line, &done->local, lst);
}

int
carried_began(const struct front *front, const struct channel_msg *msg)
{
	const struct listener *lst;
	struct log_line line;
	const char *name;

	if (service_name(front, msg, &name, &lst) == -1)
		return -1;
	log_begin(&line, LOG_LEVEL_INFO, "start");
	common_log(&line, front, &msg->done, name, lst);
	log_end(&line);
	return 0;
}

int
carried_done(const struct front *front, const struct channel_msg *msg)
{
	const struct channel_done *done = &msg->done;
	const char *reason = done_name(done->reason);
	const char *target;
	const struct listener *lst;
	struct log_line line;
	const char *name;

	if (reason == NULL || service_name(front, msg, &name, &lst) == -1 ||
	    target_text(front, done, &target) == -1)
		return -1;
	log_begin(&line, LOG_LEVEL_INFO, "exit");
	common_log(&line, front, done, name, lst);
	log_str(&line, "end", reason);
	log_secs(&line, "secs", (double)done->msec / 1000);
	log_uint(&line, "bytes_in", done->bytes_in);
	log_uint(&line, "bytes_out", done->bytes_out);
	if (target != NULL)
		log_str(&line, "target", target);
	log_end(&line);
	return 0;
}

/* The service has so many of them with this front, and had others before. */
static void
count_change(struct minetd *mi, struct front *front, uint32_t index,
    uint32_t count)
{
	struct service *svc = front->edition->services[index].service;

	svc->active += count - front->carried[index];
	front->carried[index] = count;
	tell_count(mi, svc);
}

int
carried_count(struct minetd *mi, struct front *front,
    const struct channel_msg *msg)
{
	const struct edition *ed = front->edition;

	/* One of an image before: nothing of it is counted any more. */
	if (ed == NULL)
		return 0;
	if (front->state != FRONT_STOPPING && front->state != FRONT_DRAINING)
		return -1;
	if (front->carried == NULL)
		front->carried = calloc(ed->service_count + 1,
		    sizeof(*front->carried));
	if (front->carried == NULL)
		return 0;
	for (int i = 0; i < CHANNEL_COUNTS; i++) {
		const struct channel_count *entry = &msg->counts[i];

		if (entry->service == UINT32_MAX)
			break;
		if (entry->service >= ed->service_count ||
		    ed->services[entry->service].service == NULL ||
		    entry->count > INT32_MAX)
			return -1;
		count_change(mi, front, entry->service, entry->count);
	}
	return 0;
}

void
carried_forget(struct minetd *mi, struct front *front)
{
	for (uint32_t i = 0; front->carried != NULL &&
	    i < front->edition->service_count; i++)
		if (front->carried[i] != 0)
			count_change(mi, front, i, 0);
	free(front->carried);
	front->carried = NULL;
}

/*
 * A socket that is connected to the path, or to the abstract name; -1 with
 * errno.  A full queue is as good as nobody.
 */
static int
path_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int saved, fd;

	if (len >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	else
		len++;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
carried_connect(struct front *front, const struct channel_msg *msg)
{
	const struct channel_connect *wanted = &msg->connect;
	const struct conf *conf;
	const struct conf_target *target;
	int fd;

	if (front->state != FRONT_SERVING && front->state != FRONT_STOPPING &&
	    front->state != FRONT_DRAINING)
		return -1;
	/* What the image before knew of targets is not known any more. */
	if (front->edition == NULL) {
		return answers_add(&front->answers, wanted->tag, -1, ENOENT);
	}
	target = carried_target(front, wanted->service, wanted->target, &conf);
	if (target == NULL || target->transport != CONF_UNIX)
		return -1;
	fd = path_connect(conf_string(conf, target->path));
	return answers_add(&front->answers, wanted->tag, fd,
	    fd == -1 ? errno : 0);
}
