using System.Collections;
using System.Globalization;
using System.Management.Automation;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Sends a raw command of the server's protocol, for what the other cmdlets do not cover.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "SipCommand", SupportsShouldProcess = true)]
[OutputType(typeof(SipCommandResult))]
public sealed class InvokeSipCommand : ServerCmdlet
{
    private string? _sentTo;

    /// <summary>The command's name; for Asterisk the Action.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public string Name { get; set; } = "";

    /// <summary>Its fields: a hash table, [ordered] where order matters; a list of values repeats the field.</summary>
    [Parameter(Position = 1)]
    public IDictionary? Field { get; set; }

    private protected override string? StillRunning() =>
        _sentTo is null ? null : $"Stopped. {SipText.Printable(Name)} was sent to {_sentTo} and not answered yet; it may have been carried out.";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        if (!ShouldProcess(connection.Name, $"Send {SipText.Printable(Name)}")) return;
        var fields = new List<KeyValuePair<string, string>>();
        foreach (DictionaryEntry entry in Field ?? new Hashtable())
        {
            string name = Convert.ToString(entry.Key, CultureInfo.InvariantCulture) ?? "";
            object? value = entry.Value is PSObject wrapped ? wrapped.BaseObject : entry.Value;
            if (value is IEnumerable many and not string)
            {
                foreach (object? one in many) fields.Add(new(name, LanguagePrimitives.ConvertTo<string>(one)));
            }
            else
            {
                fields.Add(new(name, LanguagePrimitives.ConvertTo<string>(value) ?? ""));
            }
        }

        var request = new SipCommandRequest(Name, fields) { IsOrdered = Field is null or { Count: < 2 } or System.Collections.Specialized.IOrderedDictionary };
        // Writing may end the cmdlet, and by then the command is answered, or the error says what became of it.
        try
        {
            _sentTo = connection.Name;
            SipCommandResult result = Pump(token => connection.Adapter.InvokeCommandAsync(request, token));
            _sentTo = null;
            WriteObject(result);
        }
        catch (SipException e)
        {
            _sentTo = null;
            WriteError(Errors.Record(e, Name));
        }
    }
}
