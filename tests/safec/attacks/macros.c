// Attacks on the framework's public macros and functions, each at least once.
//! U4 bytes_of_pointer
static usize f(struct blob *b) { return bytes_len(BYTES_OF(b)); }
//! U4 bytes_of_bool
static usize f(bool b) { return bytes_len(BYTES_OF(b)); }
//! U4 bytes_of_slice
static usize f(bytes b) { return bytes_len(BYTES_OF(b)); }
//! U4 bytes_of_object
OBJECT(o) { u32 a, b; };
static usize f(struct o *o) { return bytes_len(BYTES_OF(*o)); }
//! U4 bytes_of_stable_integers
STABLE(s) { u64 a, b; };
static usize f(struct s *s) { return mbytes_len(MBYTES_OF(*s)); }
//! U4 bytes_of_lock
OBJECT(o) { struct spinlock l; };
static usize f(struct o *o) { return mbytes_len(MBYTES_OF(o->l)); }
//! U4 bytes_of_function
static usize f(void) { return bytes_len(BYTES_OF(f)); }
//! U4 bytes_of_padding
struct v { u8 a; u32 b; };
static usize f(struct v *v) { return bytes_len(BYTES_OF(*v)); }
//! U4 bytes_of_tail_padding
struct v { u32 b; u8 a; };
static usize f(struct v *v) { return bytes_len(BYTES_OF(*v)); }
//! U4 bytes_of_bit_field_padding
struct v { u32 a : 5; };
static usize f(struct v *v) { return bytes_len(BYTES_OF(*v)); }
//! U4 bytes_of_unnamed_bits
struct v { u32 a : 5; u32 : 27; };
static usize f(struct v *v) { return bytes_len(BYTES_OF(*v)); }
//! U4 bytes_of_enum_struct_with_bool
struct v { u8 a[7]; bool b; };
static usize f(struct v *v) { return mbytes_len(MBYTES_OF(*v)); }
//! U4 mbytes_of_const_member
struct v { u32 a; const u32 n; };
static usize f(struct v *v) { return mbytes_len(MBYTES_OF(*v)); }
//! U4 mbytes_of_const_nested
struct in { const u8 n[4]; };
struct v { u32 a; struct in in; };
static usize f(struct v *v) { return mbytes_len(MBYTES_OF(*v)); }
//! clang mbytes_of_const
static usize f(const u32 *v) { return mbytes_len(MBYTES_OF(*v)); }
//! U4 mbytes_of_error
static usize f(err_t *e) { return mbytes_len(MBYTES_OF(*e)); }
#define UNUSED 1
OBJECT(o) { struct o *p; };
static usize g(struct o *o) { return mbytes_len(MBYTES_OF(o->p)); }
//! clang bytes_of_rvalue
static bytes f(void) { return BYTES_OF(5 + 6); }
//! clang bytes_of_pointer_value
static usize f(void) { u8 a[4] = { }; return bytes_len(BYTES_OF(&a)); }
//! U4 pod_read_object
OBJECT(o) { u32 a; };
static void f(struct o *o, bytes b) { POD_READ(o, b); }
//! U4 pod_read_pointer
static void f(struct blob **p, bytes b) { POD_READ(p, b); }
//! U4 pod_read_struct_with_pointer
struct v { u64 a; struct blob *p; };
static void f(struct v *v, bytes b) { POD_READ(v, b); }
//! U4 pod_read_bool
static bool f(bytes b) { bool v = false; POD_READ(&v, b); return v; }
//! U4 pod_read_slice
static bytes f(bytes b) { bytes v = NO_BYTES; POD_READ(&v, b); return v; }
//! U4 pod_read_union_padding
struct v { u8 a; u16 b; };
static void f(struct v *v, bytes b) { POD_READ(v, b); }
//! U4 pod_write_pointer
static void f(mbytes m, struct blob *p) { POD_WRITE(m, p); }
//! U4 pod_write_guard
static void f(mbytes m, struct frame *x) { PIN(p, x); POD_WRITE(m, p); }
//! U4 pod_write_function
static void f(mbytes m) { void (*p)(mbytes) = f; POD_WRITE(m, p); }
//! clang pod_read_integer
static void f(u64 at, bytes b) { POD_READ(at, b); }
//! clang pod_read_const
static void f(const u32 *p, bytes b) { POD_READ(p, b); }
//! clang store_wrong_type
OBJECT(o) { struct o *next; };
static void f(struct o *o, struct blob *b) { PTR_STORE(o->next, b); }
//! clang store_integer_as_pointer
OBJECT(o) { struct o *next; };
static void f(struct o *o, u64 x) { STORE(o->next, x); }
//! clang exchange_wrong_type
OBJECT(o) { struct o *next; };
static void f(struct o *o, struct blob *b) { XCHG(o->next, b); }
//! clang cmpxchg_wrong_type
OBJECT(o) { struct o *next; };
static void f(struct o *o, struct blob *b) { CMPXCHG(o->next, NULL, b); }
//! clang cmpxchg_wrong_old
OBJECT(o) { struct o *next; };
static void f(struct o *o, struct blob *b) { CMPXCHG(o->next, b, NULL); }
//! clang store_const
static void f(const u32 *p) { STORE(*p, 5); }
//! clang store_struct
struct v { u64 a, b; };
static void f(struct v *p, struct v q) { STORE(*p, q); }
//! clang load_rvalue
static u32 f(u32 x) { return LOAD(x + 1); }
//! clang load_bit_field
struct v { u32 a : 5; };
static u32 f(struct v *v) { return LOAD(v->a); }
//! clang downcast_wrong_base
BASE(b) { u32 x; };
BASE(c) { u32 x; };
OBJECT(o) { struct b base; };
POOL_DECLARE(o)
DOWNCASTABLE(o, b);
static struct o *f(struct c *c) { return DOWNCAST(o, c); }
//! clang downcast_no_base
OBJECT(o) { u32 base; };
POOL_DECLARE(o)
DOWNCASTABLE(o, b);
//! clang downcastable_not_first
BASE(b) { u32 x; };
struct v { u32 x; };
OBJECT(o) { u64 y; struct v base; };
POOL_DECLARE(o)
DOWNCASTABLE(o, v);
//! clang owner_wrong_member_type
OBJECT(o) { struct timer t; struct waitq w; };
POOL_DECLARE(o)
static struct o *f(struct waitq *w) { return OWNER_OF(o, t, w); }
//! clang owner_unknown_member
OBJECT(o) { struct timer t; };
POOL_DECLARE(o)
static struct o *f(struct timer *w) { return OWNER_OF(o, u, w); }
//! M4+ owner_of_nested_member
OBJECT(o) { struct { struct timer t; } in; };
POOL_DECLARE(o)
static struct o *f(struct timer *t) { return OWNER_OF(o, in.t, t); }
//! clang pool_of_value
struct v { u32 x; };
POOL_DECLARE(v)
POOL_DEFINE(v, K_NONE);
//! S5 pool_of_plain_struct
struct v { u32 x; };
POOL_DECLARE(v)
POOL_DEFINE(v, NULL);
//! S5 pool_of_stable
STABLE(v) { u32 x; };
POOL_DECLARE(v)
//! S5 base_declare_of_stable
STABLE(v) { u32 x; };
BASE_DECLARE(v)
//! S5 base_declare_of_value
struct v { u32 x; };
BASE_DECLARE(v)
//! clang pool_fini_wrong_type
OBJECT(o) { u32 x; };
POOL_DECLARE(o)
static void done(struct blob *b) { blob_drop(b); }
POOL_DEFINE(o, done);
//! P5+ pool_fini_cast
OBJECT(o) { u32 x; };
POOL_DECLARE(o)
static void done(struct blob *b) { blob_drop(b); }
POOL_DEFINE(o, (void (*)(struct o *))done);
//! clang pool_too_large
OBJECT(o) { u8 x[65536]; };
POOL_DECLARE(o)
POOL_DEFINE(o, NULL);
//! clang pool_unknown_type
OBJECT(o);
POOL_DECLARE(o)
POOL_DEFINE(o, NULL);
//! clang guard_wrong_lock
static void f(struct spinlock *l) { GUARD(l); }
//! clang guard_null_integer
static void f(u64 l) { GUARD(l); }
//! S1+ guard_local_lock
static void f(void) { struct mutex m = { }; GUARD(&m); }
//! N1+ guard_named
static u32 f(struct mutex *m) { GUARD(m); return guard_k_0.l != NULL; }
//! clang lock_init_wrong
LOCK_CLASS(a);
static void f(struct waitq *q) { lock_init(q, a); }
//! clang lock_init_unknown_class
static void f(struct mutex *q) { lock_init(q, nowhere); }
//! N1+ lock_class_own_field
LOCK_CLASS(a, .id_k = 5);
//! clang lock_class_positional
LOCK_CLASS(a, "name");
//! M4+ lock_class_name_expression
LOCK_CLASS(a b);
//! clang assert_struct
static void f(err_t e) { assert(e); }
//! clang try_in_void
static void f(void) { TRY(OK); }
//! clang try_integer
static err_t f(void) { TRY(5); return OK; }
//! clang error_from_integer
static err_t f(void) { return 5; }
//! clang error_as_boolean
static bool f(err_t e) { return !e; }
//! clang error_compare
static bool f(err_t e) { return e == OK; }
//! clang log_too_many
static void f(u32 x) { klog(LOG_INFO, "", x, x, x, x, x, x, x, x, x); }
//! clang log_pointer
static void f(struct blob *b) { klog(LOG_INFO, "{}", b); }
//! clang log_struct
struct v { u32 x; };
static void f(struct v v) { klog(LOG_INFO, "{}", v); }
//! clang log_string_pointer
static void f(const u8 *p) { klog(LOG_INFO, "{}", p); }
//! M4+ str_of_macro_expression
#define TEXT ("a")
static bytes f(void) { return STR(TEXT); }
//! clang cursor_wrong_space
static void f(struct frame *x) { VM_CURSOR(c, x, 5); cursor_unmap(&c); }
//! O1+ cursor_field
static u64 f(struct vmspace *s) { VM_CURSOR(c, s, 5); return c.addr; }
//! O1+ pin_field
static bool f(struct frame *x) { PIN(p, x); return p.f_k != NULL; }
//! B5 cursor_escapes
static struct vm_cursor *f(struct vmspace *s) { VM_CURSOR(c, s, 5); return &c; }
//! O4 copy_pin
static void f(struct frame *x) { PIN(p, x); struct pin q = p; pin_bytes(&q); }
//! O4 return_pin
static struct pin *g(struct pin *p) { return p; }
static struct pin f(struct pin *p) { return *g(p); }
//! O4 zero_pin
static void f(void) { struct pin p = { }; pin_bytes(&p); }
//! O4 pin_in_struct
struct v { u32 n; struct pin p; };
//! S5 downcast_value_first
struct v { u32 x; };
OBJECT(o) { struct v base; struct v others[4]; };
POOL_DECLARE(o)
DOWNCASTABLE(o, v);
static struct o *f(struct o *o) { return DOWNCAST(o, &o->others[1]); }
//! S5 is_a_value_first
STABLE(v) { u32 x; };
OBJECT(o) { struct v base; struct v others[4]; };
POOL_DECLARE(o)
DOWNCASTABLE(o, v);
static bool f(struct o *o) { return IS_A(o, &o->others[1]); }
//! S5 order_of_no_objects
static bool f(u32 *a, u32 *b) { return OBJECT_BEFORE(a, b); }
//! O4 assign_cursor
static void f(struct vmspace *s) { VM_CURSOR(c, s, 5); VM_CURSOR(d, s, 5); c = d; }
//! O4 pin_pod_copy
struct v { u32 n; };
static void f(struct frame *x, struct pin *q) { PIN(p, x); *q = p; struct { struct pin p; } v = { p }; pin_bytes(&v.p); }
//! C1+ hidden_unpin
static void f(struct frame *x) { PIN(p, x); k_unpin(&p); }
//! clang waiter_as_value
static void f(struct waitq *q) { WAITER(w); waiter_add(w, q); }
//! C1+ hidden_publish
OBJECT(o) { u32 x; };
POOL_DECLARE(o)
static void f(struct blob *b) { k_publish(b); }
//! N1+ pool_as_variable
OBJECT(o) { u32 x; };
POOL_DECLARE(o)
static u64 f(void) { return k_pool_o.base_k; }
//! clang fini_called_with_base
BASE(b) { u32 x; };
BASE_DECLARE(b)
OBJECT(o) { struct b b; };
static void f(struct o *o) { b_drop(o); }
//! O4 pin_second_declarator
static void f(struct frame *x) { PIN(p, x), q; pin_bytes(&p); pin_bytes(&q); }
//! O4+ pin_second_declarator_with_cleanup
static void done(struct pin *p) { pin_bytes(p); }
static void f(struct frame *x) { CLEANUP(done) PIN(p, x), q; pin_bytes(&q); }
//! A1 two_cleanups
static void done(struct pin *p) { pin_bytes(p); }
static void f(struct frame *x) { CLEANUP(done) PIN(p, x); pin_bytes(&p); }
//! O4 pin_second_declarator_copies
static void f(struct frame *x) { PIN(p, x), q = p; pin_bytes(&q); }
//! clang static_pin
static void f(struct frame *x) { static PIN(p, x); pin_bytes(&p); }
//! O2+ lock_class_with_initialiser
LOCK_CLASS_DECLARE(a) = { NULL, { NULL }, 5 };
//! link lock_class_as_array
LOCK_CLASS_DECLARE(a)[1000];
u32 f(void) { return 1; }
//+ other.c
LOCK_CLASS(a);
//! O2+ pool_second_declarator
OBJECT(o) { u32 x; };
POOL_DECLARE(o)
POOL_DEFINE(o, NULL), other = { 1, 2, 3 };
//! clang null_arithmetic_type
static u32 f(void) { return *(NULL + 1); }
//! P5 null_choice_pun
static u32 *f(bool c, u32 n) { return c ? (n ? NULL : NULL) : NULL; }
//! clang base_declare_of_framework_object
BASE_DECLARE(vmspace)
//! clang pool_declare_of_framework_object
POOL_DECLARE(payer)
//! clang pool_defined_twice
OBJECT(o) { u32 a; };
POOL_DECLARE(o)
POOL_DEFINE(o, NO_FINI);
POOL_DEFINE(o, NO_FINI);
//! S5+ pool_by_typedef
OBJECT(o) { u32 a; };
typedef struct o other;
POOL_DECLARE(other)
//! O4 pin_by_auto
static void f(struct frame *fr) { PIN(p, fr); auto q = p; (void)q; }
//! O4 cursor_literal
static void f(void) { cursor_unmap(&(struct vm_cursor){ }); }
//! T1+ null_by_auto
static struct frame *f(struct task *t) { auto v = NULL; v = t; struct frame *x = v; return x; }
//! O3 exchange_readonly
static struct task *f(struct task_body *b) { return XCHG(b->task, NULL); }
//! B4 log_argument_assigns
static u8 f(void) { bytes b = NO_BYTES; { u8 x[2] = { }; klog(LOG_INFO, "{}", (b = BYTES_OF(x))); } return bytes_at(b, 0); }
//! clang log_nine_arguments
static void f(u32 a) { klog(LOG_INFO, "{}", a, a, a, a, a, a, a, a, 8); }
//! P1+ lock_class_after_arithmetic
LOCK_CLASS(first);
LOCK_CLASS(second, AFTER(first + 1));
//! B3 borrow_to_what_a_parameter_leads_to
struct cur { bytes rest; };
struct pair { struct cur *in; struct cur *out; };
static void f(struct pair p) { p.out->rest = p.in->rest; }
//! O4 scratch_by_hand
static usize f(void) { struct scratch s; return bytes_len(scratch_bytes(&s)); }
//! O4 scratch_second_declarator
static usize f(void) { SCRATCH(s), q; return bytes_len(scratch_bytes(&s)) + bytes_len(scratch_bytes(&q)); }
//! O4+ scratch_copied
static usize f(void) { SCRATCH(s); SCRATCH(q); q = s; return bytes_len(scratch_bytes(&q)); }
//! O4+ scratch_in_struct
static usize f(void) { struct { struct scratch s; } v = { }; return bytes_len(scratch_bytes(&v.s)); }
//! N1+ scratch_field
static u8 f(void) { SCRATCH(s); return s.b_k[5]; }
//! U4+ scratch_as_bytes
static u8 f(void) { SCRATCH(s); return bytes_at(BYTES_OF(s), 9); }
//! B5 scratch_outlived
static bytes f(void) { SCRATCH(s); return scratch_bytes(&s); }
//! clang static_scratch
static usize f(void) { static SCRATCH(s); return bytes_len(scratch_bytes(&s)); }
