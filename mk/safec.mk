# SPDX-License-Identifier: Apache-2.0
#
# The Safe C checker.  Included by the top Makefile.
# Debian packages: clang-19, libclang-19-dev, llvm-19-dev, python3.
#
#   SAFEC_PLUGIN   the plugin; what compiles a service depends on it
#   SAFEC_CFLAGS   all flags for services/, lib/ and abi/:
#                  $(SAFEC_CC) $(SAFEC_CFLAGS) -c x.c -o x.o
#   SAFEC_CODE     the part of them that is also frame/'s
#
#   make safecheck [FILE=x.c]   checks one file, or all services
#   make test-safec             the attacks and the good programs of tests/safec
#   make tcb                    counts the trusted code

ifndef SAFEC_PLUGIN
SAFEC_CC     ?= clang-19
SAFEC_CXX    ?= clang++-19
SAFEC_PLUGIN := build/tools/safec.so
SAFEC_SRC    := $(wildcard tools/safec/*.cpp)
SAFEC_OBJ    := $(SAFEC_SRC:tools/safec/%.cpp=build/tools/safec.o/%.o)
SAFEC_CXXFLAGS = $(shell llvm-config-19 --cxxflags) -std=c++17 -fno-rtti -fPIC -O1 -Wall -Wno-unused-parameter

build/tools/safec.o/%.o: tools/safec/%.cpp tools/safec/safec.h tools/safec/shared.h | $(SETUP)
	@mkdir -p $(@D)
	$(SAFEC_CXX) $(SAFEC_CXXFLAGS) -c $< -o $@

$(SAFEC_PLUGIN): $(SAFEC_OBJ)
	@mkdir -p $(@D)
	$(SAFEC_CXX) -shared -Wl,-z,nodelete -o $@.new $^
	@mv $@.new $@

SAFEC_SANITIZE := array-bounds,shift-exponent,integer-divide-by-zero,bool
# Undefined behaviour defined, trapped or checked; also for frame/.
SAFEC_CODE := -std=gnu23 -O2 -g -ffreestanding -fno-builtin -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-pic \
	-fwrapv -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-finite-loops \
	-ftrivial-auto-var-init=zero -fstrict-flex-arrays=3 -fno-common -fstack-clash-protection -mllvm -trap-unreachable \
	-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fsanitize=$(SAFEC_SANITIZE) -fsanitize-trap=$(SAFEC_SANITIZE) -fsanitize=kcfi
SAFEC_WARN := -Wall -Wwrite-strings -Wno-unused-function -Wno-unused-const-variable -Werror=int-conversion -Werror=incompatible-pointer-types \
	-Werror=incompatible-function-pointer-types -Werror=pointer-type-mismatch -Werror=incompatible-pointer-types-discards-qualifiers \
	-Werror=return-type -Werror=uninitialized -Werror=macro-redefined -Werror=array-bounds -Werror=vla -Werror=strict-prototypes \
	-Werror=unknown-attributes -Werror=ignored-attributes -Werror=frame-larger-than -Wframe-larger-than=2048
SAFEC_INCLUDE := -Iframe/include -Iframe/arch/x86_64/include -I. -Ibuild/gen -include frame/include/frame/frame.h
SAFEC_CFLAGS = $(SAFEC_CODE) $(KDEBUG) $(SAFEC_WARN) $(SAFEC_INCLUDE) -fplugin=$(SAFEC_PLUGIN) $(SAFEC_BARE)

# Exits with 0 or 1 (mk/exit.mk).  As typed: FILE may be any path.
export SAFEC_FILE := $(value FILE)
.PHONY: safecheck .safecheck
.safecheck: $(SAFEC_PLUGIN) $(GEN_STAMP)
	@st=0; tools/safec/check "$${SAFEC_FILE:---all}" -- $(SAFEC_CC) $(SAFEC_CFLAGS) || st=1; echo $$st > $(BUILD)/.safecheck
safecheck: .safecheck  ## check FILE=x.c as Safe C, or all services; exits with 0 or 1
	@$(if $(filter-out 0,$(file <$(BUILD)/.safecheck)),$(exit-with 1),:)

.PHONY: test-safec
test-safec: $(SAFEC_PLUGIN) $(GEN_STAMP)  ## the attacks on Safe C and what must be accepted [ONLY=name]
	@tests/safec/run.py $(ONLY) -- $(SAFEC_CC) $(SAFEC_CFLAGS)

.PHONY: tcb
tcb:  ## code lines of the trusted half and of the rest
	@tools/safec/tcb

# Before the link, over all objects of services:
#   $(SAFEC_LINKCHECK) $(SAFE_O)
SAFEC_LINKCHECK = tools/safec/objcheck --plugin $(SAFEC_PLUGIN) --globals $(SAFEC_GLOBALS)

.PHONY: depscheck lock-order linux-abi
depscheck: $(SETUP)  ## each folder includes only what its deps file allows; the generated pages of docs/ are up to date
	@tools/safec/deps
	@tools/lockorder --check
	@tools/abidoc --check

lock-order:  ## write docs/lock-order.md from the LOCK_CLASS declarations
	@tools/lockorder

linux-abi: $(SETUP)  ## write docs/linux-abi.md from the system-call table and tests/abi
	@tools/abidoc

.PHONY: soundcheck
soundcheck:  ## raw accesses of frame/ against frame/SOUNDNESS.md, and its invariants against the tests
	@tools/safec/cites

.PHONY: globals
globals: $(SAFEC_PLUGIN)  ## the variables of services that change, from the objects built last
	@tools/safec/xtu --globals $(sort $(SAFE_O))
endif
