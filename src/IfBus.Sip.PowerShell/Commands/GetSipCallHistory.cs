using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists calls that ended while we were connected.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallHistory")]
[OutputType(typeof(SipCall))]
public sealed class GetSipCallHistory : KnowledgeCmdlet
{
    /// <summary>Only calls that ended at or after this time.</summary>
    [Parameter]
    public DateTime? After { get; set; }

    /// <summary>Only calls that ended before this time.</summary>
    [Parameter]
    public DateTime? Before { get; set; }

    /// <summary>Only calls that ended so.</summary>
    [Parameter]
    public HangupCause[]? Cause { get; set; }

    /// <summary>Only the last so many of each server.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Last { get; set; }

    private protected override Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token)
    {
        DateTime? after = After?.ToUniversalTime(), before = Before?.ToUniversalTime();
        IEnumerable<SipCall> calls = adapter.EndedCalls.Where(c =>
            (after is null || c.EndedAt >= after) && (before is null || c.EndedAt < before) && (Cause is null || (c.Cause is { } cause && Cause.Contains(cause))));
        return Task.FromResult<object?>(Last is { } last ? calls.TakeLast(last) : calls);
    }
}
