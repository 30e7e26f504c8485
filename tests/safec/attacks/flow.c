// Attacks with control flow.
//! J1+ goto_past_declaration
static u32 f(bool c) { if (c) goto out; u32 x = 1; out: return x; }
//! J1 goto_past_array
static u8 f(bool c, u32 i) { if (c) goto out; u8 x[16] = { }; out: return x[i]; }
//! J1+ goto_into_block
static u32 f(bool c) { if (c) goto in; { u32 x = 1; in: return x; } return 0; }
//! J1 goto_back_into_block
static u32 f(u32 c) { { u32 x = 1; in: if (c) return x; } c++; goto in; }
//! J1+ goto_into_loop
static u32 f(u32 c) { goto in; for (u32 i = 0; i < c; i++) { in: if (c) return i; } return 0; }
//! J1+ case_past_declaration
static u32 f(u32 c) { switch (c) { case 1:; u32 x = 1; return x; default: return x; } return 0; }
//! J1+ declaration_before_case
static u32 f(u32 c) { switch (c) { u32 x; case 1: return x; default: return 0; } return 0; }
//! clang case_past_guard
static u32 f(u32 c, struct mutex *m) { switch (c) { case 1:; GUARD(m); return 1; default: return 0; } return 0; }
//! clang goto_past_guard
static u32 f(bool c, struct mutex *m) { if (c) goto out; GUARD(m); out: return 1; }
//! J1+ case_in_loop
static u32 f(u32 c) { switch (c) { case 0: for (u32 i = 0; i < 4; i++) { case 1: if (c == i) return i; } default: return 2; } return 0; }
//! J3 end_of_enum_switch
enum e { A, B };
static u32 f(enum e e) { switch (e) { case A: return 1; case B: return 2; } }
//! J3+ end_of_if
static u32 f(bool c) { if (c) return 1; }
//! J3+ end_of_loop
static u32 f(u32 c) { while (c) { if (c == 3) return 1; c--; } }
//! J3+ broken_loop
static u32 f(u32 c) { for (;;) { if (c == 3) break; c--; } }
//! J3 pointer_from_enum_switch
enum e { A, B };
static struct blob *f(enum e e, struct blob *b) { switch (e) { case A: return b; case B: return NULL; } }
//! J3 nested_enum_switch
enum e { A, B };
static bool f(enum e e, enum e g) { switch (e) { case A: switch (g) { case A: return true; case B: return false; } case B: return false; } }
//! J4+ self_initialiser
static u32 f(void) { u32 x = x + 1; return x; }
//! J4 self_pointer
struct n { struct n *p; };
static bool f(void) { struct n n = { &n }; return n.p == NULL; }
//! J4 self_in_macro
static u32 f(void) { u32 x = LOAD(x); return x; }
//! J4 self_struct
struct v { u32 a, b; };
static u32 f(void) { struct v v = { 1, v.a }; return v.b; }
//! X1+ bad_statement
static u32 f(u32 x) { goto *(x ? &&a : &&a); a: return x; }
//! clang large_frame
static u32 f(u32 i) { u32 x[4000] = { }; x[i & 3] = i; return x[i & 7]; }
u32 g(u32 i) { return f(i); }
