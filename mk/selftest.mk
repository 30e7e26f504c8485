# SPDX-License-Identifier: Apache-2.0
#
# The framework's self-test: a debug kernel without services, whose services_start() is
# tests/kernel/tasks.c.
.PHONY: selftest selftest-kernel
selftest-kernel:
	@$(MAKE) --no-print-directory KOUT=$(BUILD)/selftest KDEBUG='-DKEEL_DEBUG -DKEEL_SELFTEST' KTESTS=tests/kernel SAFE_C= BLOBS= kernel

selftest: selftest-kernel  ## test tasks, locks, timers, memory and oops containment in the kernel [T=selftest/NAME]
	@tests/kernel/selftest $(BUILD)/selftest/keel $(BUILD)/selftest/logs $(T)
