using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace IfBus.Sip.PowerShell.Profiles;

/// <summary>
/// Where the secrets of registered servers are: in the vault of Microsoft.PowerShell.SecretManagement if its commands are
/// there, as <c>IfBus.Sip/name</c>; otherwise the user is asked. The commands are called with parameters, and what is
/// called is fixed text: no name or secret becomes part of a script.
/// </summary>
internal sealed class ProfileSecrets(PSCmdlet cmdlet)
{
    private const string Prefix = "IfBus.Sip/";

    /// <summary>Puts a secret into the vault; false if there is none or it refuses, with a note or a warning.</summary>
    public bool Store(string name, SecureString secret)
    {
        if (Command("Set-Secret") is not { } command)
        {
            cmdlet.WriteWarning($"The secret of {name} is not kept and will be asked for: there is no vault (module Microsoft.PowerShell.SecretManagement).");
            return false;
        }

        try
        {
            Invoke("param($command, $name, $secret) & $command -Name $name -Secret $secret -ErrorAction Stop", command, Prefix + name, secret);
            cmdlet.WriteVerbose($"The secret of {name} is in the vault as {Prefix}{name}.");
            return true;
        }
        catch (RuntimeException e)
        {
            cmdlet.WriteWarning($"The secret of {name} is not kept and will be asked for: the vault did not take it: {SipText.Reason(e)}");
            return false;
        }
    }

    /// <summary>Takes a secret out of the vault, if it is there.</summary>
    public void Remove(string name)
    {
        if (Command("Remove-Secret") is not { } command) return;
        try
        {
            Invoke("param($command, $name) & $command -Name $name -ErrorAction Stop", command, Prefix + name);
        }
        catch (RuntimeException e)
        {
            cmdlet.WriteWarning($"The secret {Prefix}{name} was not removed from the vault: {SipText.Reason(e)}");
        }
    }

    /// <summary>The login of a profile: from the vault, or by asking.</summary>
    /// <exception cref="ProfileException">Nobody can be asked.</exception>
    public PSCredential Credential(SipServerProfile profile)
    {
        object? stored = Fetch(profile.Name);
        if (stored is PSCredential whole) return whole;
        if (stored is SecureString secret && profile.User is { Length: > 0 } user) return new PSCredential(user, secret);
        return Ask(profile, "-Credential", ui => ui.PromptForCredential("Connect to a SIP server", $"Password for {profile.Name} ({profile.Host}).", profile.User ?? "", profile.Name));
    }

    /// <summary>The API key of a profile: from the vault, or by asking.</summary>
    /// <exception cref="ProfileException">Nobody can be asked.</exception>
    public SecureString ApiKey(SipServerProfile profile)
    {
        object? stored = Fetch(profile.Name);
        if (stored is SecureString secret) return secret;
        const string Field = "ApiKey";
        return Ask(profile, "-ApiKey", ui =>
        {
            var field = new FieldDescription(Field);
            field.SetParameterType(typeof(SecureString));
            Dictionary<string, PSObject>? answers = ui.Prompt("Connect to a SIP server", $"API key for {profile.Name} ({profile.Host}).", new Collection<FieldDescription> { field });
            return answers is not null && answers.TryGetValue(Field, out PSObject? answer) ? answer?.BaseObject as SecureString : null;
        });
    }

    private T Ask<T>(SipServerProfile profile, string parameter, Func<PSHostUserInterface, T?> ask)
        where T : class
    {
        Exception? why = null;
        try
        {
            if (cmdlet.Host?.UI is { } ui && ask(ui) is { } answer && answer is not SecureString { Length: 0 }) return answer;
        }
        catch (Exception e) when (e is HostException or PSInvalidOperationException or PSNotImplementedException or NotImplementedException or NotSupportedException or InvalidOperationException)
        {
            // The host has nobody to ask.
            why = e;
        }

        throw new ProfileException(
            "SipSecretMissing", ErrorCategory.AuthenticationError, $"The secret of the registered server '{profile.Name}' is not in a vault, and nobody gave it{(why is null ? "" : " (this session cannot ask)")}.", why)
        {
            Action = $"Give it with {parameter}, or install Microsoft.PowerShell.SecretManagement with a vault and store it there: Set-Secret {Prefix}{profile.Name}.",
        };
    }

    private object? Fetch(string name)
    {
        if (Command("Get-Secret") is not { } command) return null;
        try
        {
            object? found = Invoke("param($command, $name) & $command -Name $name -ErrorAction Stop", command, Prefix + name).FirstOrDefault()?.BaseObject;
            if (found is not string text) return found;
            // Some vaults give text.
            var secret = new SecureString();
            foreach (char c in text) secret.AppendChar(c);
            secret.MakeReadOnly();
            return secret;
        }
        catch (RuntimeException e)
        {
            cmdlet.WriteVerbose($"The vault did not give {Prefix}{name}: {SipText.Reason(e)}");
            return null;
        }
    }

    private CommandInfo? Command(string name) => cmdlet.InvokeCommand.GetCommand(name, CommandTypes.Cmdlet | CommandTypes.Function);

    private Collection<PSObject> Invoke(string script, params object[] arguments) => cmdlet.InvokeCommand.InvokeScript(script, useNewScope: true, System.Management.Automation.Runspaces.PipelineResultTypes.None, null, arguments);
}
