"""Races: choose a learning rate from the first part of its trainings. Standard library only."""

from tic_sweep.racing.detector import Sighting as Sighting
from tic_sweep.racing.detector import sight as sight
from tic_sweep.racing.policies import DEFAULT as DEFAULT
from tic_sweep.racing.policies import POLICIES as POLICIES
from tic_sweep.racing.policies import build_policy as build_policy
from tic_sweep.racing.protocol import GO_ON as GO_ON
from tic_sweep.racing.protocol import HOLDOUT as HOLDOUT
from tic_sweep.racing.protocol import Decision as Decision
from tic_sweep.racing.protocol import Look as Look
from tic_sweep.racing.protocol import Policy as Policy
from tic_sweep.racing.protocol import Recommendation as Recommendation
from tic_sweep.racing.protocol import Runner as Runner
from tic_sweep.racing.protocol import Standing as Standing
from tic_sweep.racing.protocol import StoppingCost as StoppingCost
from tic_sweep.racing.protocol import held_out as held_out
from tic_sweep.racing.protocol import runner_of as runner_of
from tic_sweep.racing.protocol import stratum_of as stratum_of
from tic_sweep.racing.score import tic_score as tic_score
