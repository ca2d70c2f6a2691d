/* Capability and vector macros for every kernel. Includes nothing; has no functions that compute.
 *
 * Given by the host with -D (host/device/program.c), from the device's capability record:
 *   DEVICE_CPU, DEVICE_GPU   1 or 0
 *
 * Vectors: VW is the width (1, 2, 4, 8 or 16), from the kernel's options, else 16 on CPUs and 4 elsewhere.
 *   FV, IV, UV               floatVW, intVW, uintVW (for VW 1 the scalars)
 *   VLOAD(i, p), VSTORE(v, i, p)      as vload and vstore: VW floats at p + i * VW, p aligned to 4 bytes only
 *   VSTORE_LANES(v, i, p)             to private or local memory; VSTORE goes to global memory
 *   VLOADU, VSTOREU                   as vload and vstore for uint, anywhere
 *   FV_ALL(x), IV_ALL(x), UV_ALL(x)   x in every lane
 *   AS_FV, AS_IV, AS_UV               the same bits as another type
 *   GLOBAL_FV(p), GLOBAL_CFV(p)       p as a __global (const) FV pointer; p must be aligned to 4 * VW bytes
 * A comparison of vectors gives -1 per true lane, of scalars 1: use it only with select() or in a condition. */
#ifndef COSMOCL_COMMON_H
#define COSMOCL_COMMON_H

#pragma OPENCL FP_CONTRACT OFF

#ifndef DEVICE_CPU
#define DEVICE_CPU 0
#endif
#ifndef DEVICE_GPU
#define DEVICE_GPU 0
#endif

#ifndef VW
#if DEVICE_CPU
#define VW 16
#else
#define VW 4
#endif
#endif

/* A function that has to be part of its caller: its loops are unrolled by arguments which are numbers there. */
#define INLINED static inline __attribute__((always_inline))

/* Before a loop whose body is long enough as it is; looking for ways to make it longer takes compilers seconds. */
#ifdef __clang__
#define ROLLED _Pragma("clang loop unroll(disable) vectorize(disable)")
#else
#define ROLLED _Pragma("unroll 1")
#endif

#define COMMON_JOIN2(a, b) a##b
#define COMMON_JOIN(a, b) COMMON_JOIN2(a, b)

#if VW == 1
#define FV float
#define IV int
#define UV uint
#define VLOAD(i, p) ((p)[i])
#define VSTORE(v, i, p) ((p)[i] = (v))
#define VSTORE_LANES(v, i, p) VSTORE(v, i, p)
#define AS_FV(x) as_float(x)
#define AS_IV(x) as_int(x)
#define AS_UV(x) as_uint(x)
#elif VW == 2 || VW == 4 || VW == 8 || VW == 16
#define FV COMMON_JOIN(float, VW)
#define IV COMMON_JOIN(int, VW)
#define UV COMMON_JOIN(uint, VW)
#define VLOAD(i, p) COMMON_JOIN(vload, VW)(i, p)
/* One instruction where PoCL makes five of vstore16. */
typedef FV COMMON_UNALIGNED __attribute__((aligned(4)));
#define VSTORE(v, i, p) (((__global COMMON_UNALIGNED *)(p))[i] = (v))
#define VSTORE_LANES(v, i, p) COMMON_JOIN(vstore, VW)(v, i, p)
#define AS_FV(x) COMMON_JOIN(as_float, VW)(x)
#define AS_IV(x) COMMON_JOIN(as_int, VW)(x)
#define AS_UV(x) COMMON_JOIN(as_uint, VW)(x)
#else
#error "VW must be 1, 2, 4, 8 or 16"
#endif

#define VLOADU(i, p) VLOAD(i, p)
#define VSTOREU(v, i, p) VSTORE_LANES(v, i, p)
#define FV_ALL(x) ((FV)(x))
#define IV_ALL(x) ((IV)(x))
#define UV_ALL(x) ((UV)(x))
/* 1, which no compiler can know (there are at most 3 dimensions). A sum along a loop is sum = fma(x, UNSEEN_ONE, sum): Intel's
 * CPU compiler rearranges sum = sum + x[i] of scalars, though nothing allows it to, and leaves a chain of fma as it is. */
#define UNSEEN_ONE as_float(0x3f800000u + (get_work_dim() >> 2))

#define GLOBAL_FV(p) ((__global FV *)(p))
#define GLOBAL_CFV(p) ((__global const FV *)(p))

#endif
