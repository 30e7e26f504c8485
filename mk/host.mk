# SPDX-License-Identifier: Apache-2.0
#
# tests/host: services and lib as ordinary programs over tests/host/frame, with the address and
# undefined-behaviour sanitizers. Every *_test.c is a program of tests, every *_fuzz.c a
# libFuzzer target that runs FUZZ_SECONDS from the seeds of tests/host/seeds.py.
# Debian packages: clang-19, libclang-rt-19-dev, lld-19, llvm-19, python3.
#
#   make test-host [T=host/ldisc]          all programs and fuzz targets, or those of a prefix
#   make test-host-long                    the same with more rounds and longer fuzzing
HOST      := $(BUILD)/host
HOST_SAN  := -fsanitize=address,undefined -fno-sanitize-recover=all
# As the kernel is compiled where that changes the meaning, without the checker and its traps.
HOST_FLAGS := -std=gnu23 -g -O1 -fwrapv -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-omit-frame-pointer \
	-ffunction-sections -fdata-sections -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-parameter -Wno-sign-compare \
	-Wno-unused-const-variable -Wno-missing-field-initializers -Wno-incompatible-library-redeclaration -Wno-initializer-overrides \
	$(HOST_SAN) -fsanitize=fuzzer-no-link -Itests/host/include -Iframe/include -Iframe/arch/x86_64/include -I. -Ibuild/gen -include frame/frame.h
# Only what a test can reach is linked; all of it must be there.
HOST_LINK := clang-19 $(HOST_SAN) -fuse-ld=lld -Wl,--gc-sections

# (nothing below the system calls and the drivers knows of them)
HOST_SERVICES := $(shell find services lib abi -name '*.c' -not -path '*/test/*' -not -path 'services/drivers/*' -not -path 'services/syscall/*')
HOST_O     := $(HOST_SERVICES:%.c=$(HOST)/obj/%.o)
HOST_FRAME := $(patsubst %.c,$(HOST)/obj/%.o,$(wildcard tests/host/frame/*.c) tests/host/world.c tests/host/vmhost.c)
HOST_TESTS := $(patsubst tests/host/%_test.c,$(HOST)/%,$(wildcard tests/host/*_test.c))
HOST_FUZZ  := $(patsubst tests/host/%.c,$(HOST)/%,$(wildcard tests/host/*_fuzz.c))
FUZZ_SECONDS ?= 8

$(HOST)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(HOST_FLAGS)' | cmp -s - $@ || printf '%s\n' '$(HOST_FLAGS)' > $@

$(HOST)/obj/%.o: %.c $(HOST)/flags $(GEN_STAMP)
	@mkdir -p $(@D)
	@clang-19 $(HOST_FLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(HOST)/libkeel.a: $(HOST_O)
	@rm -f $@ && llvm-ar-19 rc $@ $^

$(HOST)/libframe.a: $(HOST_FRAME)
	@rm -f $@ && llvm-ar-19 rc $@ $^

$(HOST_TESTS): $(HOST)/%: $(HOST)/obj/tests/host/%_test.o $(HOST)/libframe.a $(HOST)/libkeel.a
	@$(HOST_LINK) -o $@ $< -Wl,--start-group $(HOST)/libframe.a $(HOST)/libkeel.a -Wl,--end-group

$(HOST_FUZZ): $(HOST)/%: $(HOST)/obj/tests/host/%.o $(HOST)/libframe.a $(HOST)/libkeel.a
	@$(HOST_LINK) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(HOST)/libframe.a $(HOST)/libkeel.a -Wl,--end-group

.PHONY: host-build test-host test-host-long
host-build: $(HOST_TESTS) $(HOST_FUZZ)

test-host: $(GEN_STAMP)  ## services and lib as host programs, with sanitizers and fuzzing
	@$(MAKE) -s --no-print-directory -j2 host-build
	@tests/host/run.py --fuzz $(FUZZ_SECONDS) $(T)

test-host-long: $(GEN_STAMP)  ## the same for longer
	@$(MAKE) -s --no-print-directory -j2 host-build
	@HOST_LONG=1 tests/host/run.py --fuzz 300 $(T)

-include $(HOST_O:.o=.d) $(HOST_FRAME:.o=.d) $(patsubst tests/host/%.c,$(HOST)/obj/tests/host/%.d,$(wildcard tests/host/*_test.c tests/host/*_fuzz.c))
