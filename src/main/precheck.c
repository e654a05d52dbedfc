/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether this binary could go on from a state.
 *
 * The layout of a configuration in memory changes more often than its text.
 * When this binary has another one, the text is read, and the configuration
 * that it makes is part of the answer.
 */

#include "main/precheck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "main/handover.h"

static int
answer_write(int fd, const struct precheck_answer *answer)
{
	return pwrite(fd, answer, sizeof(*answer), 0) ==
	    (ssize_t)sizeof(*answer) ? 0 : -1;
}

void
precheck_refuse(int answer_fd, const char *reason)
{
	struct precheck_answer answer = {
		.magic = PRECHECK_MAGIC, .refused = 1,
	};

	strlcpy(answer.version, MINETD_VERSION, sizeof(answer.version));
	strlcpy(answer.reason, reason, sizeof(answer.reason));
	answer_write(answer_fd, &answer);
}

/* Read the text; the first line of complaints is the reason, if need be. */
static const struct conf *
text_read(void)
{
	const struct conf *conf;
	char *complaints;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(),
	    PRECHECK_TEXT_FD);
	conf = conf_load(path, &complaints);
	if (conf == NULL) {
		complaints[strcspn(complaints, "\n")] = '\0';
		precheck_refuse(PRECHECK_ANSWER_FD, complaints);
	}
	free(complaints);
	return conf;
}

/* The configuration, which may have to become another one. */
static const struct conf *
conf_read(bool *converted)
{
	const struct conf *conf = conf_import(PRECHECK_CONF_FD);

	*converted = false;
	if (conf != NULL)
		return conf;
	if (errno != EPROTO) {
		precheck_refuse(PRECHECK_ANSWER_FD,
		    "the configuration cannot be mapped");
		return NULL;
	}
	*converted = true;
	return text_read();
}

int
precheck_run(void)
{
	struct precheck_answer answer = { .magic = PRECHECK_MAGIC };
	struct state state;
	const char *why = handover_read(PRECHECK_STATE_FD, &state);
	const struct conf *conf;
	bool converted;

	if (why != NULL) {
		precheck_refuse(PRECHECK_ANSWER_FD, why);
		return EX_DATAERR;
	}
	state_fini(&state);
	conf = conf_read(&converted);
	if (conf == NULL)
		return EX_CONFIG;
	if (converted && pwrite(PRECHECK_ANSWER_FD, conf, conf->size,
	    PRECHECK_CONF_OFFSET) != (ssize_t)conf->size) {
		precheck_refuse(PRECHECK_ANSWER_FD, strerror(errno));
		return EX_OSERR;
	}
	answer.conf_follows = converted;
	strlcpy(answer.version, MINETD_VERSION, sizeof(answer.version));
	return answer_write(PRECHECK_ANSWER_FD, &answer) == 0 ? EX_OK :
	    EX_OSERR;
}
