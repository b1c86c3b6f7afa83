"""The results store: one folder per sweep, one writer, any number of readers, before, during and after the run.

A row is safe once `ResultsWriter.add` has returned: it lies in the journal, which survives a kill. Every few seconds
the rows of the journal become an immutable Parquet segment per table. Readers see both, and keep the newest row of
each identity (`tic_sweep.records.TABLES`), newest by (session, seq) and never by clocks or file order.
"""

from tic_sweep.store.blocks import Block as Block
from tic_sweep.store.blocks import Rows as Rows
from tic_sweep.store.blocks import blocks_of as blocks_of
from tic_sweep.store.blocks import blocks_told as blocks_told
from tic_sweep.store.compact import compact as compact
from tic_sweep.store.damage import Damage as Damage
from tic_sweep.store.damage import find_damage as find_damage
from tic_sweep.store.damage import last_epochs as last_epochs
from tic_sweep.store.damage import trials_touched as trials_touched
from tic_sweep.store.damage import trials_with_holes as trials_with_holes
from tic_sweep.store.folder import ResultsFolder as ResultsFolder
from tic_sweep.store.lock import refuse_if_held as refuse_if_held
from tic_sweep.store.manifest import FORMAT as FORMAT
from tic_sweep.store.manifest import Manifest as Manifest
from tic_sweep.store.problems import Problems as Problems
from tic_sweep.store.reader import TrialState as TrialState
from tic_sweep.store.reader import scan as scan
from tic_sweep.store.reader import stored_config as stored_config
from tic_sweep.store.reader import trial_states as trial_states
from tic_sweep.store.reading import Reading as Reading
from tic_sweep.store.reading import open_folder as open_folder
from tic_sweep.store.remote import RemoteFolder as RemoteFolder
from tic_sweep.store.segments import DamagedFileWarning as DamagedFileWarning
from tic_sweep.store.segments import schema_of as schema_of
from tic_sweep.store.writer import ResultsWriter as ResultsWriter
