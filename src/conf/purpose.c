/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a service does.
 */

#include "conf/purpose.h"

static enum purpose
purpose_of_builtin(const struct conf_service *svc)
{
	switch (svc->builtin) {
	case CONF_BUILTIN_TCPMUX:
		return DOES_TCPMUX;
	case CONF_BUILTIN_TRAP:
		return DOES_TRAP;
	case CONF_BUILTIN_TEXT:
		return DOES_TEXT;
	default:
		return DOES_ANSWER;
	}
}

enum purpose
purpose_of(const struct conf_service *svc)
{
	if (svc->builtin != CONF_BUILTIN_NONE)
		return purpose_of_builtin(svc);
	if (svc->redirect_text.count > 0)
		return DOES_REDIRECT;
	if (svc->exec.count == 0)
		return 0;
	if (svc->wait)
		return DOES_WAIT;
	return svc->pty ? DOES_PTY : DOES_EXEC;
}

const char *
purpose_sentence(unsigned does)
{
	switch (does) {
	case DOES_REDIRECT:
		return "is for services with redirect";
	case DOES_TEXT:
		return "is for services with builtin = text";
	case DOES_WAIT:
		return "is for services with wait = yes";
	case DOES_CARRY:
		return "works for redirect, builtin and pty only";
	case DOES_ACCEPT:
		return "does not go with wait = yes: the handler itself "
		       "accepts";
	default:
		return "is for services with exec";
	}
}
