"""The errors that every driver and transport raises."""


class MiningSDKError(Exception):
    """Any failure of a device, in words that may be shown to a person.

    The text never holds a password, a token or the payload of a request.
    """


class DeviceUnreachable(MiningSDKError):  # noqa: N818
    """Nothing answers at the address: refused, no route or no connection in time."""


class DeviceTimeout(MiningSDKError):  # noqa: N818
    """The device took the connection but did not answer within the time limit."""


class AuthenticationFailed(MiningSDKError):  # noqa: N818
    """The device asks for credentials, or refuses those it was given."""


class LockedOut(AuthenticationFailed):
    """The device takes no password at all for a while, after too many wrong ones."""


class NotSupported(MiningSDKError):  # noqa: N818
    """The device, as its firmware stands, does not offer this."""


class InvalidReply(MiningSDKError):  # noqa: N818
    """The device answered something that its protocol does not allow."""


class CommandFailed(MiningSDKError):  # noqa: N818
    """The device refused a command or did not confirm it in time."""


class ControlDisabled(CommandFailed):
    """The device takes no commands until somebody allows them at the device itself.

    The text says how that is done, in the words of the vendor's own tool.
    """
