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

# dpkg keeps the headers' own dates, but not those of its file list.
GEN_UAPI    := $(wildcard $(UAPI_DIR)/linux/version.h) \
               $(subst :,\:,$(wildcard /var/lib/dpkg/info/linux-libc-dev*.list))
GEN_TOOLS   := $(wildcard tools/gen/*.py tools/gen/*.conf tools/gen/*.map tools/gen/extra/*.h)
# A new header for a CPU needs its forwarding header in abi/cpu/.
GEN_CPU     := $(wildcard abi/linux/x86_64)
GEN_LAYOUTS := $(wildcard abi/linux/*.h abi/linux/*/*.h frame/include/frame/*.h \
                          frame/include/frame/*/*.h)

.PHONY: gen
gen: $(GEN_STAMP)  ## the ABI headers from linux-libc-dev, and their check

# Constants first; the layouts use some of them.
$(GEN_DIR)/.constants: $(GEN_TOOLS) $(GEN_UAPI) $(GEN_CPU)
	@mkdir -p $(GEN_DIR)
	python3 tools/gen/gen.py --out $(GEN_DIR)/abi --cc "$(HOSTCC)"
	@touch $@

$(GEN_STAMP): $(GEN_DIR)/.constants $(GEN_LAYOUTS)
	python3 tools/gen/check_layout.py --out $(GEN_DIR) --cc "$(LAYOUT_CC)"
	@touch $@
