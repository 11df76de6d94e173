namespace IfBus.Sip;

/// <summary>
/// What servers with accounts can do with them. An account is named by its user name, its SIP address with or without
/// <c>sip:</c>, or <c>#</c> and its number. All may throw <see cref="SipNotSupportedException"/>, and
/// <see cref="SipRejectedException"/> with the id <c>SipAccountNotFound</c>.
/// </summary>
public interface ISipAccountControl
{
    /// <summary>The accounts in the server's order, page by page as they are wanted.</summary>
    /// <param name="range">Which of them.</param>
    /// <param name="cancellationToken">Stops asking.</param>
    IAsyncEnumerable<SipAccount> GetAccountsAsync(SipRange range, CancellationToken cancellationToken);

    /// <summary>How many accounts there are.</summary>
    Task<long> CountAccountsAsync(CancellationToken cancellationToken);

    /// <summary>One account.</summary>
    Task<SipAccount> GetAccountAsync(string account, CancellationToken cancellationToken);

    /// <summary>The account with this e-mail address; if several have it, the server's first.</summary>
    Task<SipAccount> FindAccountByEmailAsync(string email, CancellationToken cancellationToken);

    /// <summary>Makes an account, and returns it as the server keeps it.</summary>
    /// <exception cref="SipRejectedException">Ids: <c>SipAccountExists</c>, <c>SipAccountNameReserved</c> (a deleted account had it), <c>SipValidationFailed</c> (see <see cref="SipRejectedException.FieldErrors"/>), <c>SipSpaceRefused</c>.</exception>
    Task<SipAccount> CreateAccountAsync(SipAccountRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Changes what is named in the update and leaves the rest as it is, although the server itself only replaces: read,
    /// merged, written, what the server resets put back, and read again.
    /// </summary>
    /// <exception cref="SipRejectedException">Ids: <c>SipAccountChanged</c> (somebody else changed it), <c>SipValidationFailed</c>, <c>SipAccountNotRestored</c> (a part could not be put back; the message says which).</exception>
    Task<SipAccountChange> UpdateAccountAsync(string account, SipAccountUpdate update, CancellationToken cancellationToken);

    /// <summary>Removes an account, and returns it as it was.</summary>
    Task<SipAccount> RemoveAccountAsync(string account, CancellationToken cancellationToken);

    /// <summary>Blocks, unblocks, activates or deactivates.</summary>
    Task<SipAccountChange> SetAccountStateAsync(string account, IReadOnlyList<SipAccountAction> actions, CancellationToken cancellationToken);

    /// <summary>The devices that are registered under an account.</summary>
    Task<IReadOnlyList<SipDevice>> GetDevicesAsync(string account, CancellationToken cancellationToken);

    /// <summary>Removes a device's registration. False if there was none.</summary>
    Task<bool> RemoveDeviceAsync(string account, string uuid, CancellationToken cancellationToken);

    /// <summary>The calls of an account, newest first, page by page as they are wanted.</summary>
    IAsyncEnumerable<SipCall> GetAccountCallsAsync(string account, CancellationToken cancellationToken);

    /// <summary>The same as detail records, one a device that was called, or one for a call of which no device is told.</summary>
    IAsyncEnumerable<SipCallDetailRecord> GetAccountRecordsAsync(string account, CancellationToken cancellationToken);

    /// <summary>Has a push notification sent to a device.</summary>
    Task SendPushAsync(SipPushRequest request, CancellationToken cancellationToken);

    /// <summary>Has a text message sent, by the server's own SIP user. Returns the server's id of it.</summary>
    Task<string?> SendMessageAsync(string to, string body, CancellationToken cancellationToken);

    /// <summary>Makes a new provisioning token; the one before is void. The link is in the result and nowhere else.</summary>
    /// <param name="account">The account.</param>
    /// <param name="byEmail">The server sends it to the account's e-mail address; the link is then not told.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<SipProvisioning> CreateProvisioningAsync(string account, bool byEmail, CancellationToken cancellationToken);

    /// <summary>The server's spaces (tenants).</summary>
    Task<IReadOnlyList<SipSpace>> GetSpacesAsync(CancellationToken cancellationToken);

    /// <summary>The call forwarding rules of an account.</summary>
    Task<IReadOnlyList<SipCallForwarding>> GetCallForwardingsAsync(string account, CancellationToken cancellationToken);

    /// <summary>Makes or changes the rule of a kind.</summary>
    Task<SipCallForwarding> SetCallForwardingAsync(string account, SipCallForwardingRequest request, CancellationToken cancellationToken);

    /// <summary>Removes the rule of a kind. False if there was none.</summary>
    Task<bool> RemoveCallForwardingAsync(string account, SipForwardingType type, CancellationToken cancellationToken);
}

/// <summary>A part of a list.</summary>
/// <param name="Skip">So many are left out at the begin.</param>
/// <param name="First">At most so many; null for all.</param>
public sealed record SipRange(long Skip = 0, long? First = null);

/// <summary>What can be done to an account as a whole.</summary>
public enum SipAccountAction
{
    /// <summary>Nobody can use it, until it is unblocked.</summary>
    Block,

    /// <summary>The contrary.</summary>
    Unblock,

    /// <summary>Confirmed, so that it can be used.</summary>
    Activate,

    /// <summary>As if never confirmed. Flexisip's clean-up is made to delete such accounts when they are 30 days old.</summary>
    Deactivate,
}
