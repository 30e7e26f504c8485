# SPDX-License-Identifier: Apache-2.0
#
# The kernel: build/keel (stripped, what is booted) and build/keel.elf (for gdb).
# DEBUG=1 builds the debug kernel beside it: build/debug/keel, keel.elf.
#
# frame/ is compiled with the flags below; services/, lib/ and abi/ with SAFEC_CFLAGS,
# which come from mk/safec.mk and load the checker.
# Debian packages: clang-19, lld-19, llvm-19.
KCC      := clang-19
KLD      := ld.lld-19
KOBJCOPY := llvm-objcopy-19
KNM      := llvm-nm-19

ifeq ($(DEBUG),1)
KOUT   := $(BUILD)/debug
KDEBUG := -DKEEL_DEBUG
else
KOUT   := $(BUILD)
KDEBUG :=
endif
KOBJ := $(KOUT)/obj

# What all kernel code shares: the C of SAFE-C.md, section 2.
KERNEL_CFLAGS := -std=gnu23 -O2 -g -ffreestanding -fno-builtin -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-pic \
	-fwrapv -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-finite-loops \
	-ftrivial-auto-var-init=zero -fstrict-flex-arrays=3 -fno-common -fstack-clash-protection -mllvm -trap-unreachable \
	-fsanitize=array-bounds,shift-exponent,integer-divide-by-zero,bool \
	-fsanitize-trap=array-bounds,shift-exponent,integer-divide-by-zero,bool -fsanitize=kcfi \
	-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-Wall -Wextra -Wwrite-strings -Wno-unused-parameter -Wno-sign-compare \
	-Werror=int-conversion -Werror=incompatible-pointer-types -Werror=pointer-type-mismatch \
	-Werror=incompatible-pointer-types-discards-qualifiers -Werror=return-type -Werror=uninitialized \
	-Werror=macro-redefined -Werror=array-bounds -Werror=vla -Werror=strict-prototypes \
	-Werror=unknown-attributes -Werror=ignored-attributes -Werror=implicit-function-declaration \
	-Wframe-larger-than=2048 -Werror=frame-larger-than $(KDEBUG)
KERNEL_INCLUDE := -Iframe/include -Iframe/arch/x86_64/include $(GEN_INCLUDE)
FRAME_CFLAGS   := $(KERNEL_CFLAGS) $(KERNEL_INCLUDE) -Iframe/internal -Iframe/arch/x86_64 \
	-Iframe/mem -Iframe/task -Iframe/time -Iframe/sync -Iframe/irq -Iframe/lib -Iframe/io -Iframe/boot
FRAME_ASFLAGS  := -D__ASSEMBLER__ -g -mcmodel=kernel $(KDEBUG) -Iframe/internal -Iframe/arch/x86_64 -I$(KOUT)

# Expanded when a recipe runs: mk/safec.mk is read after this file.
KSAFE_CFLAGS = $(if $(SAFEC_CFLAGS),$(SAFEC_CFLAGS),$(KERNEL_CFLAGS) $(KERNEL_INCLUDE) -include frame/include/frame/frame.h) \
	-g -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-asynchronous-unwind-tables $(KDEBUG)
KSAFE_NEEDS := $(if $(wildcard mk/safec.mk),$(if $(wildcard tools/safec/*.cpp),$(BUILD)/tools/safec.so))

# tests/frame stands in for services/init until there is one; KSERVICES chooses.
KSERVICES ?= services lib
FRAME_C  := $(shell find frame -name '*.c')
FRAME_S  := $(shell find frame -name '*.S')
SAFE_C   := $(shell find $(KSERVICES) abi -name '*.c' -not -path '*/test/*' 2>/dev/null)
FRAME_O  := $(FRAME_C:%.c=$(KOBJ)/%.o) $(FRAME_S:%.S=$(KOBJ)/%.S.o)
SAFE_O   := $(SAFE_C:%.c=$(KOBJ)/%.o)
KDEPS    := $(FRAME_O:.o=.d) $(SAFE_O:.o=.d)

# Files that are built into the image, for boot_blob().
BLOBS    := $(wildcard $(BUILD)/vdso.so)
KLDS     := frame/arch/x86_64/kernel.lds
KLINK    := $(KLD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-rosegment --build-id=none -T $(KLDS)

.PHONY: kernel
kernel: $(KOUT)/keel  ## build the kernel; DEBUG=1 for the debug build in build/debug

# Rewritten only when the flags change, so that a change of flags rebuilds.
$(KOBJ)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FRAME_CFLAGS) $(KSAFE_CFLAGS))' | cmp -s - $@ || \
	 printf '%s\n' '$(subst ','\'',$(FRAME_CFLAGS) $(KSAFE_CFLAGS))' > $@
.PHONY: FORCE
FORCE:

$(KOBJ)/frame/%.o: frame/%.c $(KOBJ)/flags $(GEN_STAMP)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(KCC) $(FRAME_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(KOBJ)/frame/%.S.o: frame/%.S $(KOBJ)/flags
	@mkdir -p $(@D)
	@echo '  AS      $<'
	@$(KCC) $(FRAME_ASFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(KOBJ)/%.o: %.c $(KOBJ)/flags $(GEN_STAMP) $(KSAFE_NEEDS)
	@mkdir -p $(@D)
	@echo '  SAFEC   $<'
	@$(KCC) $(KSAFE_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

# The blobs: a name, a length and the bytes each.
$(KOBJ)/blobs.S: $(BLOBS) $(KOBJ)/flags mk/kernel.mk
	@mkdir -p $(@D)
	@{ echo '.section .keel.blob, "a"'; echo '.globl k_blobs, k_blobs_end'; echo '.balign 8'; echo 'k_blobs:'; \
	   for f in $(BLOBS); do n=$$(basename $$f); \
	     echo ".quad 1f, 2f - 1f - 1, 3f, 4f - 3f"; echo ".pushsection .keel.blob.data, \"a\""; \
	     echo "1: .asciz \"$$n\""; echo "2: .balign 16"; echo "3: .incbin \"$$f\""; echo "4: .popsection"; done; \
	   echo 'k_blobs_end:'; } > $@

$(KOBJ)/blobs.o: $(KOBJ)/blobs.S
	@$(KCC) $(FRAME_ASFLAGS) -c -o $@ $<

# Two links: the first finds the symbols of the text, the second carries them for traces.
KERNEL_O := $(FRAME_O) $(SAFE_O) $(KOBJ)/blobs.o
$(KOBJ)/nosymbols.o: tools/symbols/symbols.py $(KOBJ)/flags
	@tools/symbols/symbols.py < /dev/null > $(@:.o=.S)
	@$(KCC) $(FRAME_ASFLAGS) -c -o $@ $(@:.o=.S)

$(KOUT)/keel.elf: $(KERNEL_O) $(KOBJ)/nosymbols.o $(KLDS)
	@echo '  LD      $@'
	@$(KLINK) -o $(KOBJ)/keel.1 $(KERNEL_O) $(KOBJ)/nosymbols.o
	@$(KNM) -n $(KOBJ)/keel.1 | tools/symbols/symbols.py > $(KOBJ)/symbols.S
	@$(KCC) $(FRAME_ASFLAGS) -c -o $(KOBJ)/symbols.o $(KOBJ)/symbols.S
	@$(KLINK) -o $@ $(KERNEL_O) $(KOBJ)/symbols.o
	@$(KNM) -n $@ | tools/symbols/symbols.py | cmp - $(KOBJ)/symbols.S

$(KOUT)/keel: $(KOUT)/keel.elf
	@$(KOBJCOPY) --strip-all $< $@

-include $(KDEPS)
