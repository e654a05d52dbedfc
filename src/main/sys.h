/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * System calls without the C library.
 *
 * A child that shares main's memory may not touch errno or any other state of
 * the library, and the library's setresuid() and friends would try to change
 * all threads.  These return what the kernel returns: -errno on failure.
 */

#ifndef MINETD_SYS_H
#define MINETD_SYS_H

#include <sys/syscall.h>

#include <unistd.h>

#if defined(__x86_64__)

#define SYS_RAW 1

static inline long
sys_call(long number, long a, long b, long c, long d)
{
	long result;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "=a"(result)
	    : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
	    : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

#define SYS_RAW 1

static inline long
sys_call(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0)
	    : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

#else

#include <errno.h>

/* Elsewhere handlers are forked, and a copy of errno is theirs to change. */
#define SYS_RAW 0

static inline long
sys_call(long number, long a, long b, long c, long d)
{
	long result = syscall(number, a, b, c, d);

	return result == -1 ? -errno : result;
}

#endif

#endif
