"""Three ways to apply a delay kernel, equal up to rounding, and which of them is cheapest.

Shapes: T timesteps, N samples, O outputs, I inputs, K taps, S synapses; time is axis 0. All are causal: the output at
t depends on inputs 1..t alone.

    conv     cross-correlation; the reference
    fft      the same as a product of spectra, zero-padded to T + K - 1 timesteps
    gather   one addition per synapse and timestep, whatever K: for whole delays only

The choice among them is a model of their cost, not a stopwatch: rounding differs between backends and can flip a spike,
so that a choice that depended on the machine's mood would make a trial irreproducible. `benchmarks/delays.py` measures
what the model states.
"""

from math import log2

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn.functional import conv1d, embedding_bag, pad

BACKENDS: tuple[str, ...] = ("conv", "fft", "gather")

CONV_RATE, PRODUCT_RATE, TRANSFORM_RATE, GATHER_RATE, LAYOUT_RATE = 36.0, 30.0, 1.1, 11.0, 0.2
"""Billions a second on one core: multiplications of conv and of the product of spectra, n·log2(n) of the transforms,
additions of gather, and inputs that gather lays out anew."""


def conv(x_TNI: Tensor, kernel_OIK: Tensor) -> Tensor:
    """Return y[t] = Σ_i K[i]·x[t - (K - 1) + i], [T, N, O], with x zero before the first timestep."""
    padded_NIT = pad(x_TNI.permute(1, 2, 0), (kernel_OIK.shape[-1] - 1, 0))
    return conv1d(padded_NIT, kernel_OIK).permute(2, 0, 1)


def fft(x_TNI: Tensor, kernel_OIK: Tensor) -> Tensor:
    """Return what `conv` returns, through real Fourier transforms."""
    timesteps = len(x_TNI)
    length = _padded_length(timesteps, kernel_OIK.shape[-1])
    by_delay_KIO = kernel_OIK.flip(-1).permute(2, 1, 0)  # the transform wants delay 0 first
    spectrum_FNO = torch.fft.rfft(x_TNI, length, dim=0) @ torch.fft.rfft(by_delay_KIO, length, dim=0)
    return torch.fft.irfft(spectrum_FNO, length, dim=0)[:timesteps]


def gather(x_TNI: Tensor, weight_S: Tensor, delay_S: Tensor, synapse_S2: Tensor, outputs: int) -> Tensor:
    """Return y[t, n, o] = Σ_s w_s·x[t - d_s, n, i_s] over the synapses s of o, [T, N, O].

    Args:
        x_TNI: the inputs.
        weight_S: weight of each synapse.
        delay_S: whole delay of each synapse, int64, in timesteps.
        synapse_S2: (output, input) of each synapse, in ascending order of output.
        outputs: O.
    """
    timesteps, samples, inputs = x_TNI.shape
    longest = int(delay_S.max()) if len(delay_S) else 0
    length = timesteps + longest
    # One row for each input and moment, zeros before the first timestep, and one bag of rows for each (t, output).
    rows_RN = pad(x_TNI.permute(2, 0, 1), (0, 0, longest, 0)).reshape(inputs * length, samples)
    output_S, input_S = synapse_S2.unbind(1)
    at_t_T1 = torch.arange(timesteps, device=x_TNI.device)[:, None]
    row_TS = input_S * length + longest - delay_S + at_t_T1
    first_O = torch.searchsorted(output_S.contiguous(), torch.arange(outputs, device=x_TNI.device))
    first_TO = first_O + at_t_T1 * len(output_S)
    summed_RN = embedding_bag(
        row_TS.flatten(), rows_RN, first_TO.flatten(), mode="sum",
        per_sample_weights=weight_S.expand(timesteps, -1).flatten(),
    )  # fmt: skip
    return summed_RN.view(timesteps, outputs, samples).transpose(1, 2)


def costs(
    outputs: int, inputs: int, taps: int, timesteps: int, samples: int, *, density: float = 1.0, hard: bool = False
) -> dict[str, float]:
    """Return the seconds that a forward pass is modelled to take on one core with each backend that can do it.

    Args:
        outputs: O.
        inputs: I.
        taps: K.
        timesteps: T.
        samples: N.
        density: share of the O·I synapses that exist, which only gather gains from.
        hard: whether delays are whole, without which gather is left out.
    """
    length = _padded_length(timesteps, taps)
    synapses, transforms = outputs * inputs, (inputs + outputs) * samples + outputs * inputs
    products = 4 * synapses * samples * (length // 2 + 1)
    modelled = {
        "conv": synapses * taps * timesteps * samples / CONV_RATE,
        "fft": products / PRODUCT_RATE + transforms * length * log2(max(length, 2)) / TRANSFORM_RATE,
    }
    if hard:
        per_moment = synapses * density / GATHER_RATE + inputs / LAYOUT_RATE
        modelled["gather"] = per_moment * timesteps * samples
    return {name: cost / 1e9 for name, cost in modelled.items()}


def choose_backend(
    outputs: int, inputs: int, taps: int, timesteps: int, samples: int, *, density: float = 1.0, hard: bool = False
) -> str:
    """Return the backend that `costs` models as cheapest; the arguments are its."""
    modelled = costs(outputs, inputs, taps, timesteps, samples, density=density, hard=hard)
    return min(modelled, key=lambda name: modelled[name])


def _padded_length(timesteps: int, taps: int) -> int:
    """Return a length that transforms are quick at and at which a product of spectra does not wrap around."""
    least = timesteps + taps - 1
    return next_fast_len(least, real=True) or least
