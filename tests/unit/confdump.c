/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * minetd -t and -T without minetd: what the golden tests run when the daemon
 * itself is not at hand.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"

int
main(int argc, char **argv)
{
	const char *path = NULL;
	bool dump = false;
	int option;

	while ((option = getopt(argc, argv, "tTc:")) != -1) {
		if (option == 'T')
			dump = true;
		else if (option == 'c')
			path = optarg;
		else if (option != 't')
			return 64;
	}
	if (path == NULL)
		return 64;
	char *complaints;
	const struct conf *conf = conf_load(path, &complaints);
	if (complaints != NULL)
		fputs(complaints, stderr);
	free(complaints);
	if (conf == NULL)
		return 78;
	if (dump && conf_dump(conf, STDOUT_FILENO) == -1)
		return 74;
	if (!dump)
		printf("%s: ok\n", path);
	conf_free(conf);
	return 0;
}
