# SPDX-License-Identifier: Apache-2.0
#
# $(exit-with N) ends make with status N, where make itself would say 2: for `make run CMD=...` and
# `make safecheck`.  Read before the rules that use it; loaded for these goals only.
ifneq ($(or $(filter safecheck,$(MAKECMDGOALS)),$(and $(filter run,$(MAKECMDGOALS)),$(value CMD))),)
$(BUILD)/make_exit.so: tools/run/make_exit.c $(SETUP)
	@mkdir -p $(@D) && gcc -shared -fPIC -O2 -Wall -o $@ $<
-load $(BUILD)/make_exit.so
endif
