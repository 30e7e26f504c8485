# SPDX-License-Identifier: Apache-2.0
#
# The tests. Contract for every test-* target: it closes with a line `N passed, N failed` alone,
# is non-zero when something failed, and takes T= (a test's name, or a prefix of it).
#   test-safec   mk/safec.mk    names safec/...
#   test-host    mk/host.mk     names host/...
#   test-debug   here           names debug/...
#   test-vm      here           names abi/... apps/... programs/... shell/... boot/... stress/...
TEST_BIN   := $(BUILD)/tests
ABI_BIN    := $(patsubst tests/abi/%.c,$(TEST_BIN)/abi/%,$(wildcard tests/abi/*.c))
STRESS_BIN := $(patsubst tests/stress/%.c,$(TEST_BIN)/stress/%,$(wildcard tests/stress/*.c))
APP_BIN    := $(addprefix $(TEST_BIN)/apps/,threads-glibc sync-glibc hello-musl unwind-glibc unwind-static)

.PHONY: test test-long test-vm test-debug oracle test-image
T ?=

$(TEST_BIN)/abi/%: tests/abi/%.c $(wildcard tests/abi/*.h) $(SETUP) | $(BUILD)/uapi
	@mkdir -p $(@D)
	$(USER_CC) $(USER_FLAGS) -Itests/abi -pthread -o $@ $<

# The programs of abi are musl's, but for what glibc does with the kernel.
$(TEST_BIN)/abi/glibc_%: tests/abi/glibc_%.c $(wildcard tests/abi/*.h) $(SETUP) | $(BUILD)/uapi
	@mkdir -p $(@D)
	gcc $(USER_FLAGS) -Itests/abi -pthread -o $@ $<

$(TEST_BIN)/stress/%: tests/stress/%.c $(wildcard tests/stress/*.h) $(SETUP) | $(BUILD)/uapi
	@mkdir -p $(@D)
	gcc -static -O2 -Wall -Wextra -Wno-unused-result -pthread -o $@ $<

# The two ways a C program usually comes: dynamic against glibc, static against musl.
$(TEST_BIN)/apps/threads-glibc: tests/apps/threads.c $(SETUP)
	@mkdir -p $(@D)
	gcc -O2 -Wall -Wextra -pthread -o $@ $< && strip $@

$(TEST_BIN)/apps/sync-glibc: tests/apps/sync.c $(SETUP)
	@mkdir -p $(@D)
	gcc -O2 -Wall -Wextra -Wno-unused-result -pthread -o $@ $< -lrt && strip $@

$(TEST_BIN)/apps/hello-musl: tests/apps/hello.c $(SETUP)
	@mkdir -p $(@D)
	musl-gcc -static -O2 -Wall -Wextra -o $@ $<

# Unwinders in the C library's own way, shared and static.
$(TEST_BIN)/apps/unwind-glibc: tests/apps/unwind.c tests/abi/abi.h $(SETUP)
	@mkdir -p $(@D)
	gcc -O2 -Wall -Wextra -Wno-unused-result -D_GNU_SOURCE -Itests/abi -pthread -o $@ $<

$(TEST_BIN)/apps/unwind-static: tests/apps/unwind.c tests/abi/abi.h $(SETUP)
	@mkdir -p $(@D)
	gcc -static -O2 -Wall -Wextra -Wno-unused-result -D_GNU_SOURCE -Itests/abi -pthread -o $@ $<

# The folder holds what the sources ask for and nothing older.
TEST_IMAGE := $(IMAGES)/test.img
$(TEST_IMAGE): tools/image/test.spec tools/image/base.spec $(IMAGE_BASE) $(IMAGE_TOOL) \
               $(ABI_BIN) $(APP_BIN) $(STRESS_BIN) $(USER_BIN)/runner
	@for f in $(TEST_BIN)/abi/*; do [ -f tests/abi/$${f##*/}.c ] || rm -f $$f; done
	tools/image/mkimage test

$(IMAGES)/apps.img: tools/image/apps.spec $(TEST_IMAGE)
	tools/image/mkimage apps

$(IMAGES)/big.img: tools/image/big.spec tools/image/apps.spec $(wildcard tests/programs/*.py) $(TEST_IMAGE)
	tools/image/mkimage big

# What apps/... needs, and for programs/... the large one.
APP_IMAGES := $(IMAGES)/apps.img $(if $(LONG)$(filter programs%,$(T)),$(IMAGES)/big.img)

test:  ## all tests but those of test-long; T=NAME runs one, or all of a prefix
	@tools/test/all $(T)

test-long:  ## what takes too long for `make test`
	@tools/test/all --long $(T)

test-vm: $(RUN_KERNEL) $(TEST_IMAGE) $(APP_IMAGES) $(IMAGES)/base.img $(IMAGES)/tiny.img $(USER_BIN)/crash  ## the tests in a virtual machine: abi, apps, shell, boot
	@tools/test/keeltest run $(if $(LONG),--long) $(T)

test-debug: $(TEST_IMAGE)  ## the abi suite on the debug kernel: no lock out of order
	@$(MAKE) -s --no-print-directory kernel DEBUG=1 > /dev/null
	@tools/test/keeltest debug $(T)

oracle: $(TEST_IMAGE) $(APP_IMAGES) $(IMAGES)/base.img $(BUILD)/oracle/vmlinuz  ## record the oracle's answers of abi and apps again [LONG=1: programs too]
	@tools/test/keeltest oracle $(if $(LONG),--long) $(T)
