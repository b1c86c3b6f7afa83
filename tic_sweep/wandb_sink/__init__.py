"""The W&B mirror: one run per trial and one of the sweep's report, never in the way of the sweep.

Nothing else here imports wandb, and this package does so only when the mirror is on (`client`). During a sweep a
thread of the driver feeds it (`sink`); `pushing` mirrors a results folder afterwards, under the same ids. Whatever W&B
does (no network, a wrong key, a full disk), the sweep goes on; what W&B did not take lies in run folders that
``wandb sync`` uploads.
"""

from tic_sweep.wandb_sink.pushing import MODES as MODES
from tic_sweep.wandb_sink.pushing import Pushed as Pushed
from tic_sweep.wandb_sink.pushing import push as push
from tic_sweep.wandb_sink.report import CHECKPOINTS as CHECKPOINTS
from tic_sweep.wandb_sink.sink import WandbSink as WandbSink
