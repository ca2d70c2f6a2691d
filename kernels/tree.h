/* The fixed tree of host/ops/layout.h in which partial results p[0 ... n-1] are summed: a range of one is p[a]; a longer
 * one is split after the largest power of two below its length and the left sum is added to the right one; five are
 * ((p0+p1)+(p2+p3))+p4. No range: 0.
 *
 * The tree is walked as a binary counter: a stack of finished subtrees, the largest below. Two forms:
 *   TREE_DEFINE(name, type, load)   makes  type name(__global const float *p, size_t stride, int n), the tree over
 *                                   load(p), load(p + stride), ...;
 *   TREE_PUSH / TREE_FINISH         for partials that are made one after the other.
 * type is float or any float vector: lanes do not mix, so every width gives the same bits. At most 2^TREE_DEPTH partials. */
#ifndef TREE_H
#define TREE_H

#define TREE_DEPTH 20

/* Adds partial number i (they come in order from 0) to type stack[TREE_DEPTH] with `int top`, 0 at the start. */
#define TREE_PUSH(type, stack, top, i, value)                                                                          \
    do {                                                                                                               \
        type tree_v = (value);                                                                                         \
        for (uint tree_m = (uint)(i); tree_m & 1u; tree_m >>= 1) tree_v = (stack)[--(top)] + tree_v;                   \
        (stack)[(top)++] = tree_v;                                                                                     \
    } while (0)

/* result = the whole sum; the stack is empty afterwards. */
#define TREE_FINISH(type, stack, top, result)                                                                          \
    do {                                                                                                               \
        type tree_v = (type)(0.0f);                                                                                    \
        if ((top) > 0) tree_v = (stack)[--(top)];                                                                      \
        while ((top) > 0) tree_v = (stack)[--(top)] + tree_v;                                                          \
        (result) = tree_v;                                                                                             \
    } while (0)

#define TREE_DEFINE(name, type, load)                                                                                  \
    static inline type name(__global const float *p, size_t stride, int n)                                             \
    {                                                                                                                  \
        type stack[TREE_DEPTH], sum;                                                                                   \
        int top = 0;                                                                                                   \
        for (int i = 0; i < n; i++) TREE_PUSH(type, stack, top, i, load(p + (size_t)i * stride));                      \
        TREE_FINISH(type, stack, top, sum);                                                                            \
        return sum;                                                                                                    \
    }

#endif
