# SPDX-License-Identifier: Apache-2.0
#
# The kernel: build/keel (stripped, what is booted) and build/keel.elf (for gdb).
# DEBUG=1 builds the debug kernel beside it: build/debug/keel, keel.elf.
# BARE=1 builds what the price of safety is measured with: build/bare/keel, the same kernel but for the traps in services/ and
# lib/ (bounds, values, call types, stack probes), which are left out. Its objects are not fit for any other link, and the
# launcher refuses it by its mark.
#
# services/, lib/ and abi/ are compiled with SAFEC_CFLAGS, from mk/safec.mk, which load the checker; before
# the link their objects are inspected and compared, and their includes held against the dependency map.
# Debian packages: clang-19, lld-19, llvm-19.
KCC      := clang-19
KLD      := ld.lld-19
KOBJCOPY := llvm-objcopy-19
KNM      := llvm-nm-19

ifeq ($(BARE),1)
ifneq ($(filter run debug test test-%,$(MAKECMDGOALS)),)
$(error BARE=1 is for measuring only: make kernel, make bench)
endif
KOUT   := $(BUILD)/bare
KDEBUG :=
SAFEC_BARE := -fplugin-arg-safec-off=TRAPS
BARE_MARK  := echo '.pushsection .keel.blob.data, "a"; .asciz "keel: built without traps, for measuring only"; .popsection';
else ifeq ($(DEBUG),1)
KOUT   := $(BUILD)/debug
KDEBUG := -DKEEL_DEBUG
else
KOUT   := $(BUILD)
KDEBUG :=
endif
KOBJ := $(KOUT)/obj

# frame/ has the services' flags and the checker's IR pass (strict bounds, no torn or repeated loads), but
# none of its rules; assembly besides.  mk/safec.mk is read after this file: these expand when a recipe runs.
FRAME_CFLAGS = $(SAFEC_CODE) $(SAFEC_WARN) -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror=implicit-function-declaration \
	$(KDEBUG) -Iframe/include -Iframe/arch/x86_64/include $(GEN_INCLUDE) $(FRAME_DIRS:%=-Iframe/%) \
	-fplugin=$(SAFEC_PLUGIN) -fplugin-arg-safec-mode=frame
FRAME_DIRS    := internal arch/x86_64 mem task time sync irq lib io
FRAME_ASFLAGS := -D__ASSEMBLER__ -g -mcmodel=kernel $(KDEBUG) -Iframe/internal -Iframe/arch/x86_64
CHECKER       := $(BUILD)/tools/safec.so
SAFEC_GLOBALS := tools/safec/globals.txt

# KTESTS=tests/kernel adds the framework's self-tests (mk/selftest.mk).
FRAME_C  := $(shell find frame $(KTESTS) -name '*.c')
FRAME_S  := $(shell find frame $(KTESTS) -name '*.S')
SAFE_C   := $(shell find services lib abi -name '*.c' -not -path '*/test/*' 2>/dev/null)
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
	@printf '%s\n' '$(subst ','\'',$(FRAME_CFLAGS) $(SAFEC_CFLAGS))' | cmp -s - $@ || \
	 printf '%s\n' '$(subst ','\'',$(FRAME_CFLAGS) $(SAFEC_CFLAGS))' > $@
.PHONY: FORCE
FORCE:

# No oops points into its leaves: what traps there is no leaf.
$(KOBJ)/frame/sync/lock.o: FRAME_CFLAGS += -momit-leaf-frame-pointer

$(KOBJ)/frame/%.o: frame/%.c $(KOBJ)/flags $(GEN_STAMP) $(CHECKER)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(KCC) $(FRAME_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(KOBJ)/tests/kernel/%.o: tests/kernel/%.c $(KOBJ)/flags $(GEN_STAMP) $(CHECKER)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(KCC) $(FRAME_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(KOBJ)/tests/kernel/%.S.o: tests/kernel/%.S $(KOBJ)/flags
	@mkdir -p $(@D)
	@echo '  AS      $<'
	@$(KCC) $(FRAME_ASFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(KOBJ)/frame/%.S.o: frame/%.S $(KOBJ)/flags
	@mkdir -p $(@D)
	@echo '  AS      $<'
	@$(KCC) $(FRAME_ASFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(KOBJ)/%.o: %.c $(KOBJ)/flags $(GEN_STAMP) $(CHECKER)
	@mkdir -p $(@D)
	@echo '  SAFEC   $<'
	@$(KCC) $(SAFEC_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

# The blobs: a name, a length and the bytes each.
$(KOBJ)/blobs.S: $(BLOBS) $(KOBJ)/flags mk/kernel.mk
	@mkdir -p $(@D)
	@{ echo '.section .keel.blob, "a"'; echo '.globl k_blobs, k_blobs_end'; echo '.balign 8'; echo 'k_blobs:'; \
	   $(BARE_MARK) \
	   for f in $(BLOBS); do n=$$(basename $$f); \
	     echo ".quad 1f, 2f - 1f - 1, 3f, 4f - 3f"; echo ".pushsection .keel.blob.data, \"a\""; \
	     echo "1: .asciz \"$$n\""; echo "2: .balign 16"; echo "3: .incbin \"$$f\""; echo "4: .popsection"; done; \
	   echo 'k_blobs_end:'; } > $@

$(KOBJ)/blobs.o: $(KOBJ)/blobs.S
	@$(KCC) $(FRAME_ASFLAGS) -c -o $@ $<

# frame/ as one object in which only what services use has a name outside: the objects were checked, so that
# is the safe API; and a service's name never meets one of the framework's own.
$(KOBJ)/frame.o: $(FRAME_O) $(KOBJ)/checked mk/kernel.mk
	@echo $(SAFE_O) > $(KOBJ)/safe.list
	@{ echo boot_entry32; $(if $(SAFE_O),comm -23 <($(KNM) -u -j @$(KOBJ)/safe.list | sort -u) \
		<($(KNM) -U -j --extern-only @$(KOBJ)/safe.list | sort -u);) } > $(KOBJ)/api.list
	@$(KLD) -r -o $(KOBJ)/frame.all.o $(FRAME_O)
	@$(KOBJCOPY) --keep-global-symbols=$(KOBJ)/api.list $(KOBJ)/frame.all.o $@

# Two links: the first finds the symbols of the text, the second carries them for traces.
KERNEL_O := $(KOBJ)/frame.o $(SAFE_O) $(KOBJ)/blobs.o
$(KOBJ)/nosymbols.o: tools/symbols/symbols.py $(KOBJ)/flags
	@tools/symbols/symbols.py < /dev/null > $(@:.o=.S)
	@$(KCC) $(FRAME_ASFLAGS) -c -o $@ $(@:.o=.S)

# The objects that the link may take: includes, facts, symbols, sections and instructions are in order.
$(KOBJ)/checked: $(SAFE_O) $(wildcard tools/safec/objcheck tools/safec/xtu tools/safec/deps) $(SAFEC_GLOBALS)
	@$(if $(SAFE_O),tools/safec/deps)
	@$(if $(SAFEC_BARE),,$(if $(SAFE_O),tools/safec/objcheck --plugin $(CHECKER) --globals $(SAFEC_GLOBALS) $(SAFE_O)))
	@mkdir -p $(@D)
	@touch $@

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
