# SPDX-License-Identifier: BSD-2-Clause
#
# A thin front: `make run` and `make test` do everything on a fresh Debian
# machine. Meson does the building; what each target needs is installed from
# Debian packages by scripts/deps.

BUILD ?= build
DEMO ?= demo
SMP ?= 2

.PHONY: all deps build run demo-check monitor-long test bench fuzz fuzz-long \
	format tidy clean help

all: build

help:
	@sed -n 's/^## //p' Makefile

## make deps        installs missing Debian packages (quick when none is)
deps:
	@scripts/deps

$(BUILD)/build.ninja: meson.build
	@scripts/deps
	meson setup $(BUILD)

## make build       hypervisor, guests, host tool and tests into build/
build: $(BUILD)/build.ninja
	@scripts/deps
	ninja -C $(BUILD)

## make run         builds, boots the demo in QEMU and shows it (DEMO=name:
##                  demo, serial, monitor)
run: build
ifeq ($(DEMO),monitor)
	@SMP=$(SMP) scripts/demo-monitor $(BUILD)
else
	@$(BUILD)/tools/ravelin/ravelin run manifests/$(DEMO).yaml \
		--build-dir $(BUILD) --output $(BUILD)/run/$(DEMO) --smp $(SMP)
endif

## make demo-check  the same without a person: checks and ends by itself
demo-check: build
	@scripts/demo-check $(BUILD)
	@scripts/demo-monitor $(BUILD) check

## make monitor-long  a million CR3 events of a watched Linux, none lost
monitor-long: build
	@scripts/monitor-long $(BUILD)

## make test        the whole suite; last line: N passed, N failed
test: build
	@scripts/test $(BUILD)

## make bench       measures; writes build/bench.json and a table
bench: build
	@$(BUILD)/tools/ravelin/ravelin bench --build-dir $(BUILD)

## make fuzz-long   each fuzz target for FUZZ_SECONDS (default 600)
fuzz-long: build
	@scripts/fuzz $(BUILD) $${FUZZ_SECONDS:-600}

## make format      rewrites sources with clang-format
format:
	@scripts/format

## make tidy        clang-tidy over the core
tidy: build
	@scripts/tidy $(BUILD)

clean:
	rm -rf $(BUILD)
