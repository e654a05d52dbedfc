# minetd: build, test, install, clean.  `make help` lists the targets.

VERSION = 0.1.0

# The packager's; what minetd itself needs is added further down.
PREFIX = /usr/local
SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man
UNITDIR = $(PREFIX)/lib/systemd/system
SYSCONFDIR = /etc
CFLAGS = -O2 -g
CPPFLAGS =
LDFLAGS =

# SAN=1: address and undefined-behaviour sanitisers.  SPAWN=fork: the plain
# fork path for every handler.  Each combination has its own objects.
VARIANT = $(if $(SAN),san,$(if $(filter fork,$(SPAWN)),fork,release))
B = build/$(VARIANT)

MINETD_CPPFLAGS = -D_GNU_SOURCE -Isrc -DMINETD_VERSION='"$(VERSION)"' \
	-DMINETD_SYSCONFDIR='"$(SYSCONFDIR)"' \
	$(if $(SAN)$(filter fork,$(SPAWN)),-DMINETD_SPAWN_FORK) \
	$(if $(SAN),-DMINETD_SANITIZED)
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef \
	-Wimplicit-fallthrough -Wno-missing-field-initializers \
	$(if $(WERROR),-Werror)
# Not every compiler and processor has all of it.  Fortification needs an
# optimiser, and a packager's own level of it is left alone.
cc_has = $(shell $(CC) -Werror $(1) -xc -c /dev/null -o /dev/null \
	2>/dev/null && echo $(1))
FORTIFY = $(if $(findstring FORTIFY,$(CPPFLAGS) $(CFLAGS)),,$(if \
	$(filter-out -O0,$(filter -O%,$(CFLAGS))),-U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=2))
HARDENING := -fPIE -fstack-protector-strong $(call cc_has,-fcf-protection) \
	$(call cc_has,-fstack-clash-protection) $(FORTIFY)
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
MINETD_CFLAGS = -std=gnu17 $(WARNINGS) $(if $(SAN),$(SANFLAGS),$(HARDENING))
MINETD_LDFLAGS = $(if $(SAN),,-pie -Wl,-z,relro,-z,now)

PKGS = libbsd-overlay libconfuse libcap-ng libseccomp
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

BASE_SRCS = addr loop timer log logtext loghead logsink logdest channel \
	sealed verdict done bucket acl origin bantable
CONF_SRCS = conf load reader source scan cursor prescan parse draft build merge \
	store convert rule acls times key value url suggest complaint heap block account identity privilege \
	env host listen target lookup mux overlap applies purpose does content dump \
	admission
MAIN_SRCS = options starter daemon pidfile pidmove logging notify run reload \
	answers terminal \
	plan match edition listener listenlog sockopt sockpath retry service \
	handler front hear refused carried breaker trouble deadline tcpmoved sockdiag waiter unixqueue tell sourcetell banlist connlog serve \
	environment spawn child cred proc codec state statecheck handover precheck upgrade \
	restore inherited adopt accepted swap lend loan launch \
	resolve
FRONTEND_SRCS = frontend confine inlet accept acceptfail active closing admit rules hours sources limits proxy proxied \
	bans dispatch carry builtin \
	answer linger redirect pty tcpmux muxline preface dgram \
	datagram packets peer peers wait rest refusal outbox errlog lines relay pipes \
	proxyout
UNIT_TESTS = acceptfail_test addr_test admit_test answer_test channel_test conf_test \
	environment_test key_test log_test logsink_test loop_test match_test \
	muxline_test overlap_test admission_test accepted_test bucket_test \
	lines_test plan_test prescan_test proc_test rest_test sockopt_test \
	sources_test times_test rule_test acl_test bantable_test breaker_test proxy_test \
	state_test timer_test proxyout_test packets_test datagram_test \
	url_test value_test
TEST_BINS = captive crowd dial flood handdown hostile probe rush stopper storm \
	waiter stdio
# A minetd of the same build that differs in one thing: the version of a state,
# that of a configuration in memory, or that its frontend dies, or never leaves.
OTHERS = state block frontend linger
FUZZ_TESTS = addr_fuzz muxline_fuzz prescan_fuzz proxy_fuzz rule_fuzz \
	state_fuzz url_fuzz value_fuzz
MANUALS = minetd.8 minetd.conf.5 minetd-handler.7

LIB_SRCS = $(BASE_SRCS:%=src/base/%.c) $(CONF_SRCS:%=src/conf/%.c) \
	$(MAIN_SRCS:%=src/main/%.c) $(FRONTEND_SRCS:%=src/frontend/%.c)
LIB_OBJS = $(LIB_SRCS:%.c=$(B)/%.o)
UNIT_BINS = $(UNIT_TESTS:%=$(B)/tests/unit/%)
HELPER_BINS = $(TEST_BINS:%=build/tests/bin/%)
OTHER_BINS = $(OTHERS:%=$(B)/minetd-other-%)
FUZZ_BINS = $(FUZZ_TESTS:%=$(B)/tests/fuzz/%)
COMPILE = $(CC) $(MINETD_CPPFLAGS) $(CPPFLAGS) $(PKG_CFLAGS) \
	$(MINETD_CFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) $(MINETD_CFLAGS) $(MINETD_LDFLAGS) $(LDFLAGS)

# Quiet lines, whole commands with V=1.  Targets that install what is missing
# call make again: only then can pkg-config and the compiler be asked.
Q = $(if $(V),,@)
SAY = $(if $(V),@:,@echo " ")
AGAIN = +$(Q)$(MAKE) --no-print-directory \
	$(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

all: $(B)/minetd ## build ./minetd; SAN=1 sanitised, V=1 shows the commands
	$(Q)ln -sf $< minetd

$(B)/minetd: $(B)/src/main/main.o $(B)/libminetd.a
	$(SAY) "LD  $@"
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$(B)/libminetd.a: $(LIB_OBJS)
	$(SAY) "AR  $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c $(B)/flags
	$(SAY) "CC  $<"
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# Objects are stale when they were made with other flags.
$(B)/flags: export FLAGS = $(COMPILE)
$(B)/flags: FORCE
	$(Q)tools/deps -n build || echo "try: make deps"
	$(Q)mkdir -p $(@D)
	$(Q)echo "$$FLAGS" | cmp -s - $@ || echo "$$FLAGS" >$@

-include $(LIB_OBJS:.o=.d) $(B)/src/main/main.d $(UNIT_BINS:=.d) \
	$(HELPER_BINS:=.d) $(wildcard $(B)/other/src/*/*.d) \
	$(wildcard $(B)/tests/other/*.d)

deps: ## install what the build needs
	$(Q)tools/deps build

demo: ## install what is missing, build, and run minetd on etc/demo.conf
	$(Q)tools/deps build demo
	$(AGAIN) all
	$(Q)tools/demo ./minetd

check: ## install what is missing and run every test; SAN=1 sanitised
	$(Q)tools/deps build test $(if $(SAN),san)
	$(AGAIN) check-build
	$(if $(SAN),,$(AGAIN) check-build SPAWN=fork)
	$(Q)tools/check $(if $(SAN),san,release fork) -- unit conf e2e

check-unit check-conf check-e2e: check-build ## run one part of the tests
	$(Q)tools/check $(VARIANT) -- $(@:check-%=%)

check-long: ## run every test, and the long ones at full length
	$(Q)MINETD_LONG=1 $(MAKE) --no-print-directory check

check-build: $(B)/minetd $(OTHER_BINS) $(UNIT_BINS) $(HELPER_BINS)
	$(Q)printf '%s\n' $(UNIT_BINS) >$(B)/units

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libminetd.a
	$(SAY) "LD  $@"
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS) $(shell pkg-config --libs cmocka)

# What comes before the library takes the place of its objects.
$(B)/minetd-other-%: $(B)/src/main/main.o $(B)/libminetd.a
	$(SAY) "LD  $@"
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(B)/libminetd.a $(PKG_LIBS)

$(B)/minetd-other-state: $(B)/src/main/main.o $(B)/other/src/main/state.o
$(B)/minetd-other-block: $(B)/src/main/main.o $(B)/other/src/conf/block.o \
	$(B)/other/src/conf/conf.o $(B)/other/src/conf/load.o
$(B)/minetd-other-frontend: $(B)/src/main/main.o $(B)/tests/other/frontend.o
$(B)/minetd-other-linger: $(B)/src/main/main.o \
	$(B)/other/src/frontend/frontend.o

$(B)/other/%.o: %.c $(B)/flags
	$(SAY) "CC  $< (other)"
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) -DMINETD_OTHER_STATE -DMINETD_OTHER_BLOCK \
		-DMINETD_OTHER_FRONTEND -MMD -MP -c -o $@ $<

# Never sanitised: handlers among them report what the process has inherited.
build/tests/bin/%: tests/bin/%.c
	$(SAY) "CC  $<"
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -Isrc $(WARNINGS) $(CFLAGS) \
		-MMD -MP -o $@ $<

lint: ## install what is missing and check the sources without running them
	$(Q)tools/deps build lint
	$(AGAIN) lint-run

lint-run: $(B)/minetd
	$(Q)tools/lint $(B) $(MINETD_CPPFLAGS) $(PKG_CFLAGS) -std=gnu17

FUZZ_SECONDS = 60
fuzz: ## run each parser on made-up input for FUZZ_SECONDS
	$(Q)tools/deps build fuzz
	$(AGAIN) fuzz-run B=build/fuzz CC=clang SAN=1 \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link'

fuzz-run: $(FUZZ_BINS)
	$(Q)tools/fuzz $(FUZZ_SECONDS) $(FUZZ_BINS)

$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libminetd.a
	$(SAY) "LD  $@"
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

install: all ## install below PREFIX and SYSCONFDIR; DESTDIR goes before both
	install -D -m 755 $(B)/minetd $(DESTDIR)$(SBINDIR)/minetd
	for page in $(MANUALS); do install -D -m 644 man/$$page \
	    $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page || exit; done
	install -d $(DESTDIR)$(UNITDIR)
	sed -e 's|@SBINDIR@|$(SBINDIR)|' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' \
	    etc/minetd.service >$(DESTDIR)$(UNITDIR)/minetd.service
	test -e $(DESTDIR)$(SYSCONFDIR)/minetd.conf || install -D -m 644 \
	    etc/minetd.conf $(DESTDIR)$(SYSCONFDIR)/minetd.conf

uninstall: ## remove what install made, except the configuration
	rm -f $(DESTDIR)$(SBINDIR)/minetd $(DESTDIR)$(UNITDIR)/minetd.service
	for page in $(MANUALS); do \
	    rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done

dist: ## pack the committed sources as build/minetd-VERSION.tar.gz
	mkdir -p build
	git archive --prefix=minetd-$(VERSION)/ \
	    -o build/minetd-$(VERSION).tar.gz HEAD

clean: ## remove what was built
	rm -rf build minetd

help: ## print this list
	@sed -n 's/^\([a-z][a-z0-9 -]*\):.*## /\1\t/p' Makefile | expand -t 34

FORCE:
.PHONY: all deps demo check check-long check-unit check-conf check-e2e check-build lint \
	lint-run fuzz fuzz-run install uninstall dist clean help FORCE
.SECONDARY:
