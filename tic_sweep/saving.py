"""What retraining with fewer timesteps saves (Kim et al. 2023, "Efficient SNN Pruning Using TIC")."""


def compute_cost(epochs: int, timesteps: int, cycles: int, retrain_epochs: int, retrain_timesteps: int) -> int:
    """Return ``N T + N_retrain R T_retrain``, the cost of a pruning run in timestep-epochs.

    Args:
        epochs: N, of the first training.
        timesteps: T, of the first training.
        cycles: R, of pruning and retraining.
        retrain_epochs: N_retrain, of each cycle.
        retrain_timesteps: T_retrain.
    """
    return epochs * timesteps + retrain_epochs * cycles * retrain_timesteps


def compute_saving(epochs: int, timesteps: int, cycles: int, retrain_epochs: int, retrain_timesteps: int) -> float:
    """Return ``N_retrain R (T - T_retrain) / (N T + N_retrain R T)``, the share of compute that is saved.

    The arguments are those of `compute_cost`. With the paper's N = 300, T = 5, R = 5, N_retrain = 60 and T_retrain = 3
    it is 0.2; it is 0 where there is nothing to compute.
    """
    whole = compute_cost(epochs, timesteps, cycles, retrain_epochs, timesteps)
    saved = whole - compute_cost(epochs, timesteps, cycles, retrain_epochs, retrain_timesteps)
    return saved / whole if whole else 0.0
