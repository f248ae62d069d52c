# SPDX-License-Identifier: Apache-2.0
# The front door.  Meson and ninja do the work, in build/.
BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)

all: setup-build
	@ninja -C $(BUILD) -j $(JOBS)

# Installs what building needs, and nothing if all of it is there.
setup-build:
	@tools/setup build
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD)

# A throw-away qube says who and where it is, and breaks things in there.
run: all
	$(BUILD)/bento run --user root -- sh -c 'id; uname -srm; ls /home; \
		echo harm >/usr/bin/harm; rm /usr/bin/env; ls /usr/bin | wc -l'
	@ls /usr/bin/harm 2>/dev/null || ls /usr/bin/env

check: all
	@tools/setup test
	@tools/run-tests $(BUILD)

bench: all
	@tools/setup bench
	@bench/run $(BUILD)
	@$(BUILD)/bench/policy-bench

# Where a packager says otherwise: make install PREFIX=/usr DESTDIR=/tmp/root
install: all
	@meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX))
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD)

# Takes back what the last install of this build folder put there.
uninstall:
	@ninja -C $(BUILD) uninstall
	@sed -n 's,/[^/]*$$,,; /^\//p' $(BUILD)/meson-logs/install-log.txt | \
		sort -u | xargs -r rmdir -p --ignore-fail-on-non-empty \
		2>/dev/null || true

clean:
	rm -rf $(BUILD)

.PHONY: all bench check clean install run setup-build uninstall
