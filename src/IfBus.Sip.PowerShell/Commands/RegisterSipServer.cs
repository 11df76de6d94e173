using System.Management.Automation;
using System.Security;
using IfBus.Sip.PowerShell.Hosting;
using IfBus.Sip.PowerShell.Profiles;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Keeps the settings of a server under a name that Connect-SipServer takes.</summary>
[Cmdlet(VerbsLifecycle.Register, "SipServer", SupportsShouldProcess = true, DefaultParameterSetName = "Host")]
[OutputType(typeof(SipServerProfile))]
public sealed class RegisterSipServer : ConfigurationCmdlet
{
    /// <summary>Put it in the place of one that is registered under this name.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        SipServerConfiguration configuration = Read(null, out List<SipConfigurationProblem> unread);
        configuration.Name ??= configuration.Host;
        List<SipConfigurationProblem> problems = Check(configuration, unread);
        // The login may be left to who connects.
        string? login = configuration.ApiKey is not null ? nameof(ApiKey) : configuration.Credential is not null ? nameof(Credential) : null;
        if (login is null)
        {
            SipConfigurationProblem? missing = problems.Except(unread).FirstOrDefault(p => p.Parameter is nameof(Credential) or nameof(ApiKey));
            login = missing?.Parameter;
            problems.RemoveAll(p => ReferenceEquals(p, missing));
        }

        if (problems.Count > 0)
        {
            WriteError(Errors.Record(new SipConfigurationException(problems), configuration.Name));
            return;
        }

        try
        {
            SipServerProfile? before = ProfileStore.Find(configuration.Name!);
            var profile = new SipServerProfile(configuration.Name!, configuration.Host!)
            {
                Type = configuration.Type,
                Port = configuration.Port,
                User = configuration.Credential?.UserName,
                Login = login,
                Settings = Kept(configuration),
            };
            if (!ShouldProcess($"{profile.Name} ({profile.Host})", before is null ? "Register" : "Register, in the place of the one before")) return;
            ProfileStore.Save(profile, Force);
            profile = KeepSecret(profile, before, configuration);
            if (profile.SecretStored) ProfileStore.Save(profile, replace: true);
            WriteObject(profile);
        }
        catch (ProfileException e)
        {
            WriteError(Errors.Record(e, configuration.Name));
        }
    }

    // A secret that is not given stays as it was, if it is for the same login.
    private SipServerProfile KeepSecret(SipServerProfile profile, SipServerProfile? before, SipServerConfiguration configuration)
    {
        var secrets = new ProfileSecrets(this);
        string? given = configuration.ApiKey ?? configuration.Credential?.Password;
        if (given is null && before is { SecretStored: true } && before.Login == profile.Login)
            return profile with { SecretStored = true, User = profile.User ?? before.User };
        bool stored = false;
        if (given is { Length: > 0 })
        {
            // The vault's from here on: it may keep the object.
            SecureString secret = new System.Net.NetworkCredential("", given).SecurePassword;
            secret.MakeReadOnly();
            stored = secrets.Store(profile.Name, secret);
        }

        if (!stored && before is { SecretStored: true }) secrets.Remove(before.Name);
        return profile with { SecretStored = stored };
    }

    private Dictionary<string, object> Kept(SipServerConfiguration configuration)
    {
        var kept = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in GivenNames())
        {
            if (ServerSetting.Find(name) is { Name: not (nameof(Type) or nameof(Port)), IsKept: true } setting && setting.Keep(configuration) is { } value) kept[setting.Name] = value;
        }

        return kept;
    }
}
