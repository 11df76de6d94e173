using System.Net.Http.Headers;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Http;

/// <summary>How one server is spoken to over HTTP.</summary>
internal sealed record HttpSettings
{
    /// <summary>Name of the server's connection, for messages.</summary>
    public required string Name { get; init; }

    /// <summary>Where it listens.</summary>
    public required WireEndpoint Endpoint { get; init; }

    /// <summary>Time to open one connection.</summary>
    public required TimeSpan ConnectTimeout { get; init; }

    /// <summary>Time for one request, unless it says otherwise.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    /// <summary>Sent with every request; null for none. Never logged.</summary>
    public AuthenticationHeaderValue? Authorization { get; init; }

    /// <summary>More headers for every request.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The Host header where it is not that of the address: some servers choose a tenant by it.</summary>
    public string? Host { get; init; }

    /// <summary>Connections at the same time.</summary>
    public int Connections { get; init; } = 10;

    /// <summary>How old a connection may become.</summary>
    public TimeSpan ConnectionLifetime { get; init; } = TimeSpan.FromSeconds(3600);

    /// <summary>How long a connection may lie idle; less than what the server allows.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The most bytes of head and body that the server takes; more is refused before anything is sent.</summary>
    public int MaxRequestBytes { get; init; } = int.MaxValue;

    /// <summary>What to say of that limit, for instance which setting of the server it is.</summary>
    public string? MaxRequestRule { get; init; }

    /// <summary>The most bytes of a reply that are read.</summary>
    public long MaxReplyBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>The most bytes of an error reply that are read.</summary>
    public int MaxErrorBytes { get; init; } = 64 * 1024;

    /// <summary>How long the body of an error is waited for: some servers never end it. The status line is known by then.</summary>
    public TimeSpan ErrorBodyTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Find out, on connections of its own, whether a port that is not understood speaks TLS, or does not. Off for who asks it both ways anyhow.</summary>
    public bool ExplainsTls { get; init; } = true;

    /// <summary>An Authorization header with a login.</summary>
    public static AuthenticationHeaderValue Basic(string user, string secret) =>
        new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(user + ":" + secret)));

    /// <summary>An Authorization header with a token.</summary>
    public static AuthenticationHeaderValue Bearer(string token) => new("Bearer", token);

    // A record's own text would show the secrets.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(Endpoint);
        return true;
    }
}
