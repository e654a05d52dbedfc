/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * For whom: access rules as a frontend asks them.
 */

#include "frontend/rules.h"

bool
rules_deny(const struct rules *rules, const struct admission_service *svc,
    const struct addr *peer, int fd)
{
	(void)rules;
	(void)svc;
	(void)peer;
	(void)fd;
	return false;
}

bool
rules_exempt(const struct rules *rules, const struct admission *adm,
    const struct addr *peer)
{
	(void)rules;
	(void)adm;
	(void)peer;
	return false;
}

bool
rules_believe(const struct rules *rules, const struct admission_service *svc,
    const struct addr *sender)
{
	(void)rules;
	(void)svc;
	(void)sender;
	return true;
}
