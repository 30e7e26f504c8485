# SPDX-License-Identifier: Apache-2.0
#
# gen: Linux's ABI constants as Safe C headers (build/gen/abi/), and the check
# that our ABI structs have Linux's layout.  Included by the top Makefile.
# Debian packages: linux-libc-dev, libc6-dev, gcc, clang-19, python3.
#
#   GEN_STAMP     depend on it before compiling anything that includes "abi/..."
#   GEN_INCLUDE   the flags that find the headers

GEN_DIR     := build/gen
GEN_STAMP   := $(GEN_DIR)/.stamp
GEN_INCLUDE := -I$(GEN_DIR) -I.
HOSTCC      ?= gcc
LAYOUT_CC   ?= clang-19
UAPI_DIR    ?= /usr/include

# The package's version stands for the headers it brings.
GEN_UAPI    := $(wildcard $(UAPI_DIR)/linux/version.h)
GEN_TOOLS   := $(wildcard tools/gen/*.py tools/gen/*.conf tools/gen/*.map tools/gen/extra/*.h)
GEN_LAYOUTS := $(wildcard abi/linux/*.h abi/linux/*/*.h)

.PHONY: gen
gen: $(GEN_STAMP)

# Constants first; the layouts use some of them.
$(GEN_DIR)/.constants: $(GEN_TOOLS) $(GEN_UAPI)
	@mkdir -p $(GEN_DIR)
	python3 tools/gen/gen.py --out $(GEN_DIR)/abi --cc "$(HOSTCC)"
	@touch $@

$(GEN_STAMP): $(GEN_DIR)/.constants $(GEN_LAYOUTS) frame/include/frame/types.h
	python3 tools/gen/check_layout.py --out $(GEN_DIR) --cc "$(LAYOUT_CC)"
	@touch $@
