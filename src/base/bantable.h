/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sources that are banned, each until a time of its own.
 *
 * A bounded table of networks of any size, of both processes: main has the one
 * that counts, a frontend its copy, in which entries end by themselves.
 */

#ifndef MINETD_BANTABLE_H
#define MINETD_BANTABLE_H

#include <sys/cdefs.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/monotime.h"

enum {
	BANS_MAX = 65536,	/* then the one that would end first goes */
	BAN_BITS = 129,		/* as many lengths of a network there are */
};

/* Why somebody is banned. */
enum ban_cause {
	BAN_TRAP,		/* builtin trap */
	BAN_PER_SOURCE,
	BAN_PER_SOURCE_RATE,
	BAN_OPERATOR,
	BAN_CAUSES,
};

struct ban {
	RB_ENTRY(ban) by_net;
	RB_ENTRY(ban) by_end;
	TAILQ_ENTRY(ban) entry;	/* among the news */
	struct addr net;	/* as of origin_of() */
	struct monotime until;
	uint32_t service;	/* whose limit was tripped, at this */
	uint32_t listener;	/*   listener; a frontend's indexes */
	uint8_t bits;		/* of net; 128 unless it is of IP */
	uint8_t cause;		/* enum ban_cause */
	bool untold;		/* it is among the news */
	char name[65];		/* main: of the service; "" */
};

RB_HEAD(ban_nets, ban);
RB_HEAD(ban_ends, ban);
TAILQ_HEAD(ban_list, ban);

struct bantable {
	struct ban_nets nets;
	struct ban_ends ends;
	struct ban_list news;	/* that the other process was not told of */
	uint32_t count;
	uint32_t lengths[2][BAN_BITS]; /* how many of each; IPv4, others */
};

void	bantable_init(struct bantable *table);
void	bantable_fini(struct bantable *table);

/* The ban that concerns a peer and ends last; NULL when none does. */
struct ban *bantable_match(const struct bantable *table,
	    const struct addr *peer, struct monotime now);

/*
 * Ban a network, or move the end of its ban if that is later.  Returns the ban,
 * which may be changed but for its net, bits and until, or NULL for want of
 * memory.
 */
struct ban *bantable_add(struct bantable *table, const struct addr *net,
	    unsigned bits, struct monotime until);

/* The one of exactly this network; NULL. */
struct ban *bantable_find(const struct bantable *table,
	    const struct addr *net, unsigned bits);

/* Note that the other process has to be told, or was. */
void	bantable_note(struct bantable *table, struct ban *ban);
void	bantable_told(struct bantable *table, struct ban *ban);

void	bantable_remove(struct bantable *table, struct ban *ban);

/* The one that ends first, and the one that ends next. */
struct ban *bantable_first(const struct bantable *table);
struct ban *bantable_next(struct ban *ban);

/* trap, per_source, per_source_rate, operator. */
const char *ban_cause_name(unsigned cause);

#endif
