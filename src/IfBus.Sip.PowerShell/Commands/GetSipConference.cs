using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists conference rooms with their members.</summary>
[Cmdlet(VerbsCommon.Get, "SipConference")]
[OutputType(typeof(SipConference))]
public sealed class GetSipConference : KnowledgeCmdlet
{
    private bool _named;

    /// <inheritdoc/>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public override string[]? Server { get; set; }

    // Takes servers only. A server has a name too, which the binder takes for the room's: that is left out of account.
    /// <summary>The connection, as an object that is piped in.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ServerName(FromPipeline = true)]
    public string[]? InputObject { get; set; }

    /// <summary>Only rooms like this.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Conference", "Room")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string? Name { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        // Before anything of the pipeline is bound.
        _named = MyInvocation.BoundParameters.ContainsKey(nameof(Name));
    }

    private protected override string[]? Asked => InputObject ?? Server;

    private protected override SipCapabilities Needed => SipCapabilities.ConferenceList;

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token)
    {
        string? name = InputObject is null || _named ? Name : null;
        if (!WildcardPattern.ContainsWildcardCharacters(name ?? "")) return await adapter.GetConferencesAsync(name, token).ConfigureAwait(false);
        return (await adapter.GetConferencesAsync(null, token).ConfigureAwait(false)).Where(c => Wanted.Matches(name, c.Name));
    }
}
