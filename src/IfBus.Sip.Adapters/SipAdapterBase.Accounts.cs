using System.Runtime.CompilerServices;

namespace IfBus.Sip.Adapters;

/// <content>Accounts, devices and what belongs to them. The same rules as for call control.</content>
internal abstract partial class SipAdapterBase<TSession>
{
    /// <inheritdoc/>
    public IAsyncEnumerable<SipAccount> GetAccountsAsync(SipRange range, CancellationToken cancellationToken) =>
        StreamAsync(SipCapabilities.Accounts, s => GetAccountsAsync(s, range, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<long> CountAccountsAsync(CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => CountAccountsAsync(s, cancellationToken));

    /// <inheritdoc/>
    public Task<SipAccount> GetAccountAsync(string account, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.OwnAccount, s => GetAccountAsync(s, account, cancellationToken));

    /// <inheritdoc/>
    public Task<SipAccount> FindAccountByEmailAsync(string email, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => FindAccountByEmailAsync(s, email, cancellationToken));

    /// <inheritdoc/>
    public Task<SipAccount> CreateAccountAsync(SipAccountRequest request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => CreateAccountAsync(s, request, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipAccountChange> UpdateAccountAsync(string account, SipAccountUpdate update, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => UpdateAccountAsync(s, account, update, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipAccount> RemoveAccountAsync(string account, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => RemoveAccountAsync(s, account, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipAccountChange> SetAccountStateAsync(string account, IReadOnlyList<SipAccountAction> actions, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => SetAccountStateAsync(s, account, actions, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipDevice>> GetDevicesAsync(string account, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.OwnAccount, s => GetDevicesAsync(s, account, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<bool> RemoveDeviceAsync(string account, string uuid, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.OwnAccount, s => RemoveDeviceAsync(s, account, uuid, cancellationToken), measured: false);

    /// <inheritdoc/>
    public IAsyncEnumerable<SipCall> GetAccountCallsAsync(string account, CancellationToken cancellationToken) =>
        StreamAsync(SipCapabilities.AccountCalls, s => GetAccountCallsAsync(s, account, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<SipCallDetailRecord> GetAccountRecordsAsync(string account, CancellationToken cancellationToken) =>
        StreamAsync(SipCapabilities.AccountCalls, s => GetAccountRecordsAsync(s, account, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task SendPushAsync(SipPushRequest request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.PushNotification, s => SendPushAsync(s, request, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<string?> SendMessageAsync(string to, string body, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => SendMessageAsync(s, to, body, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipProvisioning> CreateProvisioningAsync(string account, bool byEmail, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Accounts, s => CreateProvisioningAsync(s, account, byEmail, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipSpace>> GetSpacesAsync(CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Spaces, s => GetSpacesAsync(s, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipCallForwarding>> GetCallForwardingsAsync(string account, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.CallForwarding, s => GetCallForwardingsAsync(s, account, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCallForwarding> SetCallForwardingAsync(string account, SipCallForwardingRequest request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.CallForwarding, s => SetCallForwardingAsync(s, account, request, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<bool> RemoveCallForwardingAsync(string account, SipForwardingType type, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.CallForwarding, s => RemoveCallForwardingAsync(s, account, type, cancellationToken), measured: false);

    protected virtual IAsyncEnumerable<SipAccount> GetAccountsAsync(TSession session, SipRange range, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<long> CountAccountsAsync(TSession session, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipAccount> GetAccountAsync(TSession session, string account, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipAccount> FindAccountByEmailAsync(TSession session, string email, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipAccount> CreateAccountAsync(TSession session, SipAccountRequest request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipAccountChange> UpdateAccountAsync(TSession session, string account, SipAccountUpdate update, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipAccount> RemoveAccountAsync(TSession session, string account, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipAccountChange> SetAccountStateAsync(TSession session, string account, IReadOnlyList<SipAccountAction> actions, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipDevice>> GetDevicesAsync(TSession session, string account, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<bool> RemoveDeviceAsync(TSession session, string account, string uuid, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual IAsyncEnumerable<SipCall> GetAccountCallsAsync(TSession session, string account, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual IAsyncEnumerable<SipCallDetailRecord> GetAccountRecordsAsync(TSession session, string account, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<bool> SendPushAsync(TSession session, SipPushRequest request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<string?> SendMessageAsync(TSession session, string to, string body, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipProvisioning> CreateProvisioningAsync(TSession session, string account, bool byEmail, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipSpace>> GetSpacesAsync(TSession session, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipCallForwarding>> GetCallForwardingsAsync(TSession session, string account, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipCallForwarding> SetCallForwardingAsync(TSession session, string account, SipCallForwardingRequest request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<bool> RemoveCallForwardingAsync(TSession session, string account, SipForwardingType type, CancellationToken cancellationToken) => throw NotClaimed();

    /// <summary>Gives out a list as it comes, each page asked for when it is wanted.</summary>
    private async IAsyncEnumerable<T> StreamAsync<T>(SipCapabilities needed, Func<TSession, IAsyncEnumerable<T>> list, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IAsyncEnumerable<T> items = await RunAsync(needed, s => Task.FromResult(list(s)), measured: false).ConfigureAwait(false);
        IAsyncEnumerator<T> each = items.GetAsyncEnumerator(cancellationToken);
        try
        {
            while (true)
            {
                try
                {
                    if (!await each.MoveNextAsync().ConfigureAwait(false)) break;
                }
                catch (SipException e)
                {
                    e.Server ??= Name;
                    throw;
                }

                yield return each.Current;
            }
        }
        finally
        {
            await each.DisposeAsync().ConfigureAwait(false);
        }
    }
}
