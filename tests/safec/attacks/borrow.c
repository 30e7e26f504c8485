// Attacks with borrows that outlive what they point to.
//! B3 store_to_out
static void f(bytes b, bytes *out) { *out = b; }
//! B3 store_local_to_out
static void f(mbytes *out) { u8 x[4] = { }; *out = MBYTES_OF(x); }
//! B3 store_into_struct
struct cur { bytes b; };
static void f(struct cur *c, bytes b) { c->b = b; }
//! B3 store_whole_struct
struct cur { bytes b; };
static void f(struct cur *c, bytes b) { *c = (struct cur){ b }; }
//! B3 store_self
struct node { struct node *next; };
static void f(struct node *n) { n->next = n; }
//! B3 store_other_content
struct cur { bytes b; };
static void f(struct cur *c, struct cur *d) { c->b = d->b; }
//! B3 swap
struct cur { bytes b; };
static void f(struct cur *c, struct cur *d) { struct cur t = *c; *c = *d; *d = t; }
//! B3 store_two_levels
struct in { bytes b; };
struct out { struct in *in; bytes b; };
static void f(struct out *o) { o->in->b = o->b; }
//! B3 store_by_value_struct
struct two { bytes *to; bytes *from; };
static void f(struct two t) { *t.to = *t.from; }
//! B3 store_merged_pointer
struct cur { bytes b; };
static void f(struct cur *c, struct cur *d, bool w) { struct cur *p = w ? c : d; p->b = c->b; }
//! B3 store_reassigned_parameter
struct cur { bytes b; };
static void f(struct cur *c, struct cur *d) { c = d; c->b = d->b; }
//! B3 store_by_macro
static void f(u32 **to, u32 *what) { PTR_STORE(*to, what); }
//! B3 store_by_exchange
static u32 *f(u32 **to, u32 *what) { return XCHG(*to, what); }
//! B3 store_by_cmpxchg
static bool f(u32 **to, u32 *what) { return CMPXCHG(*to, NULL, what); }
//! B3 store_through_local_pointer
static bytes f(bytes b) { bytes x = NO_BYTES; bytes *p = &x; *p = b; return x; }
//! B3 store_array_element
struct vec { bytes b[4]; };
static void f(struct vec *v, u32 i, bytes b) { v->b[i] = b; }
//! B3 store_in_loop
struct cur { bytes b; };
static void f(struct cur *c, bytes b) { for (u32 i = 0; i < 3; i++) c->b = bytes_skip(b, i); }
//! B3 store_in_condition
static bool f(bytes *out, bytes b) { return bytes_len(*out = b) > 0; }
//! B3 store_by_chain
static void f(bytes *out, bytes *out2, bytes b) { bytes x; x = b; *out = x; *out2 = NO_BYTES; }
//! B4 inner_to_outer
static u32 f(void) { u32 y = 0; u32 *p = &y; { u32 x = 1; p = &x; } return *p; }
//! B4 inner_slice
static u8 f(void) { bytes b = NO_BYTES; { u8 x[4] = { }; b = BYTES_OF(x); } return bytes_at(b, 0); }
//! B4 loop_carried
static u32 f(void) { u32 s = 0; u32 *last = &s; for (u32 i = 0; i < 4; i++) { u32 x = *last + 1; last = &x; } return s; }
//! B4 loop_variable
static u32 f(void) { u32 z = 0; u32 *p = &z; for (u32 i = 0; i < 4; i++) p = &i; return *p; }
//! B4 if_branch
static u32 f(bool c) { u32 z = 0; u32 *p = &z; if (c) { u32 x = 5; p = &x; } return *p; }
//! B4 switch_branch
static u32 f(u32 c) { u32 z = 0; u32 *p = &z; switch (c) { case 1: { u32 x = 5; p = &x; break; } default: break; } return *p; }
//! B4 literal_in_block
struct v { u32 x; };
static u32 f(void) { struct v z = { }; struct v *p = &z; { p = &(struct v){ 3 }; } return p->x; }
//! B4 into_struct_field
struct v { u32 *p; };
static u32 f(void) { struct v v = { }; { u32 x = 1; v.p = &x; } return *v.p; }
//! B4 into_array
static u32 f(void) { u32 *v[2] = { }; { u32 x = 1; v[1] = &x; } return *v[1]; }
//! B4 through_call
static bytes g(bytes b) { return bytes_skip(b, 1); }
static u8 f(void) { bytes b = NO_BYTES; { u8 x[4] = { }; b = g(BYTES_OF(x)); } return bytes_at(b, 0); }
//! B4 through_struct_call
struct v { bytes b; u32 n; };
static struct v g(bytes b) { return (struct v){ b, 1 }; }
static u8 f(void) { struct v v = { }; { u8 x[4] = { }; v = g(BYTES_OF(x)); } return bytes_at(v.b, 0); }
//! B4 through_pointer_content
struct v { bytes b; };
static bytes g(struct v *v) { return v->b; }
static u8 f(void) { bytes b = NO_BYTES; { u8 x[4] = { }; struct v v = { BYTES_OF(x) }; b = g(&v); } return bytes_at(b, 0); }
//! B4 two_steps
static u32 f(void) { u32 z = 0; u32 *p = &z; { u32 x = 1; u32 *q = &x; { u32 *r = q; p = r; } } return *p; }
//! B4 by_goto_back
static u32 f(void)
{
        u32 z = 0, n = 0;
        u32 *p = &z;
again:  if (n++ == 0) {
                u32 x = 5;
                p = &x;
                goto again;
        }
        return *p;
}
//! B4 conditional
static u32 f(bool c) { u32 z = 0; u32 *p = &z; { u32 x = 1; p = c ? &x : &z; } return *p; }
//! B4 comma
static u32 f(void) { u32 z = 0; u32 *p = &z; { u32 x = 1; p = (z++, &x); } return *p; }
//! B4 parameter_takes_inner
static u32 f(u32 *p) { { u32 x = 1; p = &x; } return *p; }
//! B5 return_local
static u32 *f(void) { u32 x = 1; return &x; }
//! B5 return_slice
static bytes f(void) { u8 x[4] = { }; return BYTES_OF(x); }
//! B5 return_parameter_address
static u32 *f(u32 x) { return &x; }
//! B5 return_struct
struct v { u32 *p; };
static struct v f(void) { u32 x = 1; return (struct v){ &x }; }
//! B5 return_through_call
static bytes g(bytes b) { return b; }
static bytes f(void) { u8 x[4] = { }; return g(BYTES_OF(x)); }
//! B5 return_array_element
static u8 *f(u32 i) { u8 x[4] = { }; return &x[i]; }
//! B5 return_literal
struct v { u32 x; };
static struct v *f(void) { return &(struct v){ 3 }; }
//! B5 return_field
struct v { u32 x; };
static u32 *f(struct v v) { return &v.x; }
//! B5 return_from_pin
static bytes f(struct frame *x) { PIN(p, x); return bytes_const(pin_bytes(&p)); }
//! B5 return_stored
static u32 *f(u32 *q) { u32 x = 1; u32 *p = q; p = &x; return p; }
//! B5 return_by_assignment
static u32 *f(u32 *q) { u32 x = 1; u32 *p; return p = q ? q : &x; }
//! B5 return_guarded
static u32 *f(struct mutex *m) { GUARD(m); u32 x = 1; return &x; }
//! B5 return_pointer_to_slice
static bytes *f(bytes b) { return &b; }
//! B5 return_content_of_local
struct v { bytes b; };
static bytes g(struct v *v) { return v->b; }
static bytes f(bytes b) { struct v v = { b }; return g(&v); }
//! B8 slice_before_pin
static u8 f(struct frame *x) { u8 z[1] = { }; mbytes b = MBYTES_OF(z); PIN(p, x); b = pin_bytes(&p); return mbytes_at(b, 0); }
//! B8 slice_outlives_pin
static u8 f(struct frame *x) { bytes b = NO_BYTES; PIN(p, x); b = bytes_const(pin_bytes(&p)); return bytes_at(b, 0); }
//! B4 slice_leaves_pin_block
static u8 f(struct frame *x) { bytes b = NO_BYTES; { PIN(p, x); b = bytes_const(pin_bytes(&p)); } return bytes_at(b, 0); }
//! B8 cleanup_holds_later_local
struct held { u32 *p; };
static void done(struct held *h) { if (h->p) *h->p = 5; }
static void f(void) { struct held h CLEANUP(done) = { }; u32 x = 1; h.p = &x; }
//! B8 cleanup_holds_later_slice
struct held { mbytes b; };
static void done(struct held *h) { if (mbytes_len(h->b)) mbytes_put(h->b, 0, 1); }
static void f(void) { struct held h CLEANUP(done) = { }; u8 x[8] = { }; h.b = MBYTES_OF(x); }
//! B4 pin_in_loop
static u8 f(struct frame *x) { bytes b = NO_BYTES; for (u32 i = 0; i < 2; i++) { PIN(p, x); b = bytes_const(pin_bytes(&p)); } return bytes_at(b, 0); }
//! B7 nine_parameters
static u32 f(u32 a, u32 b, u32 c, u32 d, u32 e, u32 g, u32 h, u32 i, u32 j) { return a + b + c + d + e + g + h + i + j; }
//! B7 seventeen_parameters_pointer
struct s { u32 (*f)(u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *, u32 *); };
//! B5 three_hundred_locals
#define TEN(P) u32 P##0 = 0, P##1 = 0, P##2 = 0, P##3 = 0, P##4 = 0, P##5 = 0, P##6 = 0, P##7 = 0, P##8 = 0, P##9 = 0; \
        u32 *P##p0 = &P##0, *P##p1 = P##p0, *P##p2 = P##p1, *P##p3 = P##p2, *P##p4 = P##p3; *P##p4 += P##1 + P##2 + P##3 + P##4 + P##5 + P##6 + P##7 + P##8 + P##9;
static u32 *f(void)
{
        TEN(a) TEN(b) TEN(c) TEN(d) TEN(e) TEN(g) TEN(h) TEN(ii) TEN(j) TEN(k) TEN(l) TEN(m) TEN(n) TEN(o) TEN(q) TEN(r) TEN(s) TEN(t) TEN(uu)
        return kp4;
}
//! B4 hundred_scopes
#define OPEN {{{{{{{{{{
#define SHUT }}}}}}}}}}
static u32 f(void)
{
        u32 z = 0;
        u32 *p = &z;
        OPEN OPEN OPEN OPEN OPEN OPEN OPEN OPEN OPEN OPEN
        u32 x = 1;
        p = &x;
        SHUT SHUT SHUT SHUT SHUT SHUT SHUT SHUT SHUT SHUT
        return *p;
}
//! B4 backwards_chain
static u32 f(void)
{
        u32 z = 0;
        u32 *a = &z, *b = &z, *c = &z, *d = &z;
        for (u32 i = 0; i < 5; i++) {
                u32 x = i;
                a = b;
                b = c;
                c = d;
                d = &x;
        }
        return *a;
}
