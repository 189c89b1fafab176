"""Usher's client for Python: who gets which seat.

>>> import usher
>>> with usher.connect("127.0.0.1:7421") as inventory:
...     hold = inventory.hold("club", buyer="ada", seats=["West/A/1", "West/A/2"])
...     booking = inventory.confirm(hold, order="o-1")

Every call may be repeated: the client does it itself while the server is away or asks for it, until the call's time is up.
What the rules refuse is a `Refused` with a `reason`; act on that, never on the text. The messages are those of `usher.v1`.
"""

from usher.client import Inventory, connect
from usher.errors import Refused, TimedOut, UsherError

__all__ = ["Inventory", "Refused", "TimedOut", "UsherError", "connect"]
