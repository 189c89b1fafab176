"""The client against a real server, whose binary `USHER_BINARY` names: a frontend's day, its refusals, and a server that is
away for a while."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

import usher
from usher.client import new_id
from usher.v1 import common_pb2, shows_pb2
from usher.v1.inventory_pb2 import HoldSeatsResponse

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "sell_a_seat.py"


class Server:
    """`usher serve` on a directory, on a port that stays its own once it has one."""

    def __init__(self, data: Path) -> None:
        self.data, self.address = data, "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        binary = os.environ["USHER_BINARY"]
        command = [binary, "serve", "--data-dir", str(self.data), "--shards", "2", "--listen", self.address, "--log-format", "json"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        for line in self.process.stderr:
            told = json.loads(line)
            if told.get("message") == "listening":
                self.address = told["address"]
                break
        else:
            raise AssertionError("it does not listen")
        # Or its pipe would fill.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("usher") / "data")
    yield server
    server.kill()


@pytest.fixture
def inventory(server: Server) -> Iterator[usher.Inventory]:
    with usher.connect(server.address, timeout=30) as inventory:
        yield inventory


def make_show(inventory: usher.Inventory, show: str, seats: int = 10, ga: int = 0) -> None:
    """Section `West` with row `A`, and `Floor` with units if there are any."""
    numbered = shows_pb2.NumberedSeats(first=1, count=seats, step=1)
    row = shows_pb2.Row(name="A", runs=[shows_pb2.SeatRun(category="Gold", numbered=numbered)])
    sections = [shows_pb2.Section(name="West", reserved=shows_pb2.ReservedSection(rows=[row]))]
    if ga:
        floor = shows_pb2.GeneralAdmission(capacity=ga, category="Gold")
        sections.append(shows_pb2.Section(name="Floor", general_admission=floor))
    gold = shows_pb2.Category(name="Gold", price_minor=9000)
    manifest = shows_pb2.Manifest(name="Club", currency="EUR", categories=[gold], sections=sections)
    inventory.run(inventory.shows.CreateShow, shows_pb2.CreateShowRequest(show_id=show, manifest=manifest))


def test_a_frontends_day(inventory: usher.Inventory) -> None:
    make_show(inventory, "day", seats=4, ga=5)
    hold = inventory.hold("day", buyer="ada", seats=["West/A/1", "West/A/2"], ga={"Floor": 2}, ttl=300)
    assert hold.state == common_pb2.HOLD_STATE_HELD and hold.total_minor == 4 * 9000
    # She changes her mind: other seats, without losing these meanwhile.
    hold = inventory.hold("day", buyer="ada", seats=["West/A/2", 2], terms=common_pb2.Terms(replaces=hold.hold_id))
    assert [seat.seat_index for seat in hold.seats] == [1, 2]
    assert inventory.extend(hold, ttl=400) >= hold.expires_at_ms
    booking = inventory.confirm(hold, order="o-1", payment="p-1")
    assert (booking.state, booking.booking.order_ref) == (common_pb2.HOLD_STATE_CONFIRMED, "o-1")
    assert inventory.confirm(hold, order="o-1", payment="p-1") == booking
    others = inventory.hold_best("day", buyer="bob", quantity=1, categories=["Gold"])
    inventory.release(others)
    # Nobody gets three of what is left; whoever waits gets what comes back.
    waiting = inventory.join_waitlist("day", buyer="cy", quantity=3)
    assert waiting.WhichOneof("standing") == "waiting"
    assert inventory.cancel(booking).refund_minor == 2 * 9000
    offer = inventory.get("day", waiting.waiting.hold_id)
    assert offer.state == common_pb2.HOLD_STATE_HELD and offer.is_offer and len(offer.seats) == 3
    sold = inventory.confirm(offer, order="o-2")
    assert inventory.transfer(sold, to="dan").buyer_id == "dan"
    assert [hold.hold_id for hold in inventory.holds_of("day", "dan")] == [sold.hold_id]
    door = inventory.sell("day", buyer="door", order="o-3", ga={"Floor": 1})
    assert inventory.exchange(door, ga={"Floor": 2}).difference_minor == 9000


def test_refusals_say_why(inventory: usher.Inventory) -> None:
    make_show(inventory, "why")
    inventory.hold("why", buyer="ada", seats=[3])
    with pytest.raises(usher.Refused) as taken:
        inventory.hold("why", buyer="bob", seats=["West/A/4", "West/A/5"])
    assert (taken.value.reason, taken.value.metadata["seat_indexes"]) == ("PLACES_TAKEN", "3")
    with pytest.raises(usher.Refused) as unknown:
        inventory.get("no-such-show", new_id())
    assert unknown.value.reason == "SHOW_UNKNOWN"
    with pytest.raises(usher.Refused) as malformed:
        inventory.hold("why", buyer="", seats=[4], ttl=1)
    assert set(malformed.value.violations) == {"buyer_id", "ttl_ms"}
    with pytest.raises(usher.Refused) as reused:
        make_show(inventory, "why", seats=11)
    assert reused.value.reason == "SHOW_ID_REUSED"
    with pytest.raises(ValueError, match="section/row/seat"):
        inventory.hold("why", buyer="bob", seats=["West"])


class Tomorrow(grpc.GenericRpcHandler):
    """A server of a later release: an enumeration has one value more, a message one field more, and there is one reason more."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        def hold(request: bytes, context: grpc.ServicerContext) -> bytes:
            if details.method.endswith("/ReleaseHold"):
                info = Any()
                info.Pack(error_details_pb2.ErrorInfo(reason="TOMORROW", domain="usher", metadata={"new": "1"}))
                status = status_pb2.Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message="no", details=[info])
                context.abort_with_status(rpc_status.to_status(status))
            # Field 4,000, a varint, behind what is known.
            known = common_pb2.Hold(show_id="club", buyer_id="ada", hold_id=new_id()).SerializeToString()
            state = common_pb2.Hold.DESCRIPTOR.fields_by_name["state"].number
            inner = known + bytes([state << 3, 99]) + b"\x80\xfa\x01\x07"
            return bytes([HoldSeatsResponse.DESCRIPTOR.fields_by_name["hold"].number << 3 | 2, len(inner)]) + inner

        return grpc.unary_unary_rpc_method_handler(hold)


def test_a_server_of_tomorrow_is_understood() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers((Tomorrow(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with usher.connect(f"127.0.0.1:{port}") as inventory:
        hold = inventory.hold("club", buyer="ada", seats=[1])
        assert (hold.buyer_id, hold.state) == ("ada", 99)
        with pytest.raises(usher.Refused) as refused:
            inventory.release(hold)
        assert (refused.value.reason, refused.value.metadata) == ("TOMORROW", {"new": "1"})
    server.stop(None)


def test_the_example_sells(server: Server, inventory: usher.Inventory) -> None:
    make_show(inventory, "club")
    command = [sys.executable, str(EXAMPLE), server.address, "club", "West/A/1", "West/A/2"]
    first = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert first.stdout == "held: 180.00 EUR, for 2 seats\nsold: order o-1\n", first.stderr
    again = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert again.returncode == 1 and "(PLACES_TAKEN)" in again.stderr


def test_a_server_that_is_away_is_waited_for(server: Server, inventory: usher.Inventory) -> None:
    make_show(inventory, "away")
    hold = inventory.hold("away", buyer="ada", seats=[1])
    server.kill()
    with usher.connect(server.address, timeout=0.5) as impatient, pytest.raises(usher.TimedOut):
        impatient.confirm(hold, order="o-1")
    comes_back = threading.Timer(1.0, server.start)
    comes_back.start()
    begun = time.monotonic()
    assert inventory.confirm(hold, order="o-1").state == common_pb2.HOLD_STATE_CONFIRMED
    assert time.monotonic() - begun > 0.5
    comes_back.join()
