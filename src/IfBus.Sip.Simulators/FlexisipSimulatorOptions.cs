namespace IfBus.Sip.Simulators;

/// <summary>A space (tenant) of a simulated FlexiAPI.</summary>
public sealed class FlexisipSimulatorSpace
{
    /// <summary>SIP domain of its accounts.</summary>
    public required string Domain { get; init; }

    /// <summary>Name of its web host: requests choose the space by it.</summary>
    public required string Host { get; init; }

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "Example Space";

    /// <summary>Its administrators may administrate all spaces.</summary>
    public bool Super { get; init; }

    /// <summary>The most accounts; 0 for no limit.</summary>
    public int MaxAccounts { get; init; }

    /// <summary>When it expires, UTC.</summary>
    public DateTime? ExpiresAt { get; set; }

    /// <summary>2.1: no two accounts may have one e-mail address.</summary>
    public bool UniqueEmail { get; init; } = true;

    /// <summary>Hash of new passwords: SHA-256 or MD5.</summary>
    public string Algorithm { get; init; } = "SHA-256";

    /// <summary>2.1: an OpenID Connect server is set up: its address, realm and public key (PEM, RSA).</summary>
    public (string ServerUrl, string Realm, string PublicKey)? OpenIdConnect { get; init; }
}

/// <summary>An account that a simulated FlexiAPI has from the begin.</summary>
public sealed class FlexisipSimulatorAccount
{
    /// <summary>Its address, user@domain.</summary>
    public required string Address { get; init; }

    /// <summary>Its password.</summary>
    public string Password { get; init; } = "";

    /// <summary>May administrate its space.</summary>
    public bool Admin { get; init; }

    /// <summary>Its API key, if it has one.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The only client address that the key works from; null for any.</summary>
    public string? ApiKeyAddress { get; init; }

    /// <summary>Hashes that are kept of the password.</summary>
    public IReadOnlyList<string> Algorithms { get; init; } = ["SHA-256"];
}

/// <summary>How a simulated FlexiAPI is set up.</summary>
public sealed class FlexisipSimulatorOptions : SimulatorOptions
{
    /// <summary>The defaults: 2.1, a super space of 127.0.0.1 with the domain sip.example.com, and its administrator.</summary>
    public FlexisipSimulatorOptions()
    {
        Version = "2.1";
        User = "admin@sip.example.com";
        Secret = "ifbusSimulatorApiKey00000000000000000000";
    }

    /// <summary>Spaces; the first is the super one. The simulator itself is reached as 127.0.0.1.</summary>
    public IReadOnlyList<FlexisipSimulatorSpace> Spaces { get; init; } = [new() { Domain = "sip.example.com", Host = "127.0.0.1", Super = true }];

    /// <summary>More accounts from the begin. <see cref="SimulatorOptions.User"/> is the first, an administrator whose API key is <see cref="SimulatorOptions.Secret"/>.</summary>
    public IReadOnlyList<FlexisipSimulatorAccount> Accounts { get; init; } = [];

    /// <summary>SIP password of <see cref="SimulatorOptions.User"/>.</summary>
    public string Password { get; init; } = "adminpw1";

    /// <summary>2.0: requests that are taken in a window.</summary>
    public int RateLimit { get; init; } = 600;

    /// <summary>2.0: length of the window.</summary>
    public TimeSpan RateWindow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>There is a linphone-daemon, so that messages can be sent.</summary>
    public bool Messages { get; init; } = true;

    /// <summary>Countries whose phone numbers are taken, by dial code. A new installation has none.</summary>
    public IReadOnlyList<string> PhoneCountries { get; init; } = ["33", "49", "1"];
}
