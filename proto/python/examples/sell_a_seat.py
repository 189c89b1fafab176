"""Sells two seats, as a booking frontend would: python sell_a_seat.py 127.0.0.1:7421 club West/A/1 West/A/2"""

import sys

import usher


def main(server: str, show: str, *seats: str) -> None:
    with usher.connect(server) as inventory:
        try:
            hold = inventory.hold(show, buyer="ada", seats=seats, ttl=300)
        except usher.Refused as refused:
            raise SystemExit(f"not these: {refused}") from refused
        print(f"held: {hold.total_minor / 100:.2f} {hold.currency}, for {len(hold.seats)} seats")
        # Here the buyer pays. If that takes long: inventory.extend(hold); if it fails: inventory.release(hold).
        booking = inventory.confirm(hold, order="o-1", payment="p-1")
        print(f"sold: order {booking.booking.order_ref}")


if __name__ == "__main__":
    main(*sys.argv[1:])
