"""Several trials in one process: they take turns, and what a GPU is asked again and again is recorded and replayed.

The functions are called by the core wherever a trial could make room for others. Outside a pack they do nothing but
what their plain counterparts do.
"""

from tic_sweep.packing.member import Member as Member
from tic_sweep.packing.member import awaited as awaited
from tic_sweep.packing.member import give_way as give_way
from tic_sweep.packing.member import is_recorded as is_recorded
from tic_sweep.packing.member import replayed as replayed
from tic_sweep.packing.member import seconds as seconds
from tic_sweep.packing.member import shared as shared
from tic_sweep.packing.replays import WARM_UPS as WARM_UPS
from tic_sweep.packing.replays import Replays as Replays
from tic_sweep.packing.turns import Closed as Closed
from tic_sweep.packing.turns import Turns as Turns
