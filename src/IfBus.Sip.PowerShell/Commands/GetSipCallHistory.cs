using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists calls that ended while we were connected.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallHistory")]
[OutputType(typeof(SipCall))]
public sealed class GetSipCallHistory : KnowledgeCmdlet
{
    /// <summary>Flexisip: the account whose calls are wanted; accounts can be piped in.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Account]
    [Alias("SipUri")]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Account { get; set; }

    /// <summary>Only calls that ended at or after this time.</summary>
    [Parameter]
    public DateTime? After { get; set; }

    /// <summary>Only calls that ended before this time.</summary>
    [Parameter]
    public DateTime? Before { get; set; }

    /// <summary>Only calls from numbers like this.</summary>
    [Parameter]
    [SupportsWildcards]
    public string? From { get; set; }

    /// <summary>Only calls to numbers like this.</summary>
    [Parameter]
    [SupportsWildcards]
    public string? To { get; set; }

    /// <summary>Only calls that ended so.</summary>
    [Parameter]
    public HangupCause[]? Cause { get; set; }

    /// <summary>Only the last so many of each server.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Last { get; set; }

    // An account is of one server: without a name it is the default one's.
    private protected override IReadOnlyList<ServerStore.Connection> Connections => Account is not null ? ChooseEach(Server) : Server is null ? ThoseWithCalls(base.Connections) : base.Connections;

    // An account server beside others has no calls of its own, which is no error.
    private static IReadOnlyList<ServerStore.Connection> ThoseWithCalls(IReadOnlyList<ServerStore.Connection> all) =>
        [.. all.Where(c => c.Adapter.Server.Type != SipServerType.Flexisip || all.All(o => o.Adapter.Server.Type == SipServerType.Flexisip))];

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token)
    {
        DateTime? after = After?.ToUniversalTime(), before = Before?.ToUniversalTime();
        bool Fits(SipCall c) => (after is null || c.EndedAt >= after) && (before is null || c.EndedAt < before) && (Cause is null || (c.Cause is { } cause && Cause.Contains(cause)))
            && Wanted.Matches(From, c.From) && Wanted.Matches(To, c.To);
        if (Account is null && adapter.Server.Type != SipServerType.Flexisip)
        {
            IEnumerable<SipCall> calls = adapter.EndedCalls.Where(Fits);
            return Last is { } last ? calls.TakeLast(last) : calls;
        }

        // It sees no calls by itself, and knows those of an account. Newest first there.
        if (Account is null && adapter.Capabilities.HasFlag(SipCapabilities.AccountCalls)) throw new SipArgumentException("Account", null, "whose calls; this server knows them by account only.");
        var found = new List<SipCall>();
        foreach (string account in Account ?? [""])
        {
            int left = Last ?? int.MaxValue;
            await foreach (SipCall call in adapter.GetAccountCallsAsync(account, token).ConfigureAwait(false))
            {
                if (!Fits(call)) continue;
                found.Add(call);
                if (--left == 0) break;
            }
        }

        return found;
    }
}
