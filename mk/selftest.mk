# SPDX-License-Identifier: Apache-2.0
#
# The framework's self-test: a debug kernel without services, whose services_start() is
# frame/task/selftest.c.  The last line it prints says how many tests failed.
.PHONY: selftest selftest-kernel
selftest-kernel:
	@$(MAKE) --no-print-directory KOUT=$(BUILD)/selftest KDEBUG='-DKEEL_DEBUG -DKEEL_SELFTEST' SAFE_C= BLOBS= kernel

selftest: selftest-kernel  ## test tasks, locks, timers and oops containment (SMP=1..8)
	@timeout 300 qemu-system-x86_64 -M q35 -accel tcg -cpu max -m 256M -smp $(or $(SMP),2) -nodefaults -display none -no-reboot \
	 -chardev stdio,id=c,signal=off -serial chardev:c -kernel $(BUILD)/selftest/keel -append 'console=ttyS0 panic=-1' < /dev/null | tee $(BUILD)/selftest/log
	@grep -q 'selftest: [0-9]* tests, 0 failed' $(BUILD)/selftest/log
