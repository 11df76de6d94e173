using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;
using IfBus.Sip.PowerShell.Profiles;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Shows the connections of this runspace, or the registered servers.</summary>
[Cmdlet(VerbsCommon.Get, "SipServer")]
[OutputType(typeof(SipServer), typeof(SipServerProfile))]
public sealed class GetSipServer : SipCmdlet
{
    /// <summary>Names, with wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ShownServerNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Show the servers that Register-SipServer keeps instead, connected or not.</summary>
    [Parameter]
    public SwitchParameter Registered { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Registered)
        {
            ShowRegistered();
            return;
        }

        foreach (string name in Name)
        {
            var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
            var found = Store.All.Where(c => pattern.IsMatch(c.Name)).ToList();
            foreach (ServerStore.Connection connection in found) WriteObject(Store.Describe(connection));
            if (found.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
                WriteError(Errors.Record(new ServerChoiceException("SipServerNotConnected", $"There is no connection named '{SipText.Printable(name)}' in this runspace.", "Connect-SipServer makes one."), name));
        }
    }

    private void ShowRegistered()
    {
        foreach (string name in Name)
        {
            try
            {
                bool unfit = false;
                IReadOnlyList<SipServerProfile> found = ProfileStore.Find(new WildcardPattern(name, WildcardOptions.IgnoreCase), e =>
                {
                    unfit = true;
                    WriteError(Errors.Record(e, name));
                });
                WriteObject(found, enumerateCollection: true);
                if (found.Count == 0 && !unfit && !WildcardPattern.ContainsWildcardCharacters(name)) throw ProfileException.NotFound(name);
            }
            catch (ProfileException e)
            {
                WriteError(Errors.Record(e, name));
            }
        }
    }
}
