// Array accesses that only the run time can judge: all lvalue forms, at -O0 and -O2.
//! trap out_by_one
#include "tests/safec/forms.h"
const u32 attacks = ARRAY_SIZE(forms);
void attack(u32 n) { forms[n].run(4); }
//! trap far_out
#include "tests/safec/forms.h"
const u32 attacks = ARRAY_SIZE(forms);
void attack(u32 n) { forms[n].run(0x40004444); }
//! trap negative
#include "tests/safec/forms.h"
const u32 attacks = ARRAY_SIZE(forms);
void attack(u32 n) { forms[n].run(0xffffffff); }
//! ok last
#include "tests/safec/forms.h"
const u32 attacks = ARRAY_SIZE(forms);
void attack(u32 n) { forms[n].run(3); }
//! ok first
#include "tests/safec/forms.h"
const u32 attacks = ARRAY_SIZE(forms);
void attack(u32 n) { forms[n].run(0); }
//! hole:IR-BOUNDS without_the_strict_check
#include "tests/safec/forms.h"
const u32 attacks = ARRAY_SIZE(forms);
void attack(u32 n) { forms[n].run(4); }
