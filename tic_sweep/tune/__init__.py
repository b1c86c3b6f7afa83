"""Choose a learning rate for a fraction of the full grid's epochs: a race as one question with one answer."""

from tic_sweep.tune.answer import Tuned as Tuned
from tic_sweep.tune.learning_rate import tune_learning_rate as tune_learning_rate
from tic_sweep.tune.question import Question as Question
