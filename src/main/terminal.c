/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Pseudo-terminals for handlers.
 *
 * The side of the program is opened through the other one, and by no path:
 * whatever is mounted on /dev/pts, it is that very terminal.
 */

#include "main/terminal.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum {
	LINES = 24,
	COLUMNS = 80,
	CONTROL_D = 4,
};

/* Lines, and nothing in them or between them is changed or has a meaning. */
static int
mode_set(int fd)
{
	const struct winsize size = { .ws_row = LINES, .ws_col = COLUMNS };
	struct termios mode;

	if (tcgetattr(fd, &mode) == -1)
		return -1;
	mode.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | IGNBRK | IGNCR | INLCR |
	    INPCK | ISTRIP | IUTF8 | IXANY | IXOFF | IXON | PARMRK);
	mode.c_oflag &= ~(tcflag_t)OPOST;
	mode.c_lflag &= ~(tcflag_t)(ECHO | IEXTEN | ISIG);
	mode.c_lflag |= ICANON;
	mode.c_cc[VERASE] = mode.c_cc[VKILL] = _POSIX_VDISABLE;
	mode.c_cc[VEOL] = mode.c_cc[VEOL2] = _POSIX_VDISABLE;
	mode.c_cc[VEOF] = CONTROL_D;
	if (tcsetattr(fd, TCSANOW, &mode) == -1)
		return -1;
	return ioctl(fd, TIOCSWINSZ, &size);
}

/*
 * The group is that of /dev/pts, which is the one of programs that write to
 * the terminals of others, or else our own, which may not.
 */
static int
owner_set(int fd, uint32_t uid)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_uid != uid && fchown(fd, uid, (gid_t)-1) == -1)
		return -1;
	return fchmod(fd, st.st_gid != getegid() ? 0620 : 0600);
}

int
terminal_open(uint32_t uid, int *master, int *slave)
{
	int unlocked = 0;
	int saved;

	*slave = -1;
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (*master == -1)
		return -1;
	if (ioctl(*master, TIOCSPTLCK, &unlocked) == -1)
		goto fail;
	*slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave == -1 || mode_set(*slave) == -1 ||
	    owner_set(*slave, uid) == -1)
		goto fail;
	return 0;

fail:
	saved = errno;
	if (*slave != -1)
		close(*slave);
	close(*master);
	errno = saved;
	return -1;
}
