"""The client: a method for each command, and what happens until it is answered."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

import grpc

from usher.errors import Refused, TimedOut, refusal
from usher.v1.availability_pb2_grpc import AvailabilityStub
from usher.v1.groups_pb2_grpc import GroupsStub
from usher.v1.common_pb2 import Adjacency, GaQuantity, Hold, Places, SeatLabel, Terms, WaitlistEntry, Wish
from usher.v1.inventory_pb2 import (
    CancelBookingRequest,
    CancelBookingResponse,
    ConfirmHoldRequest,
    ExchangeSeatsRequest,
    ExtendHoldRequest,
    GetHoldRequest,
    HoldBestRequest,
    HoldSeatsRequest,
    JoinWaitlistRequest,
    JoinWaitlistResponse,
    LeaveWaitlistRequest,
    ListHoldsRequest,
    PinHoldRequest,
    ReleaseHoldRequest,
    SellPlacesRequest,
    TransferBookingRequest,
    UnpinHoldRequest,
)
from usher.v1.inventory_pb2_grpc import InventoryStub
from usher.v1.shows_pb2_grpc import ShowsStub

Seats = Iterable["int | str"]
"""Seats by number, or by label as `section/row/seat`."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 1.0
_MESSAGE_BYTES_MAX = 64 << 20


def connect(
    target: str,
    *,
    timeout: float = 10.0,
    key: str | None = None,
    tls: grpc.ChannelCredentials | None = None,
) -> Inventory:
    """A client of the server at `host:port`; it connects when it is first used. `timeout`: seconds that a call may take in
    all, its repetitions among it. `key`: the API key or token to call with. `tls`: whom to believe to be the server, and the
    certificate to show (`grpc.ssl_channel_credentials`)."""
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX), ("grpc.max_send_message_length", _MESSAGE_BYTES_MAX)]
    if tls is None:
        return Inventory(grpc.insecure_channel(target, options=options), timeout, key)
    return Inventory(grpc.secure_channel(target, tls, options=options), timeout, key)


def new_id() -> bytes:
    """An id for a hold, a booking or an entry: a random UUID. Keep it to repeat a call."""
    return uuid.uuid4().bytes


class Inventory:
    """Usher's inventory, over the network. Threads may share one.

    Each method raises `Refused` when the server says no, and `TimedOut` when it says nothing in time.
    """

    def __init__(self, channel: grpc.Channel, timeout: float, key: str | None = None) -> None:
        self._channel, self._timeout = channel, timeout
        self._metadata = (("authorization", f"Bearer {key.strip()}"),) if key else ()
        self.commands = InventoryStub(channel)
        """Every command, as it is in `usher.v1`; for `run`."""
        self.shows = ShowsStub(channel)
        """The organiser's calls, as they are in `usher.v1`; for `run`."""
        self.groups = GroupsStub(channel)
        """Places in several shows, all or none, as they are in `usher.v1`; for `run`."""
        self.availability = AvailabilityStub(channel)
        """Which places are available; for `run`."""

    def __enter__(self) -> Inventory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def run(self, call: Callable[..., Any], request: Any) -> Any:
        """Any call of `commands`, `shows`, `groups` or `availability` with its request: until it is answered, or refused for
        good, or its time is up.

        >>> inventory.run(inventory.shows.CreateShow, CreateShowRequest(show_id="club", manifest=manifest))
        """
        begun = time.monotonic()
        last: Refused | None = None
        attempts = 0
        while True:
            left = self._timeout - (time.monotonic() - begun)
            if left <= 0:
                raise TimedOut(time.monotonic() - begun, last)
            try:
                return call(request, timeout=left, metadata=self._metadata)
            except grpc.RpcError as error:
                refused = refusal(error)
            if refused.code is grpc.StatusCode.DEADLINE_EXCEEDED and not refused.reason:
                raise TimedOut(time.monotonic() - begun, last)
            if not refused.is_worth_repeating:
                raise refused
            last = refused
            backoff = min(_FIRST_PAUSE * 2**attempts, _LONGEST_PAUSE) * random.uniform(0.5, 1.0)
            attempts = min(attempts + 1, 10)
            # The last pause ends with the call's time.
            time.sleep(max(0.0, min(refused.retry_after + backoff, left)))

    def hold(
        self,
        show: str,
        *,
        buyer: str,
        seats: Seats = (),
        ga: Mapping[str, int] | None = None,
        ttl: float | None = None,
        hold_id: bytes | None = None,
        terms: Terms | None = None,
    ) -> Hold:
        """Holds seats and general-admission units, by section, for a buyer: all of them or none. `ttl`: seconds."""
        request = HoldSeatsRequest(
            show_id=show, hold_id=hold_id or new_id(), buyer_id=buyer, places=places(seats, ga), ttl_ms=_ms(ttl), terms=terms
        )
        return self.run(self.commands.HoldSeats, request).hold

    def hold_best(
        self,
        show: str,
        *,
        buyer: str,
        quantity: int,
        adjacency: Adjacency = Adjacency.ADJACENCY_PREFERRED,
        ttl: float | None = None,
        hold_id: bytes | None = None,
        terms: Terms | None = None,
        tickets: Mapping[str, int] | None = None,
        **wish: Any,
    ) -> Hold:
        """Holds the best places. `wish`: further fields of `usher.v1.Wish`, such as `categories=["Gold"]`."""
        request = HoldBestRequest(
            show_id=show,
            hold_id=hold_id or new_id(),
            buyer_id=buyer,
            wish=Wish(quantity=quantity, adjacency=adjacency, **wish),
            ttl_ms=_ms(ttl),
            terms=terms,
            tickets=tickets,
        )
        return self.run(self.commands.HoldBest, request).hold

    def extend(self, hold: Hold, *, ttl: float | None = None) -> int:
        """Moves a hold's deadline, and returns it: milliseconds since 1970, UTC."""
        request = ExtendHoldRequest(**_whose(hold), ttl_ms=_ms(ttl))
        return int(self.run(self.commands.ExtendHold, request).expires_at_ms)

    def release(self, hold: Hold, *, seats: Seats = (), ga: Mapping[str, int] | None = None) -> None:
        """Gives a hold back, or the places that are named."""
        self.run(self.commands.ReleaseHold, ReleaseHoldRequest(**_whose(hold), places=places(seats, ga)))

    def confirm(
        self,
        hold: Hold,
        *,
        order: str,
        payment: str = "",
        seats: Seats = (),
        ga: Mapping[str, int] | None = None,
        accept_late: bool = False,
        keep_rest_as: bytes = b"",
    ) -> Hold:
        """Sells a hold, or the places that are named, and releases or keeps the rest. Returns the booking."""
        request = ConfirmHoldRequest(
            **_whose(hold),
            order_ref=order,
            payment_ref=payment,
            places=places(seats, ga),
            accept_late=accept_late,
            keep_rest_as=keep_rest_as,
        )
        return self.run(self.commands.ConfirmHold, request).hold

    def get(self, show: str, hold_id: bytes) -> Hold:
        """The fate of a hold."""
        return self.run(self.commands.GetHold, GetHoldRequest(show_id=show, hold_id=hold_id)).hold

    def holds_of(self, show: str, buyer: str) -> Iterator[Hold]:
        """All that a buyer has and had, as long as it is remembered."""
        request = ListHoldsRequest(show_id=show, buyer_id=buyer)
        while True:
            page = self.run(self.commands.ListHolds, request)
            yield from page.holds
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def pin(self, hold: Hold) -> int:
        """Keeps a hold while the outcome of its payment is unknown. Returns the deadline of that."""
        return int(self.run(self.commands.PinHold, PinHoldRequest(**_whose(hold))).expires_at_ms)

    def unpin(self, hold: Hold) -> int:
        """Lets it go on. Returns its deadline."""
        return int(self.run(self.commands.UnpinHold, UnpinHoldRequest(**_whose(hold))).expires_at_ms)

    def sell(
        self,
        show: str,
        *,
        buyer: str,
        order: str,
        payment: str = "",
        seats: Seats = (),
        ga: Mapping[str, int] | None = None,
        hold_id: bytes | None = None,
        terms: Terms | None = None,
    ) -> Hold:
        """Sells without a hold before it: the box office."""
        request = SellPlacesRequest(
            show_id=show,
            hold_id=hold_id or new_id(),
            buyer_id=buyer,
            places=places(seats, ga),
            order_ref=order,
            payment_ref=payment,
            terms=terms,
        )
        return self.run(self.commands.SellPlaces, request).hold

    def cancel(self, booking: Hold, *, seats: Seats = (), ga: Mapping[str, int] | None = None) -> CancelBookingResponse:
        """Takes a booking back, or the places that are named."""
        return self.run(self.commands.CancelBooking, CancelBookingRequest(**_whose(booking), places=places(seats, ga)))

    def transfer(self, booking: Hold, *, to: str) -> Hold:
        """Gives a booking to another buyer."""
        return self.run(self.commands.TransferBooking, TransferBookingRequest(**_whose(booking), to_buyer_id=to)).hold

    def exchange(
        self, booking: Hold, *, seats: Seats = (), ga: Mapping[str, int] | None = None, terms: Terms | None = None
    ) -> Hold:
        """Gives a booking other places: all that it is to have."""
        request = ExchangeSeatsRequest(**_whose(booking), places=places(seats, ga), terms=terms)
        return self.run(self.commands.ExchangeSeats, request).hold

    def join_waitlist(
        self,
        show: str,
        *,
        buyer: str,
        quantity: int,
        hold_id: bytes | None = None,
        priority: int = 0,
        channel_keys: Iterable[str] = (),
        **wish: Any,
    ) -> JoinWaitlistResponse:
        """Waits for places: the answer has either `waiting` or a `hold`, the offer, made at once. Later `get` tells."""
        request = JoinWaitlistRequest(
            show_id=show,
            hold_id=hold_id or new_id(),
            buyer_id=buyer,
            wish=Wish(quantity=quantity, **wish),
            priority=priority,
            channel_keys=channel_keys,
        )
        return self.run(self.commands.JoinWaitlist, request)

    def leave_waitlist(self, show: str, entry: WaitlistEntry | Hold) -> None:
        """Waits no more, or declines an offer."""
        request = LeaveWaitlistRequest(show_id=show, hold_id=entry.hold_id, buyer_id=entry.buyer_id)
        self.run(self.commands.LeaveWaitlist, request)


def places(seats: Seats = (), ga: Mapping[str, int] | None = None) -> Places | None:
    """Seats and general-admission units; nothing if none are named."""
    named = list(seats)
    if not named and not ga:
        return None
    return Places(
        seat_indexes=[seat for seat in named if isinstance(seat, int)],
        seats=[_label(seat) for seat in named if isinstance(seat, str)],
        ga=[GaQuantity(section=section, quantity=quantity) for section, quantity in (ga or {}).items()],
    )


def _label(text: str) -> SeatLabel:
    parts = text.split("/")
    if len(parts) != 3:
        raise ValueError(f"a seat is section/row/seat, or a number; not {text!r}")
    section, row, seat = parts
    return SeatLabel(section=section, row=row, seat=seat)


def _whose(hold: Hold) -> dict[str, Any]:
    return {"show_id": hold.show_id, "hold_id": hold.hold_id, "buyer_id": hold.buyer_id}


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000)
