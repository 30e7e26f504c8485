# SPDX-License-Identifier: Apache-2.0
#
# The same operations on Keel and on Linux. Everything lands in build/bench/.
# Debian packages: qemu-system-x86, musl-tools, busybox-static; gnuplot-nox for bench-report.
#
#   make bench [OP='stat,fork+exit']    the table; BENCH_QUICK=1: one seed and fewer operations
#   make bench-report                   draws what was measured last: build/bench/report.{svg,png}
#   make profile OP='stat' [KERNEL=linux]   instructions by kernel function; OP=all, OP=boot
#   KEEL=path/to/keel measures another build; BENCH_OUT=folder keeps results apart
BENCH      := $(BUILD)/bench
BENCH_NEED  = $(BENCH)/bench $(BUILD)/images/tiny.img $(BUILD)/oracle/vmlinuz $(if $(KEEL),,kernel bare-kernel)
BENCH_QUICK ?=
BENCH_OUT  ?=
OP         ?=
export BENCH_QUICK OP KEEL BENCH_OUT

.PHONY: bench bench-report profile bare-kernel
bare-kernel:
	@$(MAKE) -s --no-print-directory kernel BARE=1

# Linked at a fixed address: the profiler finds its marks by symbol.
$(BENCH)/bench: bench/bench.c $(SETUP) | $(BUILD)/uapi
	@mkdir -p $(@D)
	$(USER_CC) $(USER_FLAGS) -Wl,-e,bench_entry -o $@ $< -pthread

bench: $(BENCH_NEED) $(BUILD)/images/base.img  ## the same operations on Keel and Linux: one table [OP=] [BENCH_QUICK=1]
	@tools/bench/run $(if $(OP),ops,all)

bench-report:  ## draw what `make bench` measured last (gnuplot)
	@tools/bench/report

profile: $(BENCH_NEED)  ## instructions by kernel function for one operation, OP=name
	@tools/bench/profile '$(OP)' --kernel $(if $(filter linux,$(KERNEL)),lean,keel)
