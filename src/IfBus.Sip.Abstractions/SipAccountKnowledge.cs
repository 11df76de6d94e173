namespace IfBus.Sip;

/// <summary>A device that is registered under an account.</summary>
public sealed record SipDevice
{
    /// <summary>Its instance id (<c>+sip.instance</c>), a URN.</summary>
    public required string Uuid { get; init; }

    /// <summary>Address of the account.</summary>
    public required string Account { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>Name of the device, if its User-Agent says one.</summary>
    public string? DeviceName { get; init; }

    /// <summary>Application, for instance LinphoneAndroid.</summary>
    public string? App { get; init; }

    /// <summary>Its version.</summary>
    public string? Version { get; init; }

    /// <summary>The User-Agent.</summary>
    public string? UserAgent { get; init; }

    /// <summary>When it registered last, UTC.</summary>
    public DateTime? UpdatedAt { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{DeviceName ?? App ?? UserAgent ?? Uuid} of {Account}";
}

/// <summary>A way to give a phone its account, by a link that works once.</summary>
public sealed record SipProvisioning
{
    /// <summary>Address of the account.</summary>
    public required string SipUri { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>
    /// The link. Who opens it gets the account's credentials, and it is void then. Told only here, and null if the
    /// server sent it by e-mail.
    /// </summary>
    public string? Link { get; init; }

    /// <summary>Where the server sent it, if it did.</summary>
    public string? SentTo { get; init; }

    /// <summary>When it expires, UTC; null for never.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>The account and when it expires; never the link.</summary>
    public override string ToString() => $"provisioning of {SipUri}{(ExpiresAt is { } at ? $", until {at:u}" : "")}";
}

/// <summary>A space (tenant) of a server.</summary>
public sealed record SipSpace
{
    /// <summary>SIP domain of its accounts.</summary>
    public required string Domain { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the web host that its administrators use.</summary>
    public string? Host { get; init; }

    /// <summary>True if its administrators may administrate all spaces.</summary>
    public bool Super { get; init; }

    /// <summary>The most accounts; null for no limit.</summary>
    public int? MaxAccounts { get; init; }

    /// <summary>When it expires, UTC; null for never.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>True if it has expired: the server then refuses everything in it.</summary>
    public bool Expired { get; init; }

    /// <summary>True if no two accounts may have one e-mail address; null if the server does not tell.</summary>
    public bool? UniqueEmail { get; init; }

    /// <summary>Hash of new passwords, if the server tells.</summary>
    public string? PasswordAlgorithm { get; init; }

    /// <summary>Digest realm, if the server tells.</summary>
    public string? Realm { get; init; }

    /// <summary>The server's fields, without secrets.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <inheritdoc/>
    public override string ToString() => Domain;
}

/// <summary>A call forwarding rule of an account.</summary>
public sealed record SipCallForwarding
{
    /// <summary>The server's number of it.</summary>
    public required long Id { get; init; }

    /// <summary>Address of the account.</summary>
    public required string Account { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>Which calls.</summary>
    public required SipForwardingType Type { get; init; }

    /// <summary>Where to, by the server's word: sip_uri, contact, voicemail.</summary>
    public string? ForwardTo { get; init; }

    /// <summary>The address, if it is one.</summary>
    public string? To { get; init; }

    /// <summary>In force.</summary>
    public bool Enabled { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Type}: {To ?? ForwardTo}{(Enabled ? "" : " (off)")}";
}
