using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists accounts, or shows some.</summary>
[Cmdlet(VerbsCommon.Get, "SipAccount", DefaultParameterSetName = "List", SupportsPaging = true)]
[OutputType(typeof(SipAccount))]
public sealed class GetSipAccount : ServerCmdlet
{
    /// <summary>User names, SIP addresses, or # and the number. With wildcards the whole list is searched.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "List")]
    [Account]
    [Alias("SipUri", "Identity")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Account { get; set; }

    /// <summary>The account with this e-mail address.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Email")]
    public string? Email { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.OwnAccount;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        if (Email is not null)
        {
            Try(Email, () => Write(Pump(token => connection.Adapter.FindAccountByEmailAsync(Email, token))));
            return;
        }

        if (Account is null)
        {
            Try(connection.Name, () => List(connection, null));
            return;
        }

        foreach (string account in Account)
        {
            if (WildcardPattern.ContainsWildcardCharacters(account)) Try(account, () => List(connection, account));
            else Try(account, () => Write(Pump(token => connection.Adapter.GetAccountAsync(account, token))));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => PumpRest(() => false);

    private protected override string? Activity => "Reading accounts";

    private protected override string? HowFar() => Progress is { Begun: > 1 } work ? $"{work.Done} so far, {work.Done / Math.Max(work.Elapsed.TotalSeconds, 1):0} a second" : null;

    // Each page is asked for when the one before has been written: Select-Object -First 5 asks for one.
    private void List(ServerStore.Connection connection, string? pattern)
    {
        if (PagingParameters.IncludeTotalCount) WriteObject(PagingParameters.NewTotalCount((ulong)Pump(connection.Adapter.CountAccountsAsync), 1.0));
        long skip = (long)Math.Min(PagingParameters.Skip, long.MaxValue);
        long? first = PagingParameters.First > long.MaxValue ? null : (long)PagingParameters.First;
        var range = pattern is null ? new SipRange(skip, first) : new SipRange();
        IAsyncEnumerator<SipAccount> each = connection.Adapter.GetAccountsAsync(range, StopToken).GetAsyncEnumerator(StopToken);
        try
        {
            while (first is null or > 0)
            {
                // Many come without a wait; only those that do not need the pump.
                ValueTask<bool> next = each.MoveNextAsync();
                bool more = next.IsCompletedSuccessfully ? next.Result : Pump(_ => next.AsTask());
                if (!more) return;
                if (pattern is not null)
                {
                    if (!Fits(pattern, each.Current) || skip-- > 0) continue;
                    first--;
                }

                Write(each.Current);
            }
        }
        finally
        {
            each.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(1));
        }
    }

    private static bool Fits(string pattern, SipAccount account) =>
        Wanted.Matches(pattern, account.Username) || Wanted.Matches(pattern, $"{account.Username}@{account.Domain}") || Wanted.Matches(pattern, account.SipUri);

    private void Write(SipAccount account)
    {
        KnownAccounts.Add(account);
        if (Progress is not null) Progress.Done = ++Progress.Begun;
        WriteObject(account);
    }

    private void Try(object target, Action work)
    {
        try
        {
            work();
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, target));
        }
    }
}
