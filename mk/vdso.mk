# SPDX-License-Identifier: Apache-2.0
#
# The vDSO: build/vdso.so, which the kernel carries and maps into every program.
# Debian packages: clang-19, lld-19.

VDSO_SRC := $(wildcard user/vdso/*.c user/vdso/*.S)
VDSO_HDR := services/time/vvar_data.h abi/linux/time.h frame/include/frame/types.h user/vdso/vdso.lds
VDSO_CFLAGS := -std=gnu23 -O2 -ffreestanding -fno-builtin -fPIC -fvisibility=default -fno-stack-protector \
	-fasynchronous-unwind-tables -mno-sse -fcf-protection=none -Wall -Wextra -Iframe/include $(GEN_INCLUDE)
VDSO_LDFLAGS := -shared -soname linux-vdso.so.1 -Bsymbolic --hash-style=both --build-id=sha1 --eh-frame-hdr \
	-z max-page-size=4096 -z noexecstack -z nodelete --no-undefined -T user/vdso/vdso.lds

$(BUILD)/vdso.so: $(VDSO_SRC) $(VDSO_HDR) $(GEN_STAMP) mk/vdso.mk
	@mkdir -p $(@D)/user/vdso.o
	@echo '  VDSO    $@'
	@for f in $(VDSO_SRC); do clang-19 $(VDSO_CFLAGS) -c -o $(@D)/user/vdso.o/$$(basename $$f).o $$f; done
	@ld.lld-19 $(VDSO_LDFLAGS) -o $@.new $(patsubst user/vdso/%,$(@D)/user/vdso.o/%.o,$(VDSO_SRC))
	@llvm-strip-19 --strip-all $@.new && mv $@.new $@
	@test $$(stat -c %s $@) -le 32768

# Embedded as a blob by mk/kernel.mk.
BLOBS := $(sort $(BLOBS) $(BUILD)/vdso.so)
ifneq ($(KOBJ),)
$(KOBJ)/blobs.S: $(BUILD)/vdso.so
endif
