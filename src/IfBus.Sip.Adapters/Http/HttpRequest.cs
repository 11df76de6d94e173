namespace IfBus.Sip.Adapters.Http;

/// <summary>One request.</summary>
internal sealed record HttpRequest
{
    /// <summary>The method.</summary>
    public required HttpMethod Method { get; init; }

    /// <summary>Path and query, encoded, beginning with a slash.</summary>
    public required string Path { get; init; }

    /// <summary>What it is called in messages, for instance the method of the RPC.</summary>
    public required string What { get; init; }

    /// <summary>True if it changes nothing: then it is sent once more when a connection turns out to be closed.</summary>
    public bool IsRead { get; init; }

    /// <summary>JSON, or null for no body.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>Headers of this request alone.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Time for it, from the moment it is asked for to the last byte of the reply; null for the usual time.</summary>
    public TimeSpan? Timeout { get; init; }
}
