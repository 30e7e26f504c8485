# SPDX-License-Identifier: Apache-2.0
#
# The small programs of the images, the images, and running them.
IMAGES     := $(BUILD)/images
USER_BIN   := $(BUILD)/user
USER_CC    := musl-gcc
# The kernel's own headers (linux/, asm/) beside musl's.
USER_FLAGS := -static -O2 -g0 -Wall -Wextra -Wno-unused-result -D_GNU_SOURCE -idirafter $(BUILD)/uapi

.PHONY: images run debug oracle-kernel

$(BUILD)/uapi: $(SETUP)
	@mkdir -p $@
	@ln -sfn /usr/include/linux $@/linux
	@ln -sfn /usr/include/x86_64-linux-gnu/asm $@/asm
	@ln -sfn /usr/include/asm-generic $@/asm-generic

$(USER_BIN)/%: user/%.c $(SETUP) | $(BUILD)/uapi
	@mkdir -p $(@D)
	$(USER_CC) $(USER_FLAGS) -o $@ $<

IMAGE_TOOL := tools/image/mkimage $(SETUP)
IMAGE_BASE := tools/image/common.spec $(wildcard tools/image/etc/*) $(USER_BIN)/init

$(IMAGES)/tiny.img: tools/image/tiny.spec $(IMAGE_BASE) $(IMAGE_TOOL)
	tools/image/mkimage tiny

$(IMAGES)/base.img: tools/image/base.spec $(IMAGE_BASE) $(IMAGE_TOOL)
	tools/image/mkimage base

images: $(IMAGES)/tiny.img $(IMAGES)/base.img $(IMAGES)/test.img  ## the root file systems: tiny, base, test

$(BUILD)/oracle/vmlinuz: tools/image/oracle $(SETUP)
	tools/image/oracle
	@touch $@

# What a run needs: the kernel that is asked for.
KERNEL ?= keel
ifeq ($(KERNEL),linux)
RUN_KERNEL := $(BUILD)/oracle/vmlinuz
else ifeq ($(KERNEL),keel)
RUN_KERNEL := kernel
else
RUN_KERNEL :=
endif

INITRD ?= base
export ACCEL SMP MEM MACHINE CPU KERNEL INITRD APPEND DEBUG
# As typed: a dollar sign in CMD is the guest's shell's, not make's.
export KEEL_CMD := $(value CMD)

ifneq ($(and $(filter run,$(MAKECMDGOALS)),$(KEEL_CMD)),)
# The command's output is alone on stdout, and its status is make's.
.PHONY: .command
.command:
	@$(MAKE) -s --no-print-directory $(RUN_KERNEL) $(IMAGES)/$(INITRD).img >&2
	@st=0; tools/run/keel -c "$$KEEL_CMD" || st=$$?; echo $$st > $(BUILD)/.status
run: .command
	@$(exit-with $(file <$(BUILD)/.status))
else
run: $(RUN_KERNEL) $(IMAGES)/$(INITRD).img  ## boot to a shell; CMD='...' runs one command and exits with its status
	@tools/run/keel
endif

GDB_PORT ?= 1234
debug: $(RUN_KERNEL) $(IMAGES)/$(INITRD).img  ## boot and wait for gdb, GDB_PORT=1234
	tools/run/keel --gdb $(GDB_PORT)
