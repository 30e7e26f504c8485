/* SPDX-License-Identifier: Apache-2.0
 *
 * Marks: the words by which trusted headers tell the Safe C checker (and the
 * reader) what a type or function is.  See docs/safe-c.md.  Only headers under
 * frame/include may spell the attributes; services spell the words.
 *
 *   OBJECT(T)   struct T, allocated only from its own pool; a pointer to it
 *               may be stored anywhere and always points at a slot's start
 *   BASE(T)     struct T, lives only as the first member of an OBJECT (or of
 *               another BASE): a pointer to it also points at a slot's start
 *   STABLE(T)   struct T, lives only in globals or inside OBJECT, BASE, STABLE
 *   plain       a value; a pointer to it is a borrow
 *
 * OBJECT(T); BASE(T); STABLE(T); are also the forward declarations.
 */
#pragma once

/* Types */
#define OBJECT(TYPE)   struct __attribute__((btf_decl_tag("keel:object"))) TYPE
#define BASE(TYPE)     struct __attribute__((btf_decl_tag("keel:base"))) TYPE
#define STABLE(TYPE)   struct __attribute__((btf_decl_tag("keel:stable"))) TYPE
/* Framework types: fields may not be named by services. OPAQUE alone is a value type. */
#define K_OPAQUE       __attribute__((btf_decl_tag("keel:opaque")))
/* A value that carries a borrow inside (slices, guards, pins): never stored in objects. */
#define K_BORROW       __attribute__((btf_decl_tag("keel:borrow")))
/* A value that only its own macro declares, with its cleanup, and nobody copies (pins, cursors). */
#define K_PINNED       __attribute__((btf_decl_tag("keel:pinned")))
/* A framework struct field that services may read by value but not write. */
#define K_READONLY     __attribute__((btf_decl_tag("keel:readonly")))

/* Functions */
#define SAFE_API       __attribute__((btf_decl_tag("keel:safe")))   /* services may call it */
#define SERVICE_DEFINES __attribute__((btf_decl_tag("keel:service")))  /* a service defines it; the framework calls it */
/* Parameters of type `void *` that only framework macros pass: what the
 * pointee's type must be, checked at the macro's use in a service. */
#define K_POD          __attribute__((btf_decl_tag("keel:pod")))     /* pointee is POD; read only */
#define K_MPOD         __attribute__((btf_decl_tag("keel:mpod")))    /* POD without const members; written */
#define K_ANYOBJ       __attribute__((btf_decl_tag("keel:anyobj")))  /* OBJECT or BASE */

/* Words services use on their own declarations */
#define must_check     __attribute__((warn_unused_result))
#define fallthrough    __attribute__((fallthrough))
#define unused         __attribute__((unused))
#define noinline       __attribute__((noinline))
#define PACKED         __attribute__((packed))
#define CACHE_ALIGNED  __attribute__((aligned(64)))
#define CLEANUP(f)     __attribute__((cleanup(f)))
/* Notation for people (STYLE.md, 7); nothing checks these yet. */
#define GUARDED(lock)
#define REQUIRES(lock)
#define OWNED
#define ATOMIC

/* Macro parameters spelled TYPE, MEMBER, LITERAL, CONST or NAME take exactly
 * one token of that sort (CONST: or an integer constant expression). */
