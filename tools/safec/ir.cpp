// SPDX-License-Identifier: Apache-2.0
//
// The pass over the IR of each object, in the compilation that makes it.
//
// At the start of the pipeline:
//   - every element address in a true array ([N x T]) is checked strictly;
//     clang's own check lets index N pass in many forms
//   - loads and stores of memory that other tasks may see become `unordered`
//     atomics (volatile where misaligned or of odd size), copies of structs go
//     word by word: the optimiser may neither read twice nor tear a word
//   - every stack slot is zero when it comes to life (of a struct scratch its length)
//   - constants hold zeros where they held undefined padding
// At its end a second run verifies that no plain access to shared memory is left.
//
// Local memory is what is based on an alloca, a by-value parameter or the place
// of a returned struct; constants are never written, so plain reads of them are fine.
#include "shared.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace safec {
namespace {
const unsigned OUT_OF_BOUNDS = 18;      // the number clang's own bounds trap carries
const uint64_t UNROLL = 128;            // bytes copied without a loop

bool on(const char *rule) { return !shared.off.count(rule); }

// Every pointer that v may be is local, or constant data.
bool isLocal(Value *v, SmallPtrSetImpl<Value *> &seen, bool reading)
{
        v = v->stripPointerCasts();
        if (!seen.insert(v).second)
                return true;
        if (isa<AllocaInst>(v))
                return true;
        if (auto *a = dyn_cast<Argument>(v))
                return a->hasByValAttr() || a->hasStructRetAttr();
        if (auto *g = dyn_cast<GEPOperator>(v))
                return isLocal(g->getPointerOperand(), seen, reading);
        if (auto *p = dyn_cast<PHINode>(v)) {
                for (Value *in : p->incoming_values())
                        if (!isLocal(in, seen, reading))
                                return false;
                return true;
        }
        if (auto *s = dyn_cast<SelectInst>(v))
                return isLocal(s->getTrueValue(), seen, reading) && isLocal(s->getFalseValue(), seen, reading);
        if (auto *g = dyn_cast<GlobalVariable>(v))
                return reading && g->isConstant();
        if (isa<UndefValue>(v))
                return true;
        if (auto *i = dyn_cast<IntrinsicInst>(v))
                if (i->getIntrinsicID() == Intrinsic::launder_invariant_group || i->getIntrinsicID() == Intrinsic::ptrmask)
                        return isLocal(i->getArgOperand(0), seen, reading);
        return false;
}

bool local(Value *v, bool reading = false)
{
        SmallPtrSet<Value *, 8> seen;
        return isLocal(v, seen, reading);
}

bool skipped(const Function &f)
{
        return f.isDeclaration() || f.hasFnAttribute(Attribute::Naked);
}

void complain(Function &f, Instruction *i, const Twine &what)
{
        std::string text = ("safec: " + what + " in " + f.getName()).str();
        if (i && i->getDebugLoc())
                text += " (line " + std::to_string(i->getDebugLoc().getLine()) + ")";
        f.getContext().emitError(text);
}

class Rewrite {
        Module &M;
        const DataLayout &DL;

public:
        explicit Rewrite(Module &m) : M(m), DL(m.getDataLayout()) {}

        void run()
        {
                if (!shared.frame || true)
                        fillConstants();
                for (Function &f : M) {
                        if (skipped(f))
                                continue;
                        if (on("IR-BOUNDS") && on("TRAPS"))
                                bounds(f);
                        if (!on("TRAPS"))
                                dropTraps(f);
                        if (on("IR-ATOMIC"))
                                atomics(f);
                        if (on("IR-ZERO"))
                                zero(f);
                }
        }

        //--- measuring what they cost ----------------------------------------

        // off=TRAPS: no check of bounds, values, call types or the stack's end is left; what led to a trap is
        // taken not to happen. Zeroed slots and whole words stay: they are what the language means.
        void dropTraps(Function &f)
        {
                std::vector<CallBase *> traps, typed;
                for (Instruction &i : instructions(f)) {
                        auto *c = dyn_cast<CallBase>(&i);
                        auto *t = dyn_cast<IntrinsicInst>(&i);
                        if (t && (t->getIntrinsicID() == Intrinsic::trap || t->getIntrinsicID() == Intrinsic::ubsantrap))
                                traps.push_back(c);
                        else if (c && c->getOperandBundle(LLVMContext::OB_kcfi))
                                typed.push_back(c);
                }
                for (CallBase *c : traps)
                        c->eraseFromParent();
                for (CallBase *c : typed) {
                        CallBase *plain = CallBase::removeOperandBundle(c, LLVMContext::OB_kcfi, c->getIterator());
                        plain->takeName(c);
                        c->replaceAllUsesWith(plain);
                        c->eraseFromParent();
                }
                f.removeFnAttr("probe-stack");
        }

        //--- arrays ---------------------------------------------------------

        // The index checks that an address computation needs.
        template <class F> void eachIndex(GEPOperator *g, F found)
        {
                Type *t = g->getSourceElementType();
                auto idx = g->idx_begin();
                if (idx == g->idx_end())
                        return;
                for (++idx; idx != g->idx_end(); ++idx) {
                        if (auto *a = dyn_cast<ArrayType>(t)) {
                                // [0 x T] is a flexible array: its count is checked by the compiler's own pass
                                if (a->getNumElements())
                                        found(idx->get(), a->getNumElements());
                                t = a->getElementType();
                        } else if (auto *s = dyn_cast<StructType>(t)) {
                                t = s->getElementType(cast<ConstantInt>(idx->get())->getZExtValue());
                        } else {
                                return;
                        }
                }
        }

        void constantBounds(Function &f, Instruction *user, Constant *c, unsigned deep = 0)
        {
                auto *ce = dyn_cast<ConstantExpr>(c);
                if (!ce || deep > 8)
                        return;
                if (auto *g = dyn_cast<GEPOperator>(ce)) {
                        eachIndex(g, [&](Value *i, uint64_t n) {
                                auto *k = dyn_cast<ConstantInt>(i);
                                if (!k || k->getValue().uge(n))
                                        complain(f, user, "[P10] constant index outside its array");
                        });
                        APInt off(64, 0);
                        auto *base = dyn_cast<GlobalVariable>(g->getPointerOperand()->stripPointerCasts());
                        if (base && base->getValueType()->isSized() && g->accumulateConstantOffset(DL, off) &&
                            off.uge(std::max<uint64_t>(1, DL.getTypeAllocSize(base->getValueType()))))
                                complain(f, user, "[P10] constant address outside its variable");
                }
                for (Use &u : ce->operands())
                        if (auto *in = dyn_cast<Constant>(u.get()))
                                constantBounds(f, user, in, deep + 1);
        }

        void bounds(Function &f)
        {
                std::vector<GetElementPtrInst *> geps;
                for (Instruction &i : instructions(f)) {
                        if (auto *g = dyn_cast<GetElementPtrInst>(&i))
                                geps.push_back(g);
                        if (!shared.frame)
                                for (Use &u : i.operands())
                                        if (auto *c = dyn_cast<Constant>(u.get()))
                                                constantBounds(f, &i, c);
                }
                BasicBlock *trap = nullptr;
                for (GetElementPtrInst *g : geps)
                        eachIndex(cast<GEPOperator>(g), [&](Value *i, uint64_t n) {
                                if (auto *k = dyn_cast<ConstantInt>(i)) {
                                        if (k->getValue().ult(n))
                                                return;
                                        // Macros may hold dead branches; let it trap.
                                }
                                IRBuilder<> b(g);
                                Value *wide = b.CreateSExtOrTrunc(i, b.getInt64Ty());
                                if (i->getType()->getIntegerBitWidth() > 64)
                                        complain(f, g, "index wider than 64 bits");
                                Value *ok = b.CreateICmpULT(wide, b.getInt64(n));
                                if (!trap) {
                                        trap = BasicBlock::Create(f.getContext(), "safec.trap", &f);
                                        IRBuilder<> t(trap);
                                        if (auto *sp = f.getSubprogram())
                                                t.SetCurrentDebugLocation(DILocation::get(f.getContext(), 0, 0, sp));
                                        t.CreateIntrinsic(Intrinsic::ubsantrap, {}, { t.getInt8(OUT_OF_BOUNDS) });
                                        t.CreateUnreachable();
                                }
                                BasicBlock *head = g->getParent();
                                BasicBlock *tail = SplitBlock(head, g);
                                head->getTerminator()->eraseFromParent();
                                IRBuilder<> h(head);
                                h.SetCurrentDebugLocation(g->getDebugLoc());
                                h.CreateCondBr(ok, tail, trap, MDBuilder(f.getContext()).createBranchWeights(1 << 20, 1));
                        });
        }

        //--- shared memory ----------------------------------------------------

        // An access of that size can be one machine access without tearing.
        static bool word(uint64_t n) { return n == 1 || n == 2 || n == 4 || n == 8; }

        void mark(LoadInst *l)
        {
                uint64_t n = DL.getTypeStoreSize(l->getType());
                if (word(n) && DL.getTypeSizeInBits(l->getType()) == n * 8 && l->getAlign().value() >= n)
                        l->setAtomic(AtomicOrdering::Unordered);
                else
                        l->setVolatile(true);
        }

        void mark(StoreInst *s)
        {
                Type *t = s->getValueOperand()->getType();
                uint64_t n = DL.getTypeStoreSize(t);
                if (word(n) && DL.getTypeSizeInBits(t) == n * 8 && s->getAlign().value() >= n)
                        s->setAtomic(AtomicOrdering::Unordered);
                else
                        s->setVolatile(true);
        }

        LoadInst *load(IRBuilder<> &b, Type *t, Value *p, Align a, bool isShared)
        {
                LoadInst *l = b.CreateAlignedLoad(t, p, a);
                if (isShared)
                        mark(l);
                return l;
        }

        void store(IRBuilder<> &b, Value *v, Value *p, Align a, bool isShared)
        {
                StoreInst *s = b.CreateAlignedStore(v, p, a);
                if (isShared)
                        mark(s);
        }

        Value *at(IRBuilder<> &b, Value *p, uint64_t off)
        {
                return off ? b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), p, off) : p;
        }

        // The pointer type if the type has a pointer exactly there.
        Type *pointerAt(Type *t, uint64_t off)
        {
                while (t) {
                        if (t->isPointerTy())
                                return off == 0 ? t : nullptr;
                        if (auto *s = dyn_cast<StructType>(t)) {
                                if (!s->isSized() || off >= DL.getTypeAllocSize(s))
                                        return nullptr;
                                const StructLayout *l = DL.getStructLayout(s);
                                unsigned i = l->getElementContainingOffset(off);
                                off -= l->getElementOffset(i);
                                t = s->getElementType(i);
                        } else if (auto *a = dyn_cast<ArrayType>(t)) {
                                uint64_t n = DL.getTypeAllocSize(a->getElementType());
                                if (!n)
                                        return nullptr;
                                off %= n;
                                t = a->getElementType();
                        } else {
                                return nullptr;
                        }
                }
                return nullptr;
        }

        Type *typeOf(Value *p, uint64_t &off)
        {
                APInt o(64, 0);
                Value *base = p->stripAndAccumulateConstantOffsets(DL, o, true);
                off = o.getZExtValue();
                if (auto *a = dyn_cast<AllocaInst>(base))
                        return a->getAllocatedType();
                if (auto *a = dyn_cast<Argument>(base)) {
                        if (a->hasByValAttr())
                                return a->getParamByValType();
                        if (a->hasStructRetAttr())
                                return a->getParamStructRetType();
                }
                if (auto *g = dyn_cast<GlobalVariable>(base))
                        return g->getValueType();
                return nullptr;
        }

        // Copies n bytes word by word, forwards (or backwards in the loop's mirror).
        void copy(IRBuilder<> &b, Value *dst, Align da, bool ds, Value *src, Align sa, bool ss, uint64_t n)
        {
                uint64_t dOff = 0, sOff = 0;
                Type *dt = typeOf(dst, dOff), *st = typeOf(src, sOff);
                uint64_t done = 0;
                std::vector<std::pair<uint64_t, Value *>> parts;
                while (done < n) {
                        uint64_t step = 8;
                        uint64_t align = std::min(commonAlignment(da, done).value(), commonAlignment(sa, done).value());
                        while (step > n - done)
                                step /= 2;
                        // Aligned words where there are any; else one access of up to 8 bytes
                        // at any alignment (the CPU allows it; there are no pointers in such memory).
                        (void)align;
                        Type *t = b.getIntNTy(step * 8);
                        if (step == 8) {
                                Type *p = dt ? pointerAt(dt, dOff + done) : nullptr;
                                if (!p && st)
                                        p = pointerAt(st, sOff + done);
                                if (p)
                                        t = p;
                        }
                        Value *v = load(b, t, at(b, src, done), commonAlignment(sa, done), ss);
                        parts.push_back({ done, v });
                        done += step;
                        if (parts.size() == 16 || done >= n) {
                                for (auto &[off, val] : parts)
                                        store(b, val, at(b, dst, off), commonAlignment(da, off), ds);
                                parts.clear();
                        }
                }
        }

        // A loop over words at i; dst == src may be equal but do not overlap otherwise.
        Instruction *copyLoop(Instruction *where, Value *dst, Align da, bool ds, Value *src, Align sa, bool ss, Value *n, uint64_t step, Value *with = nullptr)
        {
                Function &f = *where->getFunction();
                LLVMContext &c = f.getContext();
                BasicBlock *head = where->getParent();
                BasicBlock *tail = SplitBlock(head, where);
                BasicBlock *loop = BasicBlock::Create(c, "safec.copy", &f, tail);
                IRBuilder<> h(head->getTerminator());
                h.SetCurrentDebugLocation(where->getDebugLoc());
                Value *zero = h.getInt64(0);
                h.CreateCondBr(h.CreateICmpNE(n, zero), loop, tail);
                head->getTerminator()->eraseFromParent();
                IRBuilder<> b(loop);
                b.SetCurrentDebugLocation(where->getDebugLoc());
                PHINode *i = b.CreatePHI(b.getInt64Ty(), 2);
                i->addIncoming(zero, head);
                Type *t = b.getIntNTy(step * 8);
                Value *v = src ? (Value *)load(b, t, b.CreateInBoundsGEP(b.getInt8Ty(), src, i), commonAlignment(sa, step), ss) : nullptr;
                if (!v)
                        v = with ? with : Constant::getNullValue(t);
                store(b, v, b.CreateInBoundsGEP(b.getInt8Ty(), dst, i), commonAlignment(da, step), ds);
                Value *next = b.CreateAdd(i, b.getInt64(step));
                i->addIncoming(next, loop);
                b.CreateCondBr(b.CreateICmpULT(next, n), loop, tail);
                return where;
        }

        void transfer(MemTransferInst *m)
        {
                bool ds = !local(m->getRawDest()), ss = !local(m->getRawSource(), true);
                if (m->isVolatile() || (!ds && !ss))
                        return;
                Align da = m->getDestAlign().valueOrOne(), sa = m->getSourceAlign().valueOrOne();
                auto *n = dyn_cast<ConstantInt>(m->getLength());
                if (!n) {
                        if (isa<MemMoveInst>(m)) {
                                complain(*m->getFunction(), m, "[IR] overlapping copy of variable size");
                                return;
                        }
                        // Words, then the odd bytes; the size is often a constant after inlining.
                        IRBuilder<> b(m);
                        Value *len = b.CreateZExtOrTrunc(m->getLength(), b.getInt64Ty());
                        Value *body = b.CreateAnd(len, b.getInt64(~7ull));
                        Value *dst = m->getRawDest(), *src = m->getRawSource();
                        copyLoop(m, dst, da, ds, src, sa, ss, body, 8);
                        b.SetInsertPoint(m);
                        Value *dt = b.CreateInBoundsGEP(b.getInt8Ty(), dst, body), *st = b.CreateInBoundsGEP(b.getInt8Ty(), src, body);
                        copyLoop(m, dt, Align(1), ds, st, Align(1), ss, b.CreateSub(len, body), 1);
                        m->eraseFromParent();
                        return;
                }
                uint64_t size = n->getZExtValue();
                if (isa<MemMoveInst>(m) && size > UNROLL) {
                        complain(*m->getFunction(), m, "[IR] large overlapping copy");
                        return;
                }
                if (size > UNROLL) {
                        uint64_t body = size & ~7ull;
                        copyLoop(m, m->getRawDest(), da, ds, m->getRawSource(), sa, ss, ConstantInt::get(Type::getInt64Ty(m->getContext()), body), 8);
                        IRBuilder<> b(m);
                        if (size - body)
                                copy(b, at(b, m->getRawDest(), body), commonAlignment(da, body), ds,
                                     at(b, m->getRawSource(), body), commonAlignment(sa, body), ss, size - body);
                } else {
                        IRBuilder<> b(m);
                        copy(b, m->getRawDest(), da, ds, m->getRawSource(), sa, ss, size);
                }
                m->eraseFromParent();
        }

        void fill(MemSetInst *m)
        {
                if (m->isVolatile() || local(m->getRawDest()))
                        return;
                Align da = m->getDestAlign().valueOrOne();
                auto *n = dyn_cast<ConstantInt>(m->getLength());
                auto *val = dyn_cast<ConstantInt>(m->getValue());
                if (!n || !val) {
                        IRBuilder<> b(m);
                        Value *len = b.CreateZExtOrTrunc(m->getLength(), b.getInt64Ty());
                        Value *body = b.CreateAnd(len, b.getInt64(~7ull));
                        Value *all = b.CreateMul(b.CreateZExt(m->getValue(), b.getInt64Ty()), b.getInt64(0x0101010101010101ull));
                        Value *dst = m->getRawDest();
                        copyLoop(m, dst, da, true, nullptr, Align(1), false, body, 8, all);
                        b.SetInsertPoint(m);
                        Value *dt = b.CreateInBoundsGEP(b.getInt8Ty(), dst, body);
                        copyLoop(m, dt, Align(1), true, nullptr, Align(1), false, b.CreateSub(len, body), 1, m->getValue());
                        m->eraseFromParent();
                        return;
                }
                uint64_t size = n->getZExtValue(), done = 0;
                IRBuilder<> b(m);
                if (size > UNROLL && val->isZero()) {
                        done = size & ~7ull;
                        copyLoop(m, m->getRawDest(), da, true, nullptr, Align(1), false, b.getInt64(done), 8);
                        b.SetInsertPoint(m);
                }
                for (uint64_t step; done < size; done += step) {
                        step = 8;
                        while (step > size - done)
                                step /= 2;
                        store(b, b.getInt(APInt::getSplat(step * 8, val->getValue())), at(b, m->getRawDest(), done), commonAlignment(da, done), true);
                }
                m->eraseFromParent();
        }

        // A struct loaded or stored whole: member by member.
        Value *loadParts(IRBuilder<> &b, Type *t, Value *p, Align a, uint64_t off)
        {
                auto *s = dyn_cast<StructType>(t);
                auto *arr = dyn_cast<ArrayType>(t);
                if (!s && !arr)
                        return load(b, t, at(b, p, off), commonAlignment(a, off), true);
                Value *v = PoisonValue::get(t);
                unsigned n = s ? s->getNumElements() : arr->getNumElements();
                for (unsigned i = 0; i < n; i++) {
                        uint64_t o = s ? DL.getStructLayout(s)->getElementOffset(i).getFixedValue()
                                       : i * DL.getTypeAllocSize(arr->getElementType()).getFixedValue();
                        v = b.CreateInsertValue(v, loadParts(b, s ? s->getElementType(i) : arr->getElementType(), p, a, off + o), i);
                }
                return v;
        }

        void storeParts(IRBuilder<> &b, Value *v, Value *p, Align a, uint64_t off)
        {
                Type *t = v->getType();
                auto *s = dyn_cast<StructType>(t);
                auto *arr = dyn_cast<ArrayType>(t);
                if (!s && !arr)
                        return store(b, v, at(b, p, off), commonAlignment(a, off), true);
                unsigned n = s ? s->getNumElements() : arr->getNumElements();
                for (unsigned i = 0; i < n; i++) {
                        uint64_t o = s ? DL.getStructLayout(s)->getElementOffset(i).getFixedValue()
                                       : i * DL.getTypeAllocSize(arr->getElementType()).getFixedValue();
                        storeParts(b, b.CreateExtractValue(v, i), p, a, off + o);
                }
        }

        void byValue(CallBase *c)
        {
                for (unsigned i = 0; i < c->arg_size(); i++) {
                        if (!c->isByValArgument(i))
                                continue;
                        Value *p = c->getArgOperand(i);
                        if (local(p, true))
                                continue;
                        Type *t = c->getParamByValType(i);
                        Align a = c->getParamAlign(i).value_or(DL.getABITypeAlign(t));
                        IRBuilder<> e(&*c->getFunction()->getEntryBlock().getFirstInsertionPt());
                        AllocaInst *tmp = e.CreateAlloca(t);
                        tmp->setAlignment(a);
                        c->setArgOperand(i, tmp);
                        uint64_t n = DL.getTypeStoreSize(t);
                        if (n > UNROLL) {
                                copyLoop(c, tmp, a, false, p, a, true, ConstantInt::get(Type::getInt64Ty(c->getContext()), n & ~7ull), 8);
                                IRBuilder<> b(c);
                                if (n & 7)
                                        copy(b, at(b, tmp, n & ~7ull), Align(8), false, at(b, p, n & ~7ull), Align(8), true, n & 7);
                        } else {
                                IRBuilder<> b(c);
                                copy(b, tmp, a, false, p, a, true, n);
                        }
                }
                for (unsigned i = 0; i < c->arg_size(); i++)
                        if (c->paramHasAttr(i, Attribute::StructRet) && !local(c->getArgOperand(i))) {
                                // Let the callee fill a local, then copy.
                                Value *p = c->getArgOperand(i);
                                Type *t = c->getParamStructRetType(i);
                                Align a = c->getParamAlign(i).value_or(DL.getABITypeAlign(t));
                                IRBuilder<> e(&*c->getFunction()->getEntryBlock().getFirstInsertionPt());
                                AllocaInst *tmp = e.CreateAlloca(t);
                                tmp->setAlignment(a);
                                c->setArgOperand(i, tmp);
                                Instruction *next = c->getNextNode();
                                if (!next || isa<InvokeInst>(c)) {
                                        complain(*c->getFunction(), c, "[IR] struct result");
                                        return;
                                }
                                IRBuilder<> b(next);
                                copy(b, p, a, true, tmp, a, false, DL.getTypeStoreSize(t));
                        }
        }

        void atomics(Function &f)
        {
                std::vector<Instruction *> todo;
                for (Instruction &i : instructions(f))
                        todo.push_back(&i);
                for (Instruction *i : todo) {
                        if (auto *l = dyn_cast<LoadInst>(i)) {
                                if (!l->isSimple() || local(l->getPointerOperand(), true))
                                        continue;
                                if (l->getType()->isAggregateType()) {
                                        IRBuilder<> b(l);
                                        l->replaceAllUsesWith(loadParts(b, l->getType(), l->getPointerOperand(), l->getAlign(), 0));
                                        l->eraseFromParent();
                                } else {
                                        mark(l);
                                }
                        } else if (auto *s = dyn_cast<StoreInst>(i)) {
                                if (!s->isSimple() || local(s->getPointerOperand()))
                                        continue;
                                if (s->getValueOperand()->getType()->isAggregateType()) {
                                        IRBuilder<> b(s);
                                        storeParts(b, s->getValueOperand(), s->getPointerOperand(), s->getAlign(), 0);
                                        s->eraseFromParent();
                                } else {
                                        mark(s);
                                }
                        } else if (auto *m = dyn_cast<MemTransferInst>(i)) {
                                transfer(m);
                        } else if (auto *m = dyn_cast<MemSetInst>(i)) {
                                fill(m);
                        } else if (auto *c = dyn_cast<CallBase>(i)) {
                                byValue(c);
                        }
                }
        }

        //--- stack and constants ------------------------------------------------

        void zero(Function &f)
        {
                std::vector<AllocaInst *> slots;
                for (Instruction &i : instructions(f))
                        if (auto *a = dyn_cast<AllocaInst>(&i))
                                slots.push_back(a);
                for (AllocaInst *a : slots) {
                        if (!isa<ConstantInt>(a->getArraySize()) || !a->isStaticAlloca()) {
                                if (!shared.frame)
                                        complain(f, a, "[T2] stack memory of variable size");
                                continue;
                        }
                        uint64_t n = DL.getTypeAllocSize(a->getAllocatedType()) * cast<ConstantInt>(a->getArraySize())->getZExtValue();
                        if (!n)
                                continue;
                        std::vector<Instruction *> starts;
                        for (User *u : a->users())
                                if (auto *i = dyn_cast<IntrinsicInst>(u))
                                        if (i->getIntrinsicID() == Intrinsic::lifetime_start)
                                                starts.push_back(i->getNextNode());
                        if (starts.empty()) {
                                Instruction *i = a->getNextNode();
                                while (isa<AllocaInst>(i))
                                        i = i->getNextNode();
                                starts.push_back(i);
                        }
                        for (Instruction *at : starts) {
                                IRBuilder<> b(at);
                                b.SetCurrentDebugLocation(DebugLoc());
                                Type *t = a->getAllocatedType();
                                auto *s = dyn_cast<StructType>(t);
                                // What can be read of a framework's `struct scratch` is said by its first word.
                                if (s && s->hasName() && s->getName() == "struct.scratch")
                                        b.CreateAlignedStore(b.getInt64(0), a, a->getAlign());
                                else if (t->isIntegerTy() || t->isPointerTy())
                                        b.CreateAlignedStore(Constant::getNullValue(t), a, a->getAlign());
                                else
                                        b.CreateMemSet(a, b.getInt8(0), n, a->getAlign());
                        }
                }
        }

        Constant *defined(Constant *c)
        {
                if (isa<UndefValue>(c))
                        return Constant::getNullValue(c->getType());
                auto *agg = dyn_cast<ConstantAggregate>(c);
                if (!agg)
                        return c;
                std::vector<Constant *> parts;
                bool diff = false;
                for (Use &u : agg->operands()) {
                        Constant *was = cast<Constant>(u.get());
                        Constant *is = defined(was);
                        diff |= was != is;
                        parts.push_back(is);
                }
                if (!diff)
                        return c;
                if (auto *s = dyn_cast<ConstantStruct>(c))
                        return ConstantStruct::get(s->getType(), parts);
                if (auto *a = dyn_cast<ConstantArray>(c))
                        return ConstantArray::get(a->getType(), parts);
                return ConstantVector::get(parts);
        }

        void fillConstants()
        {
                for (GlobalVariable &g : M.globals())
                        if (g.hasInitializer())
                                g.setInitializer(defined(g.getInitializer()));
        }
};

// Nothing plain on shared memory at the end.
void verify(Module &m)
{
        for (Function &f : m) {
                if (skipped(f))
                        continue;
                for (Instruction &i : instructions(f)) {
                        if (auto *l = dyn_cast<LoadInst>(&i)) {
                                if (l->isSimple() && !local(l->getPointerOperand(), true))
                                        complain(f, l, "[IR] plain load of shared memory");
                        } else if (auto *s = dyn_cast<StoreInst>(&i)) {
                                if (s->isSimple() && !local(s->getPointerOperand()))
                                        complain(f, s, "[IR] plain store to shared memory");
                        } else if (auto *t = dyn_cast<AnyMemTransferInst>(&i)) {
                                if (!local(t->getRawDest()) || !local(t->getRawSource(), true))
                                        complain(f, t, "[IR] block copy of shared memory");
                        } else if (auto *t = dyn_cast<AnyMemSetInst>(&i)) {
                                if (!local(t->getRawDest()))
                                        complain(f, t, "[IR] block fill of shared memory");
                        } else if (auto *c = dyn_cast<CallBase>(&i)) {
                                for (unsigned k = 0; k < c->arg_size(); k++)
                                        if (c->isByValArgument(k) && !local(c->getArgOperand(k), true))
                                                complain(f, c, "[IR] shared memory passed by value");
                                        else if (c->paramHasAttr(k, Attribute::StructRet) && !local(c->getArgOperand(k)))
                                                complain(f, c, "[IR] a struct returned into shared memory");
                        }
                }
        }
}

struct Start : PassInfoMixin<Start> {
        PreservedAnalyses run(Module &m, ModuleAnalysisManager &)
        {
                Rewrite(m).run();
                if (!shared.facts.empty()) {
                        auto buf = MemoryBuffer::getMemBufferCopy(shared.facts, "facts");
                        embedBufferInModule(m, buf->getMemBufferRef(), ".keel.facts");
                }
                return PreservedAnalyses::none();
        }
        static bool isRequired() { return true; }
};

struct End : PassInfoMixin<End> {
        PreservedAnalyses run(Module &m, ModuleAnalysisManager &)
        {
                if (!shared.frame && on("IR-VERIFY"))
                        verify(m);
                return PreservedAnalyses::all();
        }
        static bool isRequired() { return true; }
};
}
}

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo llvmGetPassPluginInfo()
{
        return { LLVM_PLUGIN_API_VERSION, "safec", "1", [](PassBuilder &pb) {
                if (!safec::shared.ir)
                        return;
                pb.registerPipelineStartEPCallback([](ModulePassManager &pm, OptimizationLevel) { pm.addPass(safec::Start()); });
                pb.registerOptimizerLastEPCallback([](ModulePassManager &pm, OptimizationLevel) { pm.addPass(safec::End()); });
        } };
}
