/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a frontend gets to know: of each kind of service what it needs, and
 * the defaults that depend on the kind.
 */

#include "conf/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] =
    "pending_max = 9\n"
    "service handler { listen = {\"udp://*:1\", \"tcp://*:1\"}\n"
    "	exec = /bin/cat }\n"
    "service quick { listen = \"udp://*:2\" exec = /bin/cat idle = 5s }\n"
    "service wait { listen = \"udp://*:3\" exec = /bin/cat wait = yes }\n"
    "service shares { listen = {\"udp://*:4\", \"fd://x\"}\n"
    "	exec = /bin/cat wait = yes activation = systemd }\n"
    "service pty { listen = \"tcp://*:5\" exec = /bin/cat pty = yes\n"
    "	max_runtime = 7s }\n"
    "service echo { listen = {\"tcp://*:6\", \"tcpmux://Echo\"}\n"
    "	builtin = echo max_runtime = 8s }\n"
    "service text { listen = \"tcpmux://a\" builtin = text text = \"Gone\"\n"
    "	idle = 0 tcpmux_reply = no }\n"
    "service mux { listen = \"tcp://*:7\" builtin = tcpmux }\n"
    "service near { listen = \"tcp://*:8\" redirect = \"unix://@x\" }\n"
    "service far { listen = \"tcpmux://echo2\" proxy_out = v2\n"
    "	redirect = {\"tcp://192.0.2.1:80\", \"unix:///x\"} }\n";

/* Its services. */
enum {
	HANDLER,
	QUICK,
	WAIT,
	SHARES,
	PTY,
	ECHO,
	TEXT,
	MUX,
	NEAR,
	FAR,
	SERVICES
};

static const struct conf *
load(void)
{
	char path[] = "/tmp/minetd-admission-test.XXXXXX";
	char *complaints;
	int fd = mkstemp(path);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	const struct conf *conf = conf_load(path, &complaints);
	unlink(path);
	if (conf == NULL)
		fail_msg("%s", complaints);
	free(complaints);
	return conf;
}

static int
setup(void **state)
{
	const struct admission_leftovers none = { 0 };
	const struct conf *conf = load();
	int fd = admission_export(conf, &none);

	if (fd == -1)
		return -1;
	*state = (void *)(uintptr_t)admission_import(fd);
	close(fd);
	conf_free(conf);
	return *state != NULL ? 0 : -1;
}

static void
what_each_does(void **state)
{
	static const uint8_t wanted[SERVICES] = {
		[HANDLER] = ADMISSION_HANDLER,
		[QUICK] = ADMISSION_HANDLER,
		[WAIT] = ADMISSION_WAIT,
		[SHARES] = ADMISSION_WAIT,
		[PTY] = ADMISSION_PTY,
		[ECHO] = ADMISSION_BUILTIN,
		[TEXT] = ADMISSION_BUILTIN,
		[MUX] = ADMISSION_BUILTIN,
		[NEAR] = ADMISSION_REDIRECT,
		[FAR] = ADMISSION_REDIRECT,
	};
	const struct admission *adm = *state;
	const struct admission_service *svc = admission_services(adm);

	assert_int_equal(adm->services, SERVICES);
	assert_int_equal(adm->pending_max, 9);
	for (size_t i = 0; i < SERVICES; i++) {
		assert_int_equal(svc[i].does, wanted[i]);
		assert_int_equal(svc[i].shares, i == SHARES);
		assert_int_equal(svc[i].tcpmux_reply, i != TEXT);
	}
	assert_int_equal(svc[HANDLER].listeners, 2);
	assert_int_equal(svc[TEXT].listeners, 0);
	assert_int_equal(svc[PTY].max_runtime_msec, 0);
	assert_int_equal(svc[ECHO].max_runtime_msec, 8000);
}

/* See `idle` in minetd.conf(5). */
static void
how_long_each_may_be_silent(void **state)
{
	const struct admission_service *svc = admission_services(*state);

	assert_int_equal(svc[HANDLER].idle_msec, 60000);
	assert_int_equal(svc[QUICK].idle_msec, 5000);
	assert_int_equal(svc[WAIT].idle_msec, 0);
	assert_int_equal(svc[PTY].idle_msec, 0);
	assert_int_equal(svc[ECHO].idle_msec, 60000);
	assert_int_equal(svc[TEXT].idle_msec, 0);
	assert_int_equal(svc[NEAR].idle_msec, 0);
}

static void
where_to_connect(void **state)
{
	const struct admission *adm = *state;
	const struct admission_service *svc = admission_services(adm);
	const struct admission_target *targets = admission_targets(adm);

	assert_int_equal(adm->targets, 3);
	assert_int_equal(adm->connects, 1);
	assert_int_equal(svc[NEAR].first_target, 0);
	assert_int_equal(svc[NEAR].targets, 1);
	assert_int_equal(svc[FAR].first_target, 1);
	assert_int_equal(svc[FAR].targets, 2);
	assert_int_equal(svc[FAR].proxy_out, CONF_PROXY_OUT_V2);
	assert_int_equal(targets[0].transport, CONF_UNIX);
	assert_int_equal(targets[1].transport, CONF_TCP);
	assert_int_equal(targets[1].addr.port, 80);
	assert_false(targets[1].named);
	assert_int_equal(targets[2].transport, CONF_UNIX);
}

static void
names_and_texts(void **state)
{
	static const struct {
		const char *name;
		uint32_t service;
	} wanted[] = { { "a", TEXT }, { "echo", ECHO }, { "echo2", FAR } };
	const struct admission *adm = *state;
	const struct admission_mux *muxes = admission_muxes(adm);
	struct admission_bytes said = admission_services(adm)[TEXT].text;

	assert_int_equal(adm->muxes, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(muxes[i].service, wanted[i].service);
		assert_int_equal(muxes[i].name.len, strlen(wanted[i].name));
		assert_memory_equal(admission_bytes(adm, muxes[i].name),
		    wanted[i].name, muxes[i].name.len);
	}
	assert_int_equal(said.len, 4);
	assert_memory_equal(admission_bytes(adm, said), "Gone", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_each_does, setup),
		cmocka_unit_test_setup(how_long_each_may_be_silent, setup),
		cmocka_unit_test_setup(where_to_connect, setup),
		cmocka_unit_test_setup(names_and_texts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
