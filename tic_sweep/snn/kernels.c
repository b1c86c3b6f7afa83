/* Spiking layers over time, forward and backward, for one CPU core at a time.

   The equations are those of neuron.py and norm.py, in the order of operations of their plain path: compiled without
   contraction to fused multiply-adds but where torch has them, spikes and gradients are the plain path's bit for bit
   (gradients of the sigmoid to rounding: its exponential is not torch's). What the backward pass needs of the membrane
   is worked out anew from the currents, block by block, while it lies in the cache.

   Shapes: T timesteps, N samples, C channels, P pixels, M = N*C*P neurons; time first, pixels last, all contiguous.
   Each function works on the neurons, channels or bytes from `first` to before `last`, so that callers may share out,
   and returns whether it lacked memory. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512
#define GROUP 8
#define LINE 16 /* numbers of a line of a cache */
#define KEEP static inline __attribute__((always_inline))

enum { ARCTAN, SIGMOID, TRIANGLE, FAST_SIGMOID };

typedef struct {
    float tau, inverse_tau; /* inverse_tau is 0 unless multiplying by it is exactly dividing by tau */
    float v_th, rho, rho_v_th, decay; /* decay: 1 - 1/tau, or 0 without a temporal gradient */
    float width, scale;
    int32_t soft, surrogate;
} Neuron;

/* The current of channel c at t: scale[t,c]*y + shift[t,c], plus what a second branch adds; scale may be NULL. */
typedef struct {
    const float *y, *scale, *shift;
    const float *other, *other_scale, *other_shift;
    int64_t T, N, C, P;
} Currents;

/* a*b + c as torch rounds it, whose own build may or may not join the two. */
KEEP float joined(float a, float b, float c) {
#ifdef JOINED
    return fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

/* Fetch what lies n numbers on, where the next block begins: with every timestep elsewhere, processors do not guess. */
KEEP void fetch_next(const float *x, int64_t n) {
    for (int64_t j = 0; j < n; j += LINE) __builtin_prefetch(x + n + j, 0);
}

KEEP void fetch_next_to_write(float *x, int64_t n) {
    for (int64_t j = 0; j < n; j += LINE) __builtin_prefetch(x + n + j, 1);
}

KEEP float charged(float v, float x, float tau, float inverse_tau, int exact) {
    return v + (exact ? (x - v) * inverse_tau : (x - v) / tau);
}

/* Charge, fire, reset n neurons for T steps; x and s are `x_step` and `s_step` apart in time; h and s may be NULL. */
KEEP void run_block(const float *x, int64_t x_step, float *s, int64_t s_step, float *h, int64_t T, int64_t n,
                    const Neuron *p, int exact, int soft) {
    float v[BLOCK] = {0};
    const float tau = p->tau, inverse_tau = p->inverse_tau, v_th = p->v_th;
    for (int64_t t = 0; t < T; t++) {
        const float *restrict xt = x + t * x_step;
        fetch_next(xt, n);
        if (s) {
            float *restrict st = s + t * s_step;
            fetch_next_to_write(st, n);
            for (int64_t j = 0; j < n; j++) {
                float ht = charged(v[j], xt[j], tau, inverse_tau, exact);
                int fired = ht >= v_th;
                st[j] = fired ? 1.0f : 0.0f;
                v[j] = soft ? ht - (fired ? v_th : 0.0f) : (fired ? 0.0f : ht);
            }
        } else {
            float *restrict to = h + t * BLOCK;
            for (int64_t j = 0; j < n; j++) {
                float ht = charged(v[j], xt[j], tau, inverse_tau, exact);
                int fired = ht >= v_th;
                to[j] = ht;
                v[j] = soft ? ht - (fired ? v_th : 0.0f) : (fired ? 0.0f : ht);
            }
        }
    }
}

static void run(const float *x, int64_t x_step, float *s, int64_t s_step, float *h, int64_t T, int64_t n,
                const Neuron *p) {
    if (p->inverse_tau != 0.0f) {
        if (p->soft) run_block(x, x_step, s, s_step, h, T, n, p, 1, 1);
        else run_block(x, x_step, s, s_step, h, T, n, p, 1, 0);
    } else {
        if (p->soft) run_block(x, x_step, s, s_step, h, T, n, p, 0, 1);
        else run_block(x, x_step, s, s_step, h, T, n, p, 0, 0);
    }
}

/* exp(-a) for a >= 0 within two units of the last place: 2^k times a polynomial in |r| <= ln(2)/2. */
KEEP float exp_of_negative(float a) {
    a = a > 87.0f ? 87.0f : a; /* so that NaN stays */
    float k = rintf(a * 1.44269504f);
    float r = (k * 0.693359375f - a) - k * 2.12194440e-4f;
    float q = 1.9875691500e-4f;
    q = q * r + 1.3981999507e-3f;
    q = q * r + 8.3334519073e-3f;
    q = q * r + 4.1665795894e-2f;
    q = q * r + 1.6666665459e-1f;
    q = q * r + 5.0000001201e-1f;
    q = q * r * r + r + 1.0f;
    union { int32_t i; float f; } power = {(127 - (int32_t)k) << 23};
    return q * power.f;
}

KEEP float shape_of(float x, int surrogate) {
    if (surrogate == ARCTAN) {
        x *= 3.14159274f;
        return 1.0f / (x * x + 1.0f);
    }
    if (surrogate == SIGMOID) {
        float e = exp_of_negative(fabsf(x));
        return e / ((1.0f + e) * (1.0f + e));
    }
    if (surrogate == TRIANGLE) {
        float f = 1.0f - fabsf(x);
        return f < 0.0f ? 0.0f : f; /* so that NaN stays */
    }
    float a = fabsf(x) + 1.0f;
    return 1.0f / (a * a);
}

#define SLOPES(S)                                                                              \
    case S:                                                                                    \
        for (int64_t j = 0; j < n; j++) slope[j] = shape_of((h[j] - p->v_th) / p->width, S);   \
        break;
#define SLOPES_OF_WIDTH_ONE(S)                                                                 \
    case S:                                                                                    \
        for (int64_t j = 0; j < n; j++) slope[j] = shape_of(h[j] - p->v_th, S);                \
        break;
#define EVERY(WHAT) WHAT(ARCTAN) WHAT(SIGMOID) WHAT(TRIANGLE) WHAT(FAST_SIGMOID)

/* ds/dh of n neurons. */
static void slopes(const float *restrict h, float *restrict slope, int64_t n, const Neuron *p) {
    if (p->width == 1.0f) switch (p->surrogate) { EVERY(SLOPES_OF_WIDTH_ONE) }
    else switch (p->surrogate) { EVERY(SLOPES) }
    if (p->scale != 1.0f)
        for (int64_t j = 0; j < n; j++) slope[j] /= p->scale;
}

/* One step back in time of n neurons: g[t] = dL/ds[t]*slope + g[t+1]*decay*J[t]. */
KEEP void step_back(const float *restrict h, const float *restrict slope, const float *restrict s_grad,
                    float *restrict g, int64_t n, const Neuron *p, int soft, int rho) {
    const float v_th = p->v_th, decay = p->decay, r = p->rho, r_v_th = p->rho_v_th;
    for (int64_t j = 0; j < n; j++) {
        float jacobian = soft ? 1.0f : (h[j] < v_th ? 1.0f : 0.0f);
        if (rho) jacobian = soft ? 1.0f - r_v_th * slope[j] : joined(-r * h[j], slope[j], jacobian);
        g[j] = joined(g[j], decay * jacobian, s_grad[j] * slope[j]);
    }
}

/* The same with the slopes, for neurons of width 1 with a hard reset without gradient and a tau to multiply by. */
#define STEP_BACK_AT_ONCE(S)                                              \
    case S:                                                               \
        for (int64_t j = 0; j < n; j++) {                                 \
            float carry = h[j] < v_th ? decay : 0.0f;                     \
            g[j] = joined(g[j], carry, s_grad[j] * shape_of(h[j] - v_th, S)); \
            to[j] = g[j] * inverse_tau;                                   \
        }                                                                 \
        break;

static void step_back_at_once(const float *restrict h, const float *restrict s_grad, float *restrict g,
                              float *restrict to, int64_t n, const Neuron *p) {
    const float v_th = p->v_th, decay = p->decay, inverse_tau = p->inverse_tau;
    switch (p->surrogate) { EVERY(STEP_BACK_AT_ONCE) }
}

/* dL/dx of n neurons from h and dL/ds; gradients are `x_step` and `s_step` apart in time. */
static void back(const float *h, const float *s_grad, int64_t s_step, float *x_grad, int64_t x_step, int64_t T,
                 int64_t n, const Neuron *p) {
    float g[BLOCK] = {0}, slope[BLOCK];
    const int at_once = p->width == 1.0f && p->scale == 1.0f && !p->soft && p->rho == 0.0f && p->inverse_tau != 0.0f;
    for (int64_t t = T - 1; t >= 0; t--) {
        const float *ht = h + t * BLOCK, *gs = s_grad + t * s_step;
        float *restrict to = x_grad + t * x_step;
        fetch_next(gs, n);
        fetch_next_to_write(to, n);
        if (at_once) {
            step_back_at_once(ht, gs, g, to, n, p);
            continue;
        }
        slopes(ht, slope, n, p);
        if (p->soft && p->rho != 0.0f) step_back(ht, slope, gs, g, n, p, 1, 1);
        else if (p->soft) step_back(ht, slope, gs, g, n, p, 1, 0);
        else if (p->rho != 0.0f) step_back(ht, slope, gs, g, n, p, 0, 1);
        else step_back(ht, slope, gs, g, n, p, 0, 0);
        if (p->inverse_tau != 0.0f)
            for (int64_t j = 0; j < n; j++) to[j] = g[j] * p->inverse_tau;
        else
            for (int64_t j = 0; j < n; j++) to[j] = g[j] / p->tau;
    }
}

KEEP int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* s[T,M] of currents x[T,M], or of x[M] at every timestep if x_step is 0. */
int lif_forward(const float *x, int64_t x_step, float *s, int64_t T, int64_t M, const Neuron *p, int64_t first,
                 int64_t last) {
    for (int64_t i = first; i < last; i += BLOCK)
        run(x + i, x_step, s + i, M, NULL, T, smaller(BLOCK, last - i), p);
    return 0;
}

/* dL/dx[T,M], or, if `summed`, its sum over time [M]. */
int lif_backward(const float *x, int64_t x_step, const float *s_grad, float *x_grad, int32_t summed, int64_t T,
                 int64_t M, const Neuron *p, int64_t first, int64_t last) {
    float *h = malloc(2 * T * BLOCK * sizeof(float)), *g = h + T * BLOCK;
    if (!h) return 1;
    for (int64_t i = first; i < last; i += BLOCK) {
        const int64_t n = smaller(BLOCK, last - i);
        run(x + i, x_step, NULL, 0, h, T, n, p);
        if (!summed) {
            back(h, s_grad + i, M, x_grad + i, M, T, n, p);
            continue;
        }
        back(h, s_grad + i, M, g, BLOCK, T, n, p);
        float *restrict to = x_grad + i;
        memcpy(to, g, n * sizeof(float));
        for (int64_t t = 1; t < T; t++)
            for (int64_t j = 0; j < n; j++) to[j] += g[t * BLOCK + j];
    }
    free(h);
    return 0;
}

/* The currents of n neurons of one row, from pixel j on, into x[T][BLOCK]. */
static void load(const Currents *q, float *x, int64_t sample, int64_t c, int64_t j0, int64_t n) {
    for (int64_t t = 0; t < q->T; t++) {
        const int64_t at = ((t * q->N + sample) * q->C + c) * q->P + j0, tc = t * q->C + c;
        const float *restrict y = q->y + at;
        const float a = q->scale[tc], b = q->shift[tc];
        float *restrict to = x + t * BLOCK;
        fetch_next(y, n);
        if (q->other) fetch_next(q->other + at, n);
        if (!q->other)
            for (int64_t j = 0; j < n; j++) to[j] = joined(a, y[j], b);
        else {
            const float *restrict z = q->other + at;
            if (!q->other_scale)
                for (int64_t j = 0; j < n; j++) to[j] = joined(a, y[j], b) + z[j];
            else {
                const float d = q->other_scale[tc], e = q->other_shift[tc];
                for (int64_t j = 0; j < n; j++) to[j] = joined(a, y[j], b) + joined(d, z[j], e);
            }
        }
    }
}

/* s[T,N,C,P] of normalised currents. */
int norm_lif_forward(const Currents *q, float *s, const Neuron *p, int64_t first, int64_t last) {
    float *x = malloc(q->T * BLOCK * sizeof(float));
    if (!x) return 1;
    const int64_t M = q->N * q->C * q->P;
    for (int64_t i = 0; i < q->N; i++)
        for (int64_t c = first; c < last; c++)
            for (int64_t j = 0; j < q->P; j += BLOCK) {
                int64_t n = smaller(BLOCK, q->P - j);
                load(q, x, i, c, j, n);
                run(x, BLOCK, s + (i * q->C + c) * q->P + j, M, NULL, q->T, n, p);
            }
    free(x);
    return 0;
}

/* dL/dcurrent[T,N,C,P]. */
int norm_lif_backward(const Currents *q, const float *s_grad, float *x_grad, const Neuron *p, int64_t first,
                      int64_t last) {
    float *x = malloc(2 * q->T * BLOCK * sizeof(float)), *h = x + q->T * BLOCK;
    if (!x) return 1;
    const int64_t M = q->N * q->C * q->P;
    for (int64_t i = 0; i < q->N; i++)
        for (int64_t c = first; c < last; c++)
            for (int64_t j = 0; j < q->P; j += BLOCK) {
                const int64_t n = smaller(BLOCK, q->P - j), row = (i * q->C + c) * q->P + j;
                load(q, x, i, c, j, n);
                run(x, BLOCK, NULL, 0, h, q->T, n, p);
                back(h, s_grad + row, M, x_grad + row, M, q->T, n, p);
            }
    free(x);
    return 0;
}

/* Mean and squared deviations of G channels, each in torch's order: summed up one by one, in double precision, which
   takes a few cycles for every number; several channels side by side fill them. */
KEEP void moments_of(const float *y, int64_t N, int64_t C, int64_t P, int64_t G, float *mean, double *squares) {
    double sum[GROUP] = {0}, square[GROUP] = {0};
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < P; j++)
            for (int64_t k = 0; k < G; k++) sum[k] += (double)y[(i * C + k) * P + j];
    for (int64_t k = 0; k < G; k++) mean[k] = (float)(sum[k] / (double)(N * P));
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < P; j++)
            for (int64_t k = 0; k < G; k++) {
                const float d = y[(i * C + k) * P + j] - mean[k];
                square[k] += (double)(d * d);
            }
    for (int64_t k = 0; k < G; k++) squares[k] = square[k];
}

/* Mean and variance [T,C] of y[T,N,C,P] over samples and pixels; the running ones [C] follow, timestep by timestep. */
int moments(const float *y, int64_t T, int64_t N, int64_t C, int64_t P, float momentum, float *mean, float *variance,
            float *running_mean, float *running_variance, int64_t first, int64_t last) {
    const float count = (float)(N * P), fewer = (float)(N * P - 1), kept = 1.0f - momentum;
    for (int64_t t = 0; t < T; t++)
        for (int64_t c = first; c < last; c += GROUP) {
            const int64_t group = smaller(GROUP, last - c);
            const float *from = y + (t * N * C + c) * P;
            float *m = mean + t * C + c, *v = variance + t * C + c;
            double squares[GROUP];
            if (group == GROUP) moments_of(from, N, C, P, GROUP, m, squares);
            else moments_of(from, N, C, P, group, m, squares);
            for (int64_t k = 0; k < group; k++) {
                const float summed = (float)squares[k];
                v[k] = summed / count;
                running_mean[c + k] = momentum * m[k] + kept * running_mean[c + k];
                /* of the two, torch's own build joins this product and sum alone */
                running_variance[c + k] = fmaf(momentum, summed / fewer, kept * running_variance[c + k]);
            }
        }
    return 0;
}

/* What brings the lowest bits of eight bytes together in the highest byte of their product. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TOGETHER 0x0102040810204080u
#else
#define TOGETHER 0x8040201008040201u
#endif

/* Eight spikes a byte, the first in its lowest bit; count is the number of spikes. */
int pack(const float *s, uint8_t *bits, int64_t count, int64_t first, int64_t last) {
    uint8_t fired[BLOCK];
    for (int64_t i = first; i < last; i += BLOCK / 8) {
        const int64_t bytes = smaller(BLOCK / 8, last - i), n = smaller(8 * bytes, count - 8 * i);
        const float *restrict from = s + 8 * i;
        if (n < BLOCK) memset(fired, 0, sizeof(fired));
        for (int64_t j = 0; j < n; j++) fired[j] = from[j] != 0.0f;
        for (int64_t k = 0; k < bytes; k++) {
            uint64_t eight;
            memcpy(&eight, fired + 8 * k, 8);
            bits[i + k] = (uint8_t)(eight * TOGETHER >> 56);
        }
    }
    return 0;
}

int unpack(const uint8_t *bits, float *s, int64_t count, int64_t first, int64_t last) {
    float table[256][8];
    for (int b = 0; b < 256; b++)
        for (int k = 0; k < 8; k++) table[b][k] = (float)(b >> k & 1);
    for (int64_t i = first; i < last; i++)
        memcpy(s + 8 * i, table[bits[i]], (size_t)smaller(8, count - 8 * i) * sizeof(float));
    return 0;
}
