namespace IfBus.Sip;

/// <summary>What stands at one port of a host, as far as it says so without a login. Its names are those of the parameters of Connect-SipServer.</summary>
public sealed record SipServerFinding
{
    /// <summary>Host name or address, as asked for.</summary>
    public required string Host { get; init; }

    /// <summary>TCP port.</summary>
    public required int Port { get; init; }

    /// <summary>Kind of server; null if it is none of ours, or nobody is there.</summary>
    public SipServerType? Type { get; init; }

    /// <summary>True if it speaks TLS there. Its certificate was not looked at: nothing secret was sent.</summary>
    public bool UseTls { get; init; }

    /// <summary>Servers over HTTP: the path that answered.</summary>
    public string? Path { get; init; }

    /// <summary>What it says it is, if it does so without a login.</summary>
    public string? Version { get; init; }

    /// <summary>True if a connection to it can be tried: it is of a kind that we know, and takes clients there.</summary>
    public bool IsUsable { get; init; }

    /// <summary>What it said, or what kept it from saying something.</summary>
    public required string Evidence { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Host}:{Port} {(Type is { } type ? type.ToString() : "?")} ({Evidence})";
}
