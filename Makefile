# minetd: build, test, install, clean.  `make help` lists the targets.

VERSION = 0.1.0

PREFIX = /usr/local
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
	-Wimplicit-fallthrough $(if $(WERROR),-Werror)
HARDENING = -fPIE -fstack-protector-strong -fcf-protection \
	-D_FORTIFY_SOURCE=2
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
MINETD_CFLAGS = -std=gnu17 $(WARNINGS) $(if $(SAN),$(SANFLAGS),$(HARDENING))
MINETD_LDFLAGS = $(if $(SAN),$(SANFLAGS),-pie -Wl,-z,relro,-z,now)

PKGS = libbsd-overlay libconfuse libcap-ng libseccomp
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

BASE_SRCS = addr loop timer log channel
CONF_SRCS =
MAIN_SRCS =
FRONTEND_SRCS =
LIB_SRCS = $(BASE_SRCS:%=src/base/%.c) $(CONF_SRCS:%=src/conf/%.c) \
	$(MAIN_SRCS:%=src/main/%.c) $(FRONTEND_SRCS:%=src/frontend/%.c)
UNIT_TESTS =

LIB_OBJS = $(LIB_SRCS:%.c=$(B)/%.o)
Q = $(if $(V),,@)

all: minetd ## build ./minetd

minetd: $(B)/minetd
	$(Q)ln -sf $< $@

$(B)/minetd: $(B)/src/main/main.o $(B)/libminetd.a
	$(if $(V),,@echo "  LD  $@")
	$(Q)$(CC) $(CFLAGS) $(MINETD_CFLAGS) $(MINETD_LDFLAGS) $(LDFLAGS) \
		-o $@ $^ $(PKG_LIBS)

$(B)/libminetd.a: $(LIB_OBJS)
	$(if $(V),,@echo "  AR  $@")
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c
	$(if $(V),,@echo "  CC  $<")
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(MINETD_CPPFLAGS) $(CPPFLAGS) $(PKG_CFLAGS) \
		$(MINETD_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(LIB_OBJS:.o=.d) $(B)/src/main/main.d

clean: ## remove what was built
	rm -rf build minetd

.PHONY: all clean
