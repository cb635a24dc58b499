"""No deadlines: the machine may be busy with something else. The rigs are in `keypad_rigs`."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
