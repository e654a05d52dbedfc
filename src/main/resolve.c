/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What is done when no target of a redirect answers.
 */

#include "main/resolve.h"

#include "main/carried.h"

static void
unreachable_log(struct service *svc, const char *target, int error,
    struct monotime now)
{
	struct log_line line;
	unsigned long left_out;

	if (!log_limit_pass(&svc->unreachable_limit, now, &left_out))
		return;
	log_begin(&line, LOG_LEVEL_WARNING, "unreachable");
	log_str(&line, "service", svc->name);
	log_str(&line, "target", target);
	log_errno(&line, "error", error);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}

int
resolve_obey(struct minetd *mi, const struct front *front,
    const struct channel_msg *msg, struct monotime now)
{
	const struct channel_connect *last = &msg->connect;
	const struct conf_target *target;
	const struct conf *conf;

	(void)mi;
	/* It was started by the image before an upgrade. */
	if (front->edition == NULL)
		return 0;
	target = carried_target(front, last->service, last->target, &conf);
	if (target == NULL)
		return -1;
	unreachable_log(front->edition->services[last->service].service,
	    conf_string(conf, target->text), last->error, now);
	return 0;
}
