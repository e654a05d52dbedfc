/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Bytes that another process gets as a descriptor.
 */

#include "base/sealed.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
sealed_open(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int
sealed_finish(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_WRITE);
}

int
sealed_new(const char *name, const void *bytes, size_t len)
{
	int fd = sealed_open(name);
	int saved;

	if (fd == -1)
		return -1;
	if (write(fd, bytes, len) == (ssize_t)len && sealed_finish(fd) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
