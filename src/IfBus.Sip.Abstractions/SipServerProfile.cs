namespace IfBus.Sip;

/// <summary>The settings of a server as Register-SipServer keeps them under a name. Never a secret.</summary>
/// <param name="Name">The name that Connect-SipServer takes.</param>
/// <param name="Host">Host name or address.</param>
public sealed record SipServerProfile(string Name, string Host)
{
    /// <summary>Kind of server; null if it is to be found out when connecting.</summary>
    public SipServerType? Type { get; init; }

    /// <summary>TCP port; null for the usual one.</summary>
    public int? Port { get; init; }

    /// <summary>Login name, if any.</summary>
    public string? User { get; init; }

    /// <summary>The parameter of Connect-SipServer that its secret goes with, <c>Credential</c> or <c>ApiKey</c>; null for none.</summary>
    public string? Login { get; init; }

    /// <summary>True if the secret was put into a vault; false: it is asked for.</summary>
    public bool SecretStored { get; init; }

    /// <summary>All other settings that were given, by the names of Connect-SipServer's parameters: text, numbers, truth values; times in seconds.</summary>
    public IReadOnlyDictionary<string, object> Settings { get; init; } = new Dictionary<string, object>();

    /// <inheritdoc/>
    public override string ToString() => Name;
}
