// Attacks on devices: windows, frames, interrupt handlers.
//! O1+ irq_handle_read
static u64 f(struct irq_handler *m) { return m->index_k; }
//! O1+ irq_handle_written
static void f(struct irq_handler *m) { m->index_k = 5; }
//! O2 irq_handler_forged
STABLE(s) { struct irq_handler m; };
static struct s one = { { 5, 5 } };
//! S1 irq_handler_on_the_stack
static void f(void) { struct irq_handler m; irq_detach(&m); }
//! S3 irq_handler_copied
OBJECT(o) { struct irq_handler a, b; };
static void f(struct o *o) { o->a = o->b; }
//! U4 irq_handler_as_bytes
static usize f(struct irq_handler *m) { return mbytes_len(MBYTES_OF(*m)); }
//! U4 irq_handler_read_from_bytes
static void f(struct irq_handler *m, bytes b) { POD_READ(m, b); }
//! P6 window_from_number
static u32 f(u64 at) { return mmio_read32((struct mmio *)at, 0); }
//! P6 frame_from_number
static u64 f(u64 at) { return frame_number((struct frame *)at); }
//! P5 window_from_frame
static u32 f(struct frame *f) { return mmio_read32((struct mmio *)f, 0); }
//! clang window_opened
static u64 f(struct mmio *w) { return w->at; }
//! clang device_opened
static void f(struct pci_device *d) { d->enabled = true; }
//! N4+ window_defined
STABLE(mmio) { u64 d; u64 at, size; u32 bar, taken; };
static void f(struct mmio *w) { w->size = U64_MAX; }
//! N4+ device_defined
STABLE(pci_device) { u64 model; };
static void f(struct pci_device *d) { d->model = 0; }
//! N2+ own_framework_declaration
bool frame_dma_pin(struct frame *f);
//! clang handler_of_another_type
OBJECT(o) { struct irq_handler h; };
static void fn(struct o *o) { (void)o; }
static err_t f(struct o *o, struct pci_device *d) { return irq_attach_msix(&o->h, d, 0, fn); }
