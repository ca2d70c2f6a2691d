/* OpenCL C's functions for clang's own CPU targets, which have none: those that kernels call in their loops become the
 * processor's instructions, so that registers and spills are those of a CPU runtime. The rest stay calls, for nothing
 * is linked. Included before a kernel by tests/portability/offline.py; opencl-c.h comes first. */
#define CPU_FUNCTION __attribute__((overloadable, always_inline, const))
#define CPU_EACH_WIDTH(F, T) F(T) F(T##2) F(T##4) F(T##8) F(T##16)

#define CPU_FMA(T)                                                                                                     \
    CPU_FUNCTION T fma(T a, T b, T c)                                                                                  \
    {                                                                                                                  \
        return __builtin_elementwise_fma(a, b, c);                                                                     \
    }
#define CPU_MIN_MAX(T)                                                                                                 \
    CPU_FUNCTION T min(T a, T b)                                                                                       \
    {                                                                                                                  \
        return __builtin_elementwise_min(a, b);                                                                        \
    }                                                                                                                  \
    CPU_FUNCTION T max(T a, T b)                                                                                       \
    {                                                                                                                  \
        return __builtin_elementwise_max(a, b);                                                                        \
    }
CPU_EACH_WIDTH(CPU_FMA, float)
CPU_EACH_WIDTH(CPU_MIN_MAX, int)
CPU_EACH_WIDTH(CPU_MIN_MAX, uint)
CPU_EACH_WIDTH(CPU_MIN_MAX, ulong)

/* Of vectors aligned as their elements are. */
#define CPU_VLOAD(A, T, N)                                                                                             \
    CPU_FUNCTION T##N vload##N(size_t i, const A T *p)                                                                 \
    {                                                                                                                  \
        typedef T##N any __attribute__((aligned(sizeof(T))));                                                          \
        return ((const A any *)p)[i];                                                                                  \
    }
#define CPU_VSTORE(A, T, N)                                                                                            \
    __attribute__((overloadable, always_inline)) void vstore##N(T##N v, size_t i, A T *p)                              \
    {                                                                                                                  \
        typedef T##N any __attribute__((aligned(sizeof(T))));                                                          \
        ((A any *)p)[i] = v;                                                                                           \
    }
#define CPU_VECTORS(T, N)                                                                                              \
    CPU_VLOAD(__global, T, N)                                                                                          \
    CPU_VLOAD(__local, T, N)                                                                                           \
    CPU_VLOAD(__private, T, N)                                                                                         \
    CPU_VSTORE(__global, T, N)                                                                                         \
    CPU_VSTORE(__local, T, N)                                                                                          \
    CPU_VSTORE(__private, T, N)
#define CPU_VECTORS_OF(T) CPU_VECTORS(T, 2) CPU_VECTORS(T, 4) CPU_VECTORS(T, 8) CPU_VECTORS(T, 16)
CPU_VECTORS_OF(float)
CPU_VECTORS_OF(int)
CPU_VECTORS_OF(uint)
CPU_VECTORS_OF(ulong)

/* A CPU runtime keeps these in memory. */
extern __constant size_t cpu_item[16];
CPU_FUNCTION size_t get_global_id(uint i)
{
    return cpu_item[i];
}
CPU_FUNCTION size_t get_local_id(uint i)
{
    return cpu_item[3 + i];
}
CPU_FUNCTION size_t get_global_size(uint i)
{
    return cpu_item[6 + i];
}
CPU_FUNCTION size_t get_local_size(uint i)
{
    return cpu_item[9 + i];
}
CPU_FUNCTION uint get_work_dim(void)
{
    return (uint)cpu_item[12];
}
