/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The lines of the log that are about a listening socket.
 */

#include "main/listenlog.h"

#include <string.h>

#include "base/log.h"

void
listenlog_fields(struct log_line *line, const struct edition *ed,
    uint32_t listener)
{
	char text[LISTENER_TEXT_SIZE];

	listener_format(ed->listeners[listener].listener, text);
	log_str(line, "service", edition_service_name(ed, listener));
	log_str(line, "addr", text);
}

/* What an inherited socket really is. */
static void
local_field(struct log_line *line, const struct listener *lst)
{
	struct listener shown = *lst;
	char text[LISTENER_TEXT_SIZE];

	if (lst->id.transport != CONF_FD)
		return;
	shown.id = (struct listener_id){
		.transport = lst->transport, .v6 = lst->bound_v6,
		.path = lst->bound_path != NULL ? lst->bound_path : "",
	};
	listener_format(&shown, text);
	log_str(line, "local", text);
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
	listenlog_fields(&line, ed, listener);
	if (open)
		local_field(&line, lst);
	else
		failure_fields(&line, lst);
	log_end(&line);
}

void
listenlog_option(const struct edition *ed, uint32_t listener)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "option");
	listenlog_fields(&line, ed, listener);
	failure_fields(&line, ed->listeners[listener].listener);
	log_end(&line);
}

void
listenlog_close(const struct edition *ed, uint32_t listener)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "close");
	listenlog_fields(&line, ed, listener);
	log_end(&line);
}

/* Whether the configuration has the name, and so all of that name. */
static bool
name_claimed(const struct edition *ed, const char *name)
{
	for (uint32_t i = 0; i < edition_configured(ed); i++) {
		const struct listener *lst = ed->listeners[i].listener;

		if (lst->id.transport == CONF_FD &&
		    strcmp(lst->id.path, name) == 0)
			return true;
	}
	return false;
}

void
listenlog_unclaimed(const struct edition *ed, const struct inherited *in)
{
	struct log_line line;

	for (uint32_t i = 0; i < in->count; i++) {
		if (name_claimed(ed, in->items[i].name))
			continue;
		log_begin(&line, LOG_LEVEL_WARNING, "unclaimed");
		log_str(&line, "name", in->items[i].name);
		log_int(&line, "fd", in->items[i].fd);
		log_end(&line);
	}
}
