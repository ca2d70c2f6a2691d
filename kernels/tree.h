/* The fixed tree of host/ops/layout.h in which partial results p[0 ... n-1] are summed: a range of one is p[a]; a longer
 * one is split after the largest power of two below its length and the left sum is added to the right one; five are
 * ((p0+p1)+(p2+p3))+p4. No range: 0.
 *
 * The tree is walked as a binary counter: level[l] holds the finished subtree of 2^l partials while bit l of the count is
 * set. (A stack with a counter of its own is what one would write; Intel's CPU compiler makes wrong addresses of it when it
 * runs work-items as lanes.) Two forms:
 *   TREE_DEFINE(name, type, load)   makes  type name(__global const float *p, size_t stride, int n), the tree over
 *                                   load(p), load(p + stride), ...;
 *   TREE_PUSH / TREE_FINISH         for partials that are made one after the other.
 * type is float or any float vector: lanes do not mix, so every width gives the same bits. At most 2^TREE_DEPTH partials. */
#ifndef TREE_H
#define TREE_H

#define TREE_DEPTH 20
#define TREE_ADD(type, a, b) fma(b, (type)(UNSEEN_ONE), a)

/* Adds partial number i (they come in order from 0) to type level[TREE_DEPTH]. */
#define TREE_PUSH(type, level, i, value)                                                                               \
    do {                                                                                                               \
        type tree_v = (value);                                                                                         \
        int tree_l = 0;                                                                                                \
        for (; (uint)(i) >> tree_l & 1u; tree_l++) tree_v = TREE_ADD(type, (level)[tree_l], tree_v);                   \
        (level)[tree_l] = tree_v;                                                                                      \
    } while (0)

/* result = the whole sum of n partials. */
#define TREE_FINISH(type, level, n, result)                                                                            \
    do {                                                                                                               \
        const uint tree_n = (uint)(n);                                                                                 \
        type tree_v = (type)(0.0f);                                                                                    \
        for (int tree_l = 0; tree_n >> tree_l; tree_l++)                                                               \
            if (tree_n >> tree_l & 1u)                                                                                 \
                tree_v = tree_n << (31 - tree_l) << 1 ? TREE_ADD(type, (level)[tree_l], tree_v) : (level)[tree_l];     \
        (result) = tree_v;                                                                                             \
    } while (0)

#define TREE_DEFINE(name, type, load)                                                                                  \
    static inline type name(__global const float *p, size_t stride, int n)                                             \
    {                                                                                                                  \
        type level[TREE_DEPTH], sum;                                                                                   \
        for (int i = 0; i < n; i++) TREE_PUSH(type, level, i, load(p + (size_t)i * stride));                           \
        TREE_FINISH(type, level, n, sum);                                                                              \
        return sum;                                                                                                    \
    }

#endif
