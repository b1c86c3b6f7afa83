# pyright: reportGeneralTypeIssues=false
"""The Triton kernels of `triton_kernels.py`. Shapes as there: a program works on some neurons at all timesteps.

Normalised currents lie channels last: a program has a tile of BR rows (pixels of samples) and BC channels.
"""

import triton
import triton.language as tl


@triton.jit
def _charge(v, x, inverse_tau):
    return v + (x - v) * inverse_tau


@triton.jit
def _reset(h, v_th, SOFT: tl.constexpr):
    if SOFT:
        return h - tl.where(h >= v_th, v_th, 0.0)
    return tl.where(h >= v_th, 0.0, h)


@triton.jit
def _slope(h, v_th, inverse_width, inverse_scale, SURROGATE: tl.constexpr):
    x = (h - v_th) * inverse_width
    if SURROGATE == 0:
        x = x * 3.14159274
        f = 1.0 / (x * x + 1.0)
    elif SURROGATE == 1:
        e = tl.exp(-tl.abs(x))
        f = e / ((1.0 + e) * (1.0 + e))
    elif SURROGATE == 2:
        f = tl.maximum(1.0 - tl.abs(x), 0.0, propagate_nan=tl.PropagateNan.ALL)
    else:
        a = tl.abs(x) + 1.0
        f = 1.0 / (a * a)
    return f * inverse_scale


@triton.jit
def _back(
    g,
    h,
    grad_s,
    v_th,
    rho,
    decay,
    inverse_width,
    inverse_scale,
    SOFT: tl.constexpr,
    RHO: tl.constexpr,
    SURROGATE: tl.constexpr,
):
    """Return g[t] = dL/ds[t]·f'(h[t]) + decay·g[t+1]·J[t]."""
    slope = _slope(h, v_th, inverse_width, inverse_scale, SURROGATE)
    if SOFT:
        jacobian = 1.0 - rho * v_th * slope
    else:
        jacobian = tl.where(h < v_th, 1.0, 0.0)
        if RHO:
            jacobian = jacobian - rho * h * slope
    return grad_s * slope + g * (decay * jacobian)


@triton.jit
def lif_forward(
    x_ptr, s_ptr, M, x_step, inverse_tau, v_th, T: tl.constexpr, SOFT: tl.constexpr, SIZE: tl.constexpr
):  # fmt: skip
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    inside = i < M
    M, x_step = tl.cast(M, tl.int64), tl.cast(x_step, tl.int64)  # all timesteps may hold more than 2^31 numbers
    v = tl.zeros([SIZE], tl.float32)
    for t in range(T):
        x = tl.load(x_ptr + i + x_step * t, inside, other=0.0).to(tl.float32)
        h = _charge(v, x, inverse_tau)
        tl.store(s_ptr + i + M * t, tl.where(h >= v_th, 1.0, 0.0).to(s_ptr.dtype.element_ty), inside)
        v = _reset(h, v_th, SOFT)


@triton.jit
def lif_backward(
    x_ptr, grad_s_ptr, grad_x_ptr, h_ptr, M, x_step, inverse_tau, v_th, rho, decay, inverse_width, inverse_scale,
    T: tl.constexpr, SOFT: tl.constexpr, RHO: tl.constexpr, SURROGATE: tl.constexpr, SUMMED: tl.constexpr,
    IN_MEMORY: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    inside = i < M
    M, x_step = tl.cast(M, tl.int64), tl.cast(x_step, tl.int64)  # all timesteps may hold more than 2^31 numbers
    v = tl.zeros([SIZE], tl.float32)
    g = tl.zeros([SIZE], tl.float32)
    total = tl.zeros([SIZE], tl.float32)
    if IN_MEMORY:
        for t in range(T):
            x = tl.load(x_ptr + i + x_step * t, inside, other=0.0).to(tl.float32)
            h = _charge(v, x, inverse_tau)
            tl.store(h_ptr + i + M * t, h, inside)
            v = _reset(h, v_th, SOFT)
        for k in range(T):
            h = tl.load(h_ptr + i + M * (T - 1 - k), inside, other=0.0)
            grad_s = tl.load(grad_s_ptr + i + M * (T - 1 - k), inside, other=0.0).to(tl.float32)
            g = _back(g, h, grad_s, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE)
            total += g * inverse_tau
            if not SUMMED:
                tl.store(grad_x_ptr + i + M * (T - 1 - k), (g * inverse_tau).to(grad_x_ptr.dtype.element_ty), inside)
    else:
        hs = ()
        for t in tl.static_range(T):
            x = tl.load(x_ptr + i + x_step * t, inside, other=0.0).to(tl.float32)
            h = _charge(v, x, inverse_tau)
            hs = hs + (h,)
            v = _reset(h, v_th, SOFT)
        for k in tl.static_range(T):
            grad_s = tl.load(grad_s_ptr + i + M * (T - 1 - k), inside, other=0.0).to(tl.float32)
            g = _back(g, hs[T - 1 - k], grad_s, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE)
            total += g * inverse_tau
            if not SUMMED:
                tl.store(grad_x_ptr + i + M * (T - 1 - k), (g * inverse_tau).to(grad_x_ptr.dtype.element_ty), inside)
    if SUMMED:
        tl.store(grad_x_ptr + i, total.to(grad_x_ptr.dtype.element_ty), inside)


@triton.jit
def _current(
    y_ptr, other_ptr, start, at, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr, tc, channel_there,
    OTHER: tl.constexpr,
):  # fmt: skip
    """Return scale·y + shift at a timestep that begins at ``start``, plus what OTHER says.

    Nothing (0), what lies there (1), a bit (2), or another branch (3).
    """
    a = tl.load(scale_ptr + tc, channel_there, other=0.0)[None, :]
    b = tl.load(shift_ptr + tc, channel_there, other=0.0)[None, :]
    current = tl.load(y_ptr + start + at, there, other=0.0).to(tl.float32) * a + b
    if OTHER == 1:
        current += tl.load(other_ptr + start + at, there, other=0.0).to(tl.float32)
    if OTHER == 2:
        byte = tl.load(other_ptr + (start >> 3) + (at >> 3), there, other=0).to(tl.int32)
        current += ((byte >> (at & 7)) & 1).to(tl.float32)
    if OTHER == 3:
        d = tl.load(other_scale_ptr + tc, channel_there, other=0.0)[None, :]
        e = tl.load(other_shift_ptr + tc, channel_there, other=0.0)[None, :]
        current += tl.load(other_ptr + start + at, there, other=0.0).to(tl.float32) * d + e
    return current


@triton.jit
def norm_lif_forward(
    y_ptr, other_ptr, s_ptr, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr, R, C, inverse_tau, v_th,
    T: tl.constexpr, SOFT: tl.constexpr, OTHER: tl.constexpr, BR: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    r = tl.program_id(0) * BR + tl.arange(0, BR)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    there = (r < R)[:, None] & (c < C)[None, :]
    offset = r[:, None] * C + c[None, :]
    step = tl.cast(R, tl.int64) * C
    v = tl.zeros([BR, BC], tl.float32)
    for t in range(T):
        x = _current(
            y_ptr, other_ptr, step * t, offset, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr,
            c + C * t, c < C, OTHER,
        )  # fmt: skip
        h = _charge(v, x, inverse_tau)
        tl.store(s_ptr + step * t + offset, tl.where(h >= v_th, 1.0, 0.0).to(s_ptr.dtype.element_ty), there)
        v = _reset(h, v_th, SOFT)


@triton.jit
def _store_back(
    g, h, grad_s_ptr, grad_ptr, at, there, inverse_tau, v_th, rho, decay, inverse_width, inverse_scale,
    SOFT: tl.constexpr, RHO: tl.constexpr, SURROGATE: tl.constexpr,
):  # fmt: skip
    """Go one step back in time and store dL/dx."""
    grad_s = tl.load(grad_s_ptr + at, there, other=0.0).to(tl.float32)
    g = _back(g, h, grad_s, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE)
    tl.store(grad_ptr + at, (g * inverse_tau).to(grad_ptr.dtype.element_ty), there)
    return g


@triton.jit
def norm_lif_backward(
    y_ptr, other_ptr, grad_s_ptr, grad_ptr, h_ptr, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr, R, C,
    inverse_tau, v_th, rho, decay, inverse_width, inverse_scale,
    T: tl.constexpr, SOFT: tl.constexpr, RHO: tl.constexpr, SURROGATE: tl.constexpr, OTHER: tl.constexpr,
    IN_MEMORY: tl.constexpr, BR: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Store dL/dcurrent."""
    r = tl.program_id(0) * BR + tl.arange(0, BR)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    there = (r < R)[:, None] & (c < C)[None, :]
    offset = r[:, None] * C + c[None, :]
    step = tl.cast(R, tl.int64) * C
    v = tl.zeros([BR, BC], tl.float32)
    g = tl.zeros([BR, BC], tl.float32)
    if IN_MEMORY:
        for t in range(T):
            x = _current(
                y_ptr, other_ptr, step * t, offset, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr,
                c + C * t, c < C, OTHER,
            )  # fmt: skip
            h = _charge(v, x, inverse_tau)
            tl.store(h_ptr + step * t + offset, h, there)
            v = _reset(h, v_th, SOFT)
        for k in range(T):
            h = tl.load(h_ptr + step * (T - 1 - k) + offset, there, other=0.0)
            g = _store_back(
                g, h, grad_s_ptr + step * (T - 1 - k), grad_ptr + step * (T - 1 - k), offset, there,
                inverse_tau, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE,
            )  # fmt: skip
    else:
        hs = ()
        for t in tl.static_range(T):
            x = _current(
                y_ptr, other_ptr, step * t, offset, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr,
                c + C * t, c < C, OTHER,
            )  # fmt: skip
            h = _charge(v, x, inverse_tau)
            hs = hs + (h,)
            v = _reset(h, v_th, SOFT)
        for k in tl.static_range(T):
            g = _store_back(
                g, hs[T - 1 - k], grad_s_ptr + step * (T - 1 - k), grad_ptr + step * (T - 1 - k), offset, there,
                inverse_tau, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE,
            )  # fmt: skip


@triton.jit(do_not_specialize=["parts"])
def sums(
    y_ptr, sums_ptr, R, C, rows: tl.constexpr, parts, T: tl.constexpr, BR: tl.constexpr, BC: tl.constexpr
):  # fmt: skip
    """Sum y - y[t, 0] and its square over this program's rows, whose number is a constant.

    Triton 3.6 cannot count to a variable in its interpreter with NumPy 2.4.
    """
    part, t = tl.program_id(0), tl.program_id(2)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    base = y_ptr + (t * R).to(tl.int64) * C
    centre = tl.load(base + c, c < C, other=0.0).to(tl.float32)[None, :]
    first = tl.zeros([BR, BC], tl.float32)
    second = tl.zeros([BR, BC], tl.float32)
    for start in range(0, rows, BR):
        r = part.to(tl.int64) * rows + start + tl.arange(0, BR)
        there = (r < R)[:, None] & (c < C)[None, :]
        y = tl.load(base + r[:, None] * C + c[None, :], there, other=0.0).to(tl.float32)
        d = tl.where(there, y - centre, 0.0)
        first += d
        second += d * d
    to = sums_ptr + (part * T + t).to(tl.int64) * C + c
    tl.store(to, tl.sum(first, 0), c < C)
    tl.store(to + tl.cast(parts, tl.int64) * T * C, tl.sum(second, 0), c < C)


@triton.jit(do_not_specialize=["parts"])
def back_sums(
    g_ptr, y_ptr, z_ptr, mean_ptr, other_mean_ptr, sums_ptr, R, C, rows: tl.constexpr, parts,
    T: tl.constexpr, TWO: tl.constexpr, BR: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Sum g, g·(y - mean) and, of a second branch, g·(z - other mean) over this program's rows."""
    part, t = tl.program_id(0), tl.program_id(2)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    base = (t * R).to(tl.int64) * C
    mean = tl.load(mean_ptr + c + C * t, c < C, other=0.0)[None, :]
    other_mean = tl.load(other_mean_ptr + c + C * t, c < C, other=0.0)[None, :]
    of_g = tl.zeros([BR, BC], tl.float32)
    of_gy = tl.zeros([BR, BC], tl.float32)
    of_gz = tl.zeros([BR, BC], tl.float32)
    for start in range(0, rows, BR):
        r = part.to(tl.int64) * rows + start + tl.arange(0, BR)
        there = (r < R)[:, None] & (c < C)[None, :]
        at = base + r[:, None] * C + c[None, :]
        g = tl.load(g_ptr + at, there, other=0.0).to(tl.float32)
        y = tl.load(y_ptr + at, there, other=0.0).to(tl.float32)
        of_g += g
        of_gy += g * (y - mean)
        if TWO:
            of_gz += g * (tl.load(z_ptr + at, there, other=0.0).to(tl.float32) - other_mean)
    to = sums_ptr + (part * T + t).to(tl.int64) * C + c
    plane = tl.cast(parts, tl.int64) * T * C
    tl.store(to, tl.sum(of_g, 0), c < C)
    tl.store(to + plane, tl.sum(of_gy, 0), c < C)
    if TWO:
        tl.store(to + 2 * plane, tl.sum(of_gz, 0), c < C)


@triton.jit
def standardise(
    y_ptr, sums_ptr, gamma_ptr, beta_ptr, running_mean_ptr, running_var_ptr, to_ptr, R, C, momentum, eps,
    T: tl.constexpr, JOINT: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """From the sums over all rows, store mean, 1/√(variance + ε), scale and shift, and update running statistics.

    JOINT takes statistics over all timesteps together; else the running ones take an update for every timestep.
    """
    c = tl.program_id(0) * BC + tl.arange(0, BC)
    there = c < C
    gamma, beta = tl.load(gamma_ptr + c, there, other=0.0), tl.load(beta_ptr + c, there, other=0.0)
    running_mean = tl.load(running_mean_ptr + c, there, other=0.0)
    running_var = tl.load(running_var_ptr + c, there, other=0.0)
    count = tl.cast(R, tl.float32)
    overall = tl.zeros([BC], tl.float32)
    spread = tl.zeros([BC], tl.float32)
    for t in range(T):
        at = t * C + c
        centre = tl.load(y_ptr + (t * R).to(tl.int64) * C + c, there, other=0.0).to(tl.float32)
        first = tl.load(sums_ptr + at, there, other=0.0) / count
        variance = tl.maximum(tl.load(sums_ptr + T * C + at, there, other=0.0) / count - first * first, 0.0)
        mean = centre + first
        if JOINT:  # joined to the timesteps before, as Chan et al. 1983 say
            apart = mean - overall
            overall += apart / (t + 1)
            spread += variance + apart * apart * t / (t + 1)
        else:
            running_mean += momentum * (mean - running_mean)
            running_var += momentum * (variance * (count / tl.maximum(count - 1, 1.0)) - running_var)
            inverse = 1.0 / tl.sqrt(variance + eps)
            tl.store(to_ptr + at, mean, there)
            tl.store(to_ptr + T * C + at, inverse, there)
            tl.store(to_ptr + 2 * T * C + at, inverse * gamma, there)
            tl.store(to_ptr + 3 * T * C + at, beta - mean * (inverse * gamma), there)
    if JOINT:
        variance = spread / T
        running_mean += momentum * (overall - running_mean)
        running_var += momentum * (variance * (count * T / tl.maximum(count * T - 1, 1.0)) - running_var)
        inverse = 1.0 / tl.sqrt(variance + eps)
        for t in range(T):
            at = t * C + c
            tl.store(to_ptr + at, overall, there)
            tl.store(to_ptr + T * C + at, inverse, there)
            tl.store(to_ptr + 2 * T * C + at, inverse * gamma, there)
            tl.store(to_ptr + 3 * T * C + at, beta - overall * (inverse * gamma), there)
    tl.store(running_mean_ptr + c, running_mean, there)
    tl.store(running_var_ptr + c, running_var, there)


@triton.jit
def norm_back(
    sum_g_ptr, sum_gy_ptr, mean_ptr, inverse_ptr, scale_ptr, to_ptr, grads_ptr, R, C,
    T: tl.constexpr, JOINT: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """From the sums over all rows, store the gradients of γ and β, and q and r of dL/dy = scale·g + (q·y + r)."""
    c = tl.program_id(0) * BC + tl.arange(0, BC)
    there = c < C
    count = tl.cast(R, tl.float32)
    of_gamma = tl.zeros([BC], tl.float32)
    of_beta = tl.zeros([BC], tl.float32)
    total_gy = tl.zeros([BC], tl.float32)
    for t in range(T):
        sum_gy = tl.load(sum_gy_ptr + t * C + c, there, other=0.0)
        of_gamma += sum_gy * tl.load(inverse_ptr + t * C + c, there, other=0.0)
        of_beta += tl.load(sum_g_ptr + t * C + c, there, other=0.0)
        total_gy += sum_gy
    if JOINT:
        count = count * T
    for t in range(T):
        at = t * C + c
        inverse, scale = tl.load(inverse_ptr + at, there, other=0.0), tl.load(scale_ptr + at, there, other=0.0)
        if JOINT:
            sum_g, sum_gy = of_beta, total_gy
        else:
            sum_g, sum_gy = tl.load(sum_g_ptr + at, there, other=0.0), tl.load(sum_gy_ptr + at, there, other=0.0)
        of_y = -scale * inverse * inverse * (sum_gy / count)
        tl.store(to_ptr + at, of_y, there)
        rest = -scale * (sum_g / count) - of_y * tl.load(mean_ptr + at, there, other=0.0)
        tl.store(to_ptr + T * C + at, rest, there)
    tl.store(grads_ptr + c, of_gamma, there)
    tl.store(grads_ptr + C + c, of_beta, there)


@triton.jit
def affine(
    g_ptr, y_ptr, to_ptr, p_ptr, q_ptr, r_ptr, R, C, BR: tl.constexpr, BC: tl.constexpr
):  # fmt: skip
    """Store p·g + (q·y + r), with p, q and r [T, C]."""
    t = tl.program_id(2)
    r = tl.program_id(0).to(tl.int64) * BR + tl.arange(0, BR)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    there = (r < R)[:, None] & (c < C)[None, :]
    at = r[:, None] * C + c[None, :] + (t * R).to(tl.int64) * C
    of_g = tl.load(p_ptr + c + C * t, c < C, other=0.0)[None, :]
    of_y = tl.load(q_ptr + c + C * t, c < C, other=0.0)[None, :]
    rest = tl.load(r_ptr + c + C * t, c < C, other=0.0)[None, :]
    g = tl.load(g_ptr + at, there, other=0.0).to(tl.float32)
    y = tl.load(y_ptr + at, there, other=0.0).to(tl.float32)
    tl.store(to_ptr + at, (of_g * g + (of_y * y + rest)).to(to_ptr.dtype.element_ty), there)


@triton.jit
def pack(s_ptr, bits_ptr, count, SIZE: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    k = tl.arange(0, 8)
    at = i[:, None] * 8 + k[None, :]
    s = tl.load(s_ptr + at, at < count, other=0.0) != 0
    tl.store(bits_ptr + i, tl.sum(s.to(tl.int32) << k[None, :], 1).to(tl.uint8), i * 8 < count)


@triton.jit
def unpack(bits_ptr, s_ptr, count, SIZE: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    byte = tl.load(bits_ptr + (i >> 3), i < count, other=0).to(tl.int32)
    tl.store(s_ptr + i, ((byte >> (i & 7).to(tl.int32)) & 1).to(tl.float32).to(s_ptr.dtype.element_ty), i < count)
