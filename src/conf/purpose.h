/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a service does, as bits: the table of keys says with them which
 * services a key has a meaning for.
 */

#ifndef MINETD_PURPOSE_H
#define MINETD_PURPOSE_H

#include "conf/conf.h"

enum purpose {
	DOES_EXEC = 1u << 0,	/* a handler for each connection, or peer */
	DOES_WAIT = 1u << 1,	/* a handler for the listening socket */
	DOES_PTY = 1u << 2,	/* a handler on a terminal */
	DOES_REDIRECT = 1u << 3,
	DOES_ANSWER = 1u << 4,	/* echo discard chargen daytime time */
	DOES_TRAP = 1u << 5,
	DOES_TEXT = 1u << 6,
	DOES_TCPMUX = 1u << 7,

	DOES_PROGRAM = DOES_EXEC | DOES_WAIT | DOES_PTY,
	DOES_BUILTIN = DOES_ANSWER | DOES_TRAP | DOES_TEXT | DOES_TCPMUX,
	/* The frontend carries its conversations, or at least accepts them. */
	DOES_CARRY = DOES_REDIRECT | DOES_BUILTIN | DOES_PTY,
	DOES_ACCEPT = DOES_CARRY | DOES_EXEC,
};

/* The one thing that a service does; 0 when it is not said. */
enum purpose purpose_of(const struct conf_service *svc);

/*
 * What is wrong with a key that has a meaning for these services only, as a
 * sentence.
 */
const char *purpose_sentence(unsigned does);

#endif
