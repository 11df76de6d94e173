namespace IfBus.Sip;

/// <summary>An account as the server told it. Holds no secret: whether there is a password or a provisioning token is told, not what it is.</summary>
public sealed record SipAccount
{
    /// <summary>The server's number of it.</summary>
    public required long Id { get; init; }

    /// <summary>User part of its address.</summary>
    public required string Username { get; init; }

    /// <summary>Its SIP domain.</summary>
    public required string Domain { get; init; }

    /// <summary>Its address, <c>sip:user@domain</c>.</summary>
    public required string SipUri { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>Kind of server.</summary>
    public SipServerType ServerType { get; init; } = SipServerType.Flexisip;

    /// <summary>Name to show.</summary>
    public string? DisplayName { get; init; }

    /// <summary>E-mail address.</summary>
    public string? Email { get; init; }

    /// <summary>Phone number, with country code.</summary>
    public string? Phone { get; init; }

    /// <summary>True if it was confirmed. One that is not cannot be used.</summary>
    public bool Activated { get; init; }

    /// <summary>True if it is locked out.</summary>
    public bool Blocked { get; init; }

    /// <summary>True if it may administrate its space.</summary>
    public bool Admin { get; init; }

    /// <summary>How its phone sends digits: sipinfo, rfc2833, sipmessage.</summary>
    public string? DtmfProtocol { get; init; }

    /// <summary>Free entries, for instance for the provisioning of phones.</summary>
    public IReadOnlyDictionary<string, string> Dictionary { get; init => field = SipTable.Of(value); } = SipTable.Empty;

    /// <summary>Kinds of password hashes that are stored: SHA-256, MD5. Null where the server did not tell; it does not in lists.</summary>
    public IReadOnlyList<string>? PasswordAlgorithms { get; init => field = value is null ? null : SipList<string>.Of(value); }

    /// <summary>True if there is a provisioning token. Who has that gets the account's credentials, so it is never shown here.</summary>
    public bool HasProvisioningToken { get; init; }

    /// <summary>When that token expires, UTC; null for never.</summary>
    public DateTime? ProvisioningExpiresAt { get; init; }

    /// <summary>Address of the client that made the account.</summary>
    public string? IpAddress { get; init; }

    /// <summary>The client that changed it last, by its own words.</summary>
    public string? UserAgent { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public DateTime? CreatedAt { get; init; }

    /// <summary>When it was changed last, UTC, to the second.</summary>
    public DateTime? UpdatedAt { get; init; }

    /// <summary>The server's other fields, without secrets.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <inheritdoc/>
    public override string ToString() => SipUri;
}

/// <summary>What became of a change.</summary>
public sealed record SipAccountChange
{
    /// <summary>The account's address.</summary>
    public required string SipUri { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>What is another now than before; empty if all was so already.</summary>
    public IReadOnlyList<SipPropertyChange> Changes { get; init => field = SipList<SipPropertyChange>.Of(value); } = SipList<SipPropertyChange>.Empty;

    /// <summary>What the server had reset in the course, and was put back.</summary>
    public IReadOnlyList<string> Restored { get; init => field = SipList<string>.Of(value); } = SipList<string>.Empty;

    /// <summary>The account as it is now, read back from the server.</summary>
    public required SipAccount Account { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Changes.Count == 0 ? $"{SipUri}: nothing to change" : $"{SipUri}: {string.Join(", ", Changes)}";
}

/// <summary>One property that changed.</summary>
/// <param name="Property">Which.</param>
/// <param name="From">What it was. A secret is not told.</param>
/// <param name="To">What it is.</param>
public sealed record SipPropertyChange(string Property, string? From, string? To)
{
    /// <inheritdoc/>
    public override string ToString() => From is null && To is null ? Property : $"{Property} '{From}' -> '{To}'";
}
