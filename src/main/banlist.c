/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Bans, as main keeps them: over the frontends, reloads and upgrades.
 */

#include "main/banlist.h"

#include <stdio.h>
#include <string.h>

#include "base/channel.h"
#include "base/origin.h"
#include "main/front.h"

enum {
	BAN_TEXT_SIZE = ADDR_TEXT_SIZE + 4,
};

/* ADDRESS/BITS, or who it is on this machine. */
static void
ban_format(const struct ban *ban, char text[BAN_TEXT_SIZE])
{
	size_t len = addr_format_host(&ban->net, text);

	if (ban->net.family == ADDR_IP4 || ban->net.family == ADDR_IP6)
		snprintf(text + len, BAN_TEXT_SIZE - len, "/%u",
		    ban->bits);
}

static void
ban_log(struct minetd *mi, const struct ban *ban, struct monotime now)
{
	char text[BAN_TEXT_SIZE];
	unsigned long left_out;
	struct log_line line;

	if (!log_limit_pass(&mi->ban_limit, now, &left_out))
		return;
	ban_format(ban, text);
	log_begin(&line, LOG_LEVEL_WARNING, "ban");
	log_str(&line, "addr", text);
	log_secs(&line, "secs", monotime_secs(now, ban->until));
	if (ban->name[0] != '\0')
		log_str(&line, "service", ban->name);
	log_str(&line, "reason", ban_cause_name(ban->cause));
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}

/* Come back when the first one ends. */
static void
expiry_arm(struct minetd *mi)
{
	const struct ban *first = bantable_first(&mi->bans);

	if (first != NULL)
		timer_arm(loop_timers(mi->loop), &mi->ban_end, first->until);
}

static void
ban_end_due(void *arg, struct monotime now)
{
	struct minetd *mi = arg;
	struct ban *ban;

	while ((ban = bantable_first(&mi->bans)) != NULL &&
	    !monotime_before(now, ban->until)) {
		char text[BAN_TEXT_SIZE];
		struct log_line line;

		ban_format(ban, text);
		log_begin(&line, LOG_LEVEL_DEBUG, "unban");
		log_str(&line, "addr", text);
		log_str(&line, "reason", "expired");
		log_end(&line);
		/* The frontends know when it ends. */
		bantable_remove(&mi->bans, ban);
	}
	expiry_arm(mi);
}

void
banlist_init(struct minetd *mi)
{
	bantable_init(&mi->bans);
	timer_init(&mi->ban_end, ban_end_due, mi);
}

void
banlist_fini(struct minetd *mi)
{
	bantable_fini(&mi->bans);
}

int
banlist_restore(struct minetd *mi, const struct ban *ban)
{
	const struct ban *known = bantable_find(&mi->bans, &ban->net,
	    ban->bits);
	struct ban *added;

	/* The one that holds for longer has its own reason. */
	if (known != NULL && !monotime_before(known->until, ban->until))
		return 0;
	added = bantable_add(&mi->bans, &ban->net, ban->bits, ban->until);
	if (added == NULL)
		return -1;
	added->cause = ban->cause;
	strlcpy(added->name, ban->name, sizeof(added->name));
	bantable_note(&mi->bans, added);
	expiry_arm(mi);
	return 0;
}

int
banlist_add(struct minetd *mi, const struct ban *ban, struct monotime now)
{
	bool is_new = bantable_find(&mi->bans, &ban->net, ban->bits) == NULL;

	if (banlist_restore(mi, ban) == -1)
		return -1;
	if (is_new)
		ban_log(mi, ban, now);
	return 0;
}

/* Whether the service has what is said to have been tripped. */
static bool
cause_valid(const struct conf_service *svc, uint32_t cause)
{
	switch (cause) {
	case BAN_TRAP:
		return svc->builtin == CONF_BUILTIN_TRAP;
	case BAN_PER_SOURCE:
		return svc->per_source != 0;
	case BAN_PER_SOURCE_RATE:
		return svc->per_source_rate.count != 0;
	default:
		return false;
	}
}

int
banlist_obey(struct minetd *mi, const struct front *front,
    const struct channel_msg *msg, struct monotime now)
{
	const struct channel_ban *told = &msg->ban;
	const struct edition_service *entry = edition_reached(front->edition,
	    msg->listener, told->service);
	unsigned bits = BAN_BITS - 1;

	if (entry == NULL || entry->conf->ban_msec == 0 ||
	    told->peer.family > ADDR_VSOCK ||
	    told->peer.family == ADDR_NONE ||
	    !cause_valid(entry->conf, told->cause))
		return -1;
	if (told->peer.family == ADDR_IP4)
		bits = entry->conf->source_prefix4;
	if (told->peer.family == ADDR_IP6)
		bits = entry->conf->source_prefix6;
	struct ban ban = {
		.net = origin_of(&told->peer, bits, bits),
		.until = monotime_add_msec(now, entry->conf->ban_msec),
		.bits = (uint8_t)bits,
		.cause = (uint8_t)told->cause,
	};
	strlcpy(ban.name, entry->service->name, sizeof(ban.name));
	banlist_add(mi, &ban, now);
	return 0;
}

void
banlist_tell_anew(struct minetd *mi)
{
	struct ban *ban;

	for (ban = bantable_first(&mi->bans); ban != NULL;
	    ban = bantable_next(ban))
		bantable_note(&mi->bans, ban);
}

bool
banlist_send(struct minetd *mi, struct front *front)
{
	struct ban *ban;

	while ((ban = TAILQ_FIRST(&mi->bans.news)) != NULL) {
		struct channel_item item;

		channel_msg_init(&item.msg, CHANNEL_BANNED);
		item.fd = -1;
		item.msg.banned = (struct channel_banned){
			.net = ban->net,
			.until_nsec = ban->until.nsec,
			.bits = ban->bits,
		};
		if (channel_send(front->channel.fd, &item, 1) != 1)
			return false;
		bantable_told(&mi->bans, ban);
	}
	return true;
}
