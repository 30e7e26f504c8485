/* SPDX-License-Identifier: Apache-2.0
 *
 * Every form of lvalue that reaches an element of a true array, each as a
 * function of the index.  All arrays have four elements: 3 is in, 4 is out.
 */
#pragma once

struct pair { u32 a, b; };
struct row { u32 cell[4]; struct pair pairs[4]; u32 grid[4][4]; u8 bytes[4]; bool flags[4]; i16 shorts[4]; };
struct in { struct row row; u32 after; };
STABLE(table) { struct in in; struct in many[4]; struct table *link[4]; u32 (*call[4])(u32); union { u32 words[4]; u64 doubles[2]; } u; };
struct small { u8 c[4]; };

static struct table table;
static u32 numbers[4];
static u64 wide[4];
static u8 narrow[4];
static struct pair pairs[4];
static struct row rows[4];
static const u32 fixed[4] = { 1, 2, 3, 4 };

static u32 same(u32 x) { return x; }
static u32 through(u32 *p) { return *p; }
static u32 by_value(struct pair p) { return p.a; }
static u32 by_large_value(struct row r) { return r.cell[0]; }
static struct pair make_pair(u32 x) { return (struct pair){ x, x }; }
static struct row *the_row(void) { return &rows[0]; }
static u32 sink;

/* name, what it does with index i */
#define FORMS(F) \
        F(read_global, sink = numbers[i]) \
        F(write_global, numbers[i] = 1) \
        F(read_const, sink = fixed[i]) \
        F(read_wide, sink = (u32)wide[i]) \
        F(write_narrow, narrow[i] = 1) \
        F(add_assign, numbers[i] += 2) \
        F(or_assign, narrow[i] |= 2) \
        F(shift_assign, wide[i] <<= 1) \
        F(post_increment, numbers[i]++) \
        F(pre_increment, ++numbers[i]) \
        F(post_decrement, narrow[i]--) \
        F(increment_value, sink = numbers[i]++) \
        F(struct_assign, pairs[i] = make_pair(1)) \
        F(struct_copy_from, struct pair p = pairs[i]; sink = p.a) \
        F(struct_copy_to_literal, pairs[i] = (struct pair){ 1, 2 }) \
        F(struct_zero, pairs[i] = (struct pair){ }) \
        F(struct_copy_both, pairs[i] = pairs[i & 3]) \
        F(large_struct_copy, rows[i] = rows[0]) \
        F(large_struct_from, struct row r = rows[i]; sink = r.cell[0]) \
        F(member_of_element, sink = pairs[i].b) \
        F(member_of_element_parens, sink = (pairs[i]).b) \
        F(member_write, pairs[i].b = 3) \
        F(member_increment, pairs[i].b++) \
        F(address, u32 *p = &numbers[i]; sink = p != NULL) \
        F(address_passed, through(&numbers[i])) \
        F(address_of_member, u32 *p = &pairs[i].b; sink = *p) \
        F(address_parens, u32 *p = &(numbers[i]); sink = p != NULL) \
        F(deref_address, sink = *&numbers[i]) \
        F(arrow_of_address, sink = (&pairs[i])->b) \
        F(passed_by_value, sink = by_value(pairs[i])) \
        F(passed_large, sink = by_large_value(rows[i])) \
        F(passed_scalar, sink = same(numbers[i])) \
        F(outer_index, sink = rows[i].cell[1]) \
        F(inner_index, sink = rows[1].cell[i]) \
        F(inner_write, rows[1].cell[i] = 1) \
        F(grid_outer, sink = rows[1].grid[i][1]) \
        F(grid_inner, sink = rows[1].grid[1][i]) \
        F(grid_inner_write, rows[1].grid[1][i] = 4) \
        F(grid_row_address, u32 (*p)[4] = &rows[1].grid[i]; sink = (*p)[0]) \
        F(pointer_to_array, u32 (*p)[4] = &numbers; sink = (*p)[i]) \
        F(pointer_to_array_write, u32 (*p)[4] = &numbers; (*p)[i] = 1) \
        F(through_struct_pointer, sink = the_row()->cell[i]) \
        F(through_struct_pointer_write, the_row()->cell[i] = 1) \
        F(nested_member, sink = table.in.row.cell[i]) \
        F(nested_pairs, table.in.row.pairs[i].a = 1) \
        F(nested_many, sink = table.many[i].row.cell[0]) \
        F(nested_many_address, u32 *p = &table.many[i].after; sink = p != NULL) \
        F(pointer_element, table.link[i] = NULL) \
        F(pointer_element_read, sink = table.link[i] == NULL) \
        F(function_element, sink = table.call[i] == NULL) \
        F(union_array, sink = table.u.words[i]) \
        F(union_array_write, table.u.words[i] = 7) \
        F(bool_element, sink = rows[0].flags[i]) \
        F(bool_write, rows[0].flags[i] = true) \
        F(signed_short, sink = (u32)rows[0].shorts[i]) \
        F(local, u32 a[4] = { }; a[i] = 1; sink = a[0]) \
        F(local_read, u32 a[4] = { 1, 2 }; sink = a[i]) \
        F(local_struct, struct row r = { }; r.cell[i] = 1; sink = r.cell[0]) \
        F(local_bytes, struct small s = { }; s.c[i]++; sink = s.c[0]) \
        F(local_address, u32 a[4] = { }; u32 *p = &a[i]; sink = p != NULL) \
        F(local_element_struct, struct pair a[4] = { }; a[i].b = 1; sink = a[0].b) \
        F(in_condition, if (numbers[i]) sink = 1) \
        F(in_logic, sink = i && numbers[i]) \
        F(in_choice, sink = i ? numbers[i] : 0) \
        F(in_return_of_call, sink = same(numbers[i] + 1)) \
        F(in_switch, switch (numbers[i]) { case 5: sink = 1; break; default: break; }) \
        F(in_loop, for (u32 n = 0; n < 1; n++) numbers[i + n] = n) \
        F(comma, sink = (same(1), numbers[i])) \
        F(discarded, (void)numbers[i]; sink = LOAD(numbers[i])) \
        F(index_of_index, sink = numbers[numbers[0] + i]) \
        F(u64_index, u64 w = i; sink = numbers[w]) \
        F(i64_index, i64 w = (i64)(i32)i; sink = numbers[w]) \
        F(i32_index, i32 w = (i32)i; numbers[w] = 1) \
        F(u16_index, u16 w = (u16)i; sink = numbers[w]) \
        F(load_macro, sink = LOAD(numbers[i])) \
        F(store_macro, STORE(numbers[i], 1)) \
        F(fetch_add_macro, FETCH_ADD(numbers[i], 1)) \
        F(exchange_macro, XCHG(wide[i], 1)) \
        F(bytes_of_element, sink = (u32)bytes_len(BYTES_OF(rows[i].bytes))) \
        F(pod_write_element, u8 a[8] = { }; POD_WRITE(MBYTES_OF(a), wide[i])) \
        F(pod_read_element, u8 a[8] = { }; POD_READ(&wide[i], BYTES_OF(a))) \
        F(self_assign, numbers[i] = numbers[i]) \
        F(address_subscripted_member, u8 *p = &rows[0].bytes[i]; sink = p != NULL)

#define FORM_FUNCTION(NAME, ...) static void NAME(u32 i) { __VA_ARGS__; }
FORMS(FORM_FUNCTION)
STABLE(form) { void (*run)(u32 i); };
#define FORM_ENTRY(NAME, ...) { NAME },
static const struct form forms[] = { FORMS(FORM_ENTRY) };
