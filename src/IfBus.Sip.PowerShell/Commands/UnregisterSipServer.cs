using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;
using IfBus.Sip.PowerShell.Profiles;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Forgets registered servers.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "SipServer", SupportsShouldProcess = true)]
public sealed class UnregisterSipServer : SipCmdlet
{
    /// <summary>Names of registered servers.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ProfileNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string name in Name)
        {
            try
            {
                SipServerProfile profile = ProfileStore.Find(name) ?? throw ProfileException.NotFound(name);
                if (!ShouldProcess(profile.Name, profile.SecretStored ? "Unregister, and remove the secret from the vault" : "Unregister")) continue;
                ProfileStore.Remove(profile.Name);
                if (profile.SecretStored) new ProfileSecrets(this).Remove(profile.Name);
            }
            catch (ProfileException e)
            {
                WriteError(Errors.Record(e, name));
            }
        }
    }
}
