using System.Collections;
using System.Globalization;
using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of cmdlets that do one thing to each account that comes; each one's failure is its own error. One after the other: a server's pace is not ours to test.</summary>
public abstract class EachAccountCmdlet : ServerCmdlet
{
    /// <summary>User name, SIP address, or # and the number; accounts can be piped in.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Account]
    [Alias("SipUri", "Identity")]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[] Account { get; set; } = [];

    private protected override SipCapabilities Needed => SipCapabilities.OwnAccount;

    /// <summary>What is done, for -WhatIf and for messages; null if nothing is changed.</summary>
    private protected abstract string? Doing { get; }

    /// <summary>What is under way, for the message when it is stopped.</summary>
    private string? _open;

    /// <summary>Does it, and returns what is to be written: null for nothing, a list for several.</summary>
    private protected abstract Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string account in Account)
        {
            if (Choose(Server) is not { } connection) continue;
            if (Doing is { } doing && !ShouldProcess($"{SipText.Printable(account)} on {connection.Name}", doing)) continue;
            try
            {
                if (Progress is not null) Progress.Begun++;
                _open = Doing is null ? null : $"{Doing} {SipText.Printable(account)} on {connection.Name}";
                object? result = Pump(token => DoAsync(connection.Adapter, account, token));
                _open = null;
                Write(result);
            }
            catch (SipException e)
            {
                _open = null;
                WriteError(Errors.Record(e, account));
            }

            if (Progress is not null) Progress.Done++;
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => PumpRest(() => false);

    private protected override string? Activity => MyInvocation.MyCommand.Name;

    private protected override string? StillRunning() => _open is null ? null : $"Stopped. Under way was: {_open}. It may have been done; Get-SipAccount shows.";

    private void Write(object? result)
    {
        if (result is SipAccount account) KnownAccounts.Add(account);
        if (result is not null) WriteObject(result, enumerateCollection: result is IEnumerable and not string);
    }

    /// <summary>A hash table as texts.</summary>
    private protected static IReadOnlyDictionary<string, string>? Entries(IDictionary? table) =>
        table?.Cast<DictionaryEntry>().ToDictionary(e => Convert.ToString(e.Key, CultureInfo.InvariantCulture) ?? "", e => LanguagePrimitives.ConvertTo<string>(e.Value) ?? "", StringComparer.Ordinal);
}
