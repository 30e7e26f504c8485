# SPDX-License-Identifier: Apache-2.0
#
# Keel's build. Each subject has its rules in mk/; `make help` lists what there is.
SHELL         := /bin/bash
.SHELLFLAGS   := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
MAKEFLAGS     += --no-builtin-rules
BUILD         := build

.PHONY: all help clean setup

all: kernel images  ## the kernel and the images

# A file that is newer than tools/setup where every needed package is installed.
SETUP := $(BUILD)/.setup
$(SETUP): tools/setup
	tools/setup
	@mkdir -p $(BUILD) && touch $@

setup:  ## install the Debian packages that are missing
	tools/setup
	@mkdir -p $(BUILD) && touch $(SETUP)

include $(sort $(wildcard mk/*.mk))

help:  ## this list
	@echo 'make TARGET [ACCEL=kvm|tcg] [SMP=n] [MEM=512M] [MACHINE=q35|pc|microvm] [KERNEL=keel|linux|PATH]'
	@echo
	@awk -F':.*  ## ' '/^[a-z][a-z-]*:.*  ## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

clean:  ## remove what was built (downloaded packages stay)
	find $(BUILD) -mindepth 1 -maxdepth 1 ! -name packages ! -name oracle -exec rm -rf {} +
