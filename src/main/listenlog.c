/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The lines of the log that are about a listening socket.
 */

#include "main/listenlog.h"

#include "base/log.h"

/* Which socket a line is about. */
static void
socket_fields(struct log_line *line, const struct edition *ed,
    uint32_t listener)
{
	char text[LISTENER_TEXT_SIZE];

	listener_format(ed->listeners[listener].listener, text);
	log_str(line, "service", edition_service_name(ed, listener));
	log_str(line, "addr", text);
}

static void
failure_fields(struct log_line *line, const struct listener *lst)
{
	log_str(line, "step", lst->step);
	log_errno(line, "error", lst->error);
}

void
listenlog_state(const struct edition *ed, uint32_t listener)
{
	const struct listener *lst = ed->listeners[listener].listener;
	bool open = lst->listening;
	struct log_line line;

	log_begin(&line, open ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	    open ? "listen" : "degraded");
	socket_fields(&line, ed, listener);
	if (!open)
		failure_fields(&line, lst);
	log_end(&line);
}

void
listenlog_option(const struct edition *ed, uint32_t listener)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "option");
	socket_fields(&line, ed, listener);
	failure_fields(&line, ed->listeners[listener].listener);
	log_end(&line);
}

void
listenlog_close(const struct edition *ed, uint32_t listener)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "close");
	socket_fields(&line, ed, listener);
	log_end(&line);
}
