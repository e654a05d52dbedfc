/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tell the frontend that serves whose handlers are alive.
 *
 * What is noted is a queue.  A frontend that is new is told of the handlers
 * that there are instead; one that does not read is not heard, and is then
 * killed as hung.
 */

#include "main/sourcetell.h"

#include <stdlib.h>

#include "base/channel.h"
#include "main/front.h"

enum {
	NEWS_MANY = 4096,
};

/* One change, that the frontend does not know of. */
struct source_news {
	STAILQ_ENTRY(source_news) entry;
	struct channel_source source;
};

static bool
is_limited(const struct minetd *mi, const struct service *svc)
{
	return svc->index != SERVICE_NO_INDEX &&
	    mi->edition->services[svc->index].conf->per_source != 0;
}

static void
news_add(struct minetd *mi, const struct service *svc,
    const struct addr *peer, int change)
{
	struct source_news *news;

	if (!is_limited(mi, svc))
		return;
	news = malloc(sizeof(*news));
	if (news == NULL) {
		/* It believes too much, or too little, of one source, until
		 * the next one is told the truth. */
		log_message(LOG_LEVEL_ERROR, "frontend",
		    "cannot be told of a handler: no memory");
		return;
	}
	news->source = (struct channel_source){
		.peer = *peer, .service = svc->index, .change = change,
	};
	STAILQ_INSERT_TAIL(&mi->source_news, news, entry);
	mi->source_news_count++;
}

void
sourcetell_note(struct minetd *mi, const struct service *svc,
    const struct addr *peer, int change)
{
	/* One that is not told of any yet will be told of all. */
	if (mi->front != NULL && mi->front->counted)
		news_add(mi, svc, peer, change);
}

static void
news_remove_first(struct minetd *mi)
{
	struct source_news *news = STAILQ_FIRST(&mi->source_news);

	STAILQ_REMOVE_HEAD(&mi->source_news, entry);
	mi->source_news_count--;
	free(news);
}

void
sourcetell_forget(struct minetd *mi)
{
	while (!STAILQ_EMPTY(&mi->source_news))
		news_remove_first(mi);
}

void
sourcetell_anew(struct minetd *mi)
{
	struct proc *proc;

	sourcetell_forget(mi);
	for (proc = proc_first(mi->procs); proc != NULL;
	    proc = proc_next(proc))
		if (!proc->waits)
			news_add(mi, proc->service, &proc->conn.peer, 1);
}

bool
sourcetell_full(const struct minetd *mi, const struct front *front)
{
	return front == mi->front && mi->source_news_count >= NEWS_MANY;
}

bool
sourcetell_send(struct minetd *mi, struct front *front)
{
	while (!STAILQ_EMPTY(&mi->source_news)) {
		const struct source_news *news =
		    STAILQ_FIRST(&mi->source_news);
		struct channel_item item;
		int n = 0;

		channel_msg_init(&item.msg, CHANNEL_SOURCES);
		item.fd = -1;
		for (; news != NULL && n < CHANNEL_SOURCES_MAX;
		    news = STAILQ_NEXT(news, entry))
			item.msg.sources[n++] = news->source;
		if (channel_send(front->channel.fd, &item, 1) != 1)
			return false;
		while (n-- > 0)
			news_remove_first(mi);
	}
	return true;
}
