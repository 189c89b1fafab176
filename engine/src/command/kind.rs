//! The kinds of commands, without what they carry.

use super::Command;
use crate::kinds::kinds;

kinds! {
    /// The kind of a command.
    CommandKind of Command {
        HoldSeats => "hold_seats",
        ExtendHold => "extend_hold",
        ReleaseHold => "release_hold",
        ConfirmHold => "confirm_hold",
        GetHold => "get_hold",
        HoldBest => "hold_best",
        PinHold => "pin_hold",
        UnpinHold => "unpin_hold",
        SellPlaces => "sell_places",
        CancelBooking => "cancel_booking",
        TransferBooking => "transfer_booking",
        ExchangeSeats => "exchange_seats",
        JoinWaitlist => "join_waitlist",
        LeaveWaitlist => "leave_waitlist",
        JoinGroup => "join_group",
        PrepareMember => "prepare_member",
        ConfirmMember => "confirm_member",
        ReleaseMember => "release_member",
        BlockPlaces => "block_places",
        UnblockPlaces => "unblock_places",
        RetireSeats => "retire_seats",
        ScheduleRelease => "schedule_release",
        SetChannel => "set_channel",
        AssignChannel => "assign_channel",
        ScheduleSale => "schedule_sale",
        OpenSale => "open_sale",
        PauseSale => "pause_sale",
        CloseSale => "close_sale",
        CancelShow => "cancel_show",
        ArchiveShow => "archive_show",
        ChangePolicy => "change_policy",
        ChangeManifest => "change_manifest",
    }
}
